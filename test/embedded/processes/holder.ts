import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { onTestFinished } from 'vitest';

const SCRIPT = 'test/embedded/processes/hold.mjs';
const CLONE = path.resolve(import.meta.dirname, '../../..');

/** A process of its own that uses the embedded server, or says why it cannot. */
export interface Holder {
  child: ChildProcess;
  url: string;
  log: string[];
  error?: string;
  /** Ends the process in the orderly way. */
  release(): Promise<void>;
}

export interface HolderOptions {
  /** The clone's own when absent. */
  directory?: string;
  /** The clone whose code it runs; this one when absent. */
  clone?: string;
  spawn?: ForkOptions;
}

export async function startHolder({ directory, clone = CLONE, spawn }: HolderOptions): Promise<Holder> {
  const child = fork(path.join(clone, SCRIPT), directory ? [directory] : [], { cwd: '/', execArgv: [], ...spawn });
  onTestFinished(() => killHolder(child));
  const [answer] = await once(child, 'message');
  const release = async () => {
    const ended = once(child, 'exit');
    child.send('release');
    await ended;
  };
  return { child, release, ...answer };
}

export async function killHolder(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
