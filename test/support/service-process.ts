import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import { startService } from './service.ts';

/** A service in a process of its own, for tests to kill. */
export interface ServiceProcess {
  readonly url: string;
  isKilled(): boolean;
  /** Lets it stand still, as on a machine that is overloaded or being moved; its connections stay open. */
  pause(): void;
  resume(): void;
  /** At once, as by the kernel when memory ends: nothing is told to anybody. */
  kill(): Promise<void>;
}

/** @param env settings over the defaults, as environment variables */
export async function startServiceProcess(
  databaseUrl: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ServiceProcess> {
  const child: ChildProcess = fork(import.meta.filename, [databaseUrl, JSON.stringify(env)], {
    execArgv: ['--import', '@oxc-node/core/register'],
  });
  const ended = once(child, 'exit');
  const [url] = await Promise.race([once(child, 'message'), ended.then(([code]) => fail(code))]);
  return {
    url,
    isKilled: () => child.killed,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function fail(code: number): never {
  throw new Error(`the service's process ended with ${code} before it listened`);
}

const [, started, databaseUrl = '', env = '{}'] = process.argv;
if (started === import.meta.filename) {
  const database = { name: '', url: databaseUrl, drop: async () => {} };
  const service = await startService({ database, env: JSON.parse(env) });
  process.send?.(service.url);
}
