import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Redis } from 'ioredis';

import { findFreePort } from './free-port.ts';
import { describeIf } from './left-out.ts';
import { findOnPath } from './on-path.ts';

const START_ATTEMPTS = 5;
const REMEDY = 'redis-server was not found. Install it: apt-get install redis-server (or valkey-server).';

export interface RedisOptions {
  /** The same port is kept over `restart`; a free one when absent. */
  port?: number;
  /**
   * Redis's own settings, as `{ maxmemory: '1mb' }`. Nothing is written to disk unless they say so.
   */
  settings?: Record<string, string>;
}

/** A Redis server that belongs to one test. */
export interface TestRedis {
  url: string;
  port: number;
  /** Of the process that runs now. */
  pid: number;
  /** Ends the process and waits for its end; SIGKILL when no signal is given. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Makes it hang: connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** Starts it again on the same port, ending it first if it still runs. Its data are gone. */
  restart(): Promise<void>;
  /** Ends it for good. */
  stop(): Promise<void>;
}

/** Whether tests have a Redis: a program to start their own, or the one that REDIS_URL names. */
export function redisAvailable(): boolean {
  return redisProgram() !== undefined || Boolean(process.env.REDIS_URL);
}

/** Tests that start private servers, to kill and pause them: they need the program on the PATH. */
export function describeWithOwnRedis(title: string, tests: () => void): void {
  describeIf(redisProgram() !== undefined, REMEDY, title, tests);
}

/** Tests that need any Redis. */
export function describeWithRedis(title: string, tests: () => void): void {
  describeIf(redisAvailable(), `${REMEDY} Or set REDIS_URL.`, title, tests);
}

/**
 * Starts a private server. Without the program on the PATH it hands out the one that REDIS_URL
 * names, which tests of `describeWithRedis` share and cannot control.
 */
export async function startRedis(options: RedisOptions = {}): Promise<TestRedis> {
  const program = redisProgram();
  if (!program) return sharedRedis();
  const directory = mkdtempSync(path.join(tmpdir(), 'tenantry-test-redis-'));
  const start = (port: number) => startProcess(program, directory, port, options.settings ?? {});
  const first = await startOnFreePort(start, options.port);
  return ownRedis(first, directory, start);
}

type RunningRedis = { child: ChildProcess; port: number };

function ownRedis(first: RunningRedis, directory: string, start: (port: number) => Promise<ChildProcess>): TestRedis {
  const { port } = first;
  let { child } = first;
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    if (hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    // A paused process takes no other signal than SIGKILL before it goes on.
    child.kill('SIGCONT');
    await ended;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid as number;
    },
    kill,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async restart() {
      await kill();
      child = await start(port);
    },
    async stop() {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function sharedRedis(): TestRedis {
  const url = process.env.REDIS_URL;
  if (!url) throw new Error(`${REMEDY} Or set REDIS_URL.`);
  const refuse = (): never => {
    throw new Error('The Redis of REDIS_URL is not this test’s own. Use describeWithOwnRedis.');
  };
  const control = { kill: refuse, pause: refuse, resume: refuse, restart: refuse };
  return { url, port: Number(new URL(url).port || 6379), pid: Number.NaN, ...control, stop: async () => {} };
}

/** Another process may take the port between our finding it free and the server's taking it. */
async function startOnFreePort(start: (port: number) => Promise<ChildProcess>, port?: number): Promise<RunningRedis> {
  if (port !== undefined) return { child: await start(port), port };
  for (let attempt = 1; ; attempt++) {
    const free = await findFreePort();
    try {
      return { child: await start(free), port: free };
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}

async function startProcess(
  program: string,
  directory: string,
  port: number,
  settings: Record<string, string>,
): Promise<ChildProcess> {
  const all = { port: String(port), bind: '127.0.0.1', dir: directory, save: '', appendonly: 'no', ...settings };
  const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const killWithUs = () => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('exit', () => process.off('exit', killWithUs));
  await untilReady(child, port);
  return child;
}

function untilReady(child: ChildProcess, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.includes('eady to accept connections')) resolve();
      });
    }
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`Redis did not start on port ${port}:\n${output}`)));
  });
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function redisProgram(): string | undefined {
  return findOnPath('redis-server', 'valkey-server');
}

/** Redis's own clock, in milliseconds since 1970. */
export async function redisTimeMs(client: Redis): Promise<number> {
  const [seconds = 0, micros = 0] = (await client.time()).map(Number);
  return seconds * 1000 + micros / 1000;
}
