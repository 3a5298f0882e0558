import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

import type { Cleanup } from './cleanup.ts';

const TERM_TIMEOUT_MS = 5_000;
const KEPT_OUTPUT_CHARACTERS = 4_000;

export interface StartedProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** The end of what it wrote to stderr, for the message of a failure. */
  output(): string;
  /** Ends it and waits for its end. */
  stop(): Promise<void>;
}

/**
 * Starts a program that ends with this process, however this one ends. stderr is read, stdout is
 * thrown away.
 */
export function startProcess(
  program: string,
  args: readonly string[],
  cleanup: Cleanup,
  options: SpawnOptions = {},
): StartedProcess {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], ...options });
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-KEPT_OUTPUT_CHARACTERS);
  });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  const stop = () => stopChild(child);
  cleanup.add(stop);
  return { child, pid: child.pid ?? 0, output: () => output, stop };
}

/** A port of this machine that nothing listens on at the moment. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), TERM_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
