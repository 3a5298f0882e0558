import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { OperatorError, StateError } from '../../../src/errors.ts';
import { findFreePort, type StartedProcess, startProcess } from './child-process.ts';
import type { Cleanup } from './cleanup.ts';

const START_TIMEOUT_MS = 10_000;
const POLL_MS = 20;

/** A private Redis. */
export interface RedisServer extends StartedProcess {
  readonly url: string;
  readonly port: number;
}

export interface RedisOptions {
  /** A free one when absent. */
  readonly port?: number;
  /** Redis's own settings, for example `{ maxmemory: '256mb' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Starts a private Redis without any files. @throws OperatorError when there is no redis-server */
export async function startRedis(cleanup: Cleanup, options: RedisOptions = {}): Promise<RedisServer> {
  const port = options.port ?? (await findFreePort());
  const settings = { port: String(port), bind: '127.0.0.1', save: '', appendonly: 'no', ...options.settings };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const server = startProcess('redis-server', args, cleanup);
  const { child, output } = server;
  const failed = new Promise<never>((_, reject) => {
    child.once('error', () => reject(noRedis('it is not on the PATH')));
    child.once('exit', () => reject(noRedis(output() || 'it ended at once')));
  });
  failed.catch(() => {}); // its end at the end of the bench is nobody's failure
  await Promise.race([failed, untilListening(port)]);
  return { ...server, port, url: `redis://127.0.0.1:${port}` };
}

async function untilListening(port: number): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await listens(port))) {
    if (Date.now() > deadline) throw noRedis(`it did not listen within ${START_TIMEOUT_MS / 1000} s`);
    await delay(POLL_MS);
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function noRedis(reason: string): OperatorError {
  return new StateError(
    `redis-server cannot be started: ${reason}.`,
    'Install it (Debian: apt-get install redis-server), or leave out the cases that need it, for example: npm run bench -- --only cold-dashboard,cold-list',
  );
}
