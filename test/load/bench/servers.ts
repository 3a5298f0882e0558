import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { findProjectRoot } from '../../../src/embedded/project-root.mjs';
import { findFreePort, type StartedProcess, startProcess } from './child-process.ts';
import type { Cleanup } from './cleanup.ts';
import type { PeerReady, PeerSettings } from './peer.ts';

/** A second on a machine at rest; far more where others use it. */
const START_TIMEOUT_MS = 120_000;
const POLL_MS = 50;

/** A server that is measured. */
export interface Server extends StartedProcess {
  readonly port: number;
}

/**
 * The service as its operator starts it; from its sources where this runs from them too, as in the
 * tests.
 */
const MAIN = import.meta.filename.endsWith('.ts')
  ? ['--import', '@oxc-node/core/register', path.join('src', 'main.ts')]
  : [path.join('dist', 'src', 'main.js')];

/** Budgets are another thing: here they let everything through. */
const NO_BUDGETS = {
  LIMIT_OPERATION_COST: '1000000000',
  LIMIT_POINTS_PER_MINUTE: '2147483647',
  LIMIT_TENANT_POINTS_PER_MINUTE: '2147483647',
};

/**
 * Starts the service as its operator would in production, in one process. @throws with what it said
 * when it does not start
 */
export async function startService(
  env: Readonly<Record<string, string>>,
  profileFolder: string | undefined,
  cleanup: Cleanup,
): Promise<Server> {
  const root = findProjectRoot();
  const port = await findFreePort();
  const flags = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profileFolder)}`];
  const { PATH, HOME } = process.env;
  const server = startProcess(process.execPath, [...flags, ...MAIN], cleanup, {
    cwd: root,
    // None of the caller's settings: they would change what is measured.
    env: {
      PATH,
      HOME,
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      SHUTDOWN_DELAY_MS: '0',
      ...NO_BUDGETS,
      ...env,
    },
  });
  const { child, output } = server;
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await isReady(port))) {
    if (child.exitCode !== null) throw new Error(`the service did not start:\n${output()}`);
    if (Date.now() > deadline)
      throw new Error(`the service was not ready within ${START_TIMEOUT_MS / 1000} s:\n${output()}`);
    await delay(POLL_MS);
  }
  return { ...server, port };
}

/**
 * Starts one of the servers beside the service: a program of this folder that takes its settings as
 * a message.
 */
export function startPeer(
  program: string,
  args: readonly string[],
  settings: PeerSettings,
  cleanup: Cleanup,
): Promise<Server> {
  const server = startProcess(process.execPath, [path.join(import.meta.dirname, program), ...args], cleanup, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const { child, output } = server;
  return new Promise((resolve, reject) => {
    child.once('message', ({ port }: PeerReady) => resolve({ ...server, port }));
    child.once('exit', () => reject(new Error(`${program} did not start:\n${output()}`)));
    child.send(settings);
  });
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/health/ready`)).ok;
  } catch {
    return false; // not listening yet
  }
}
