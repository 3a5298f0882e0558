import { setTimeout as delay } from 'node:timers/promises';

import type { StartedProcess } from '../bench/child-process.ts';

/** Between two faults: long enough for the caches to be used again. */
const PAUSE_MS = 6_000;
/** Longer than everything that is promised of a process that stands still. */
const FROZEN_MS = 2_500;
const DOWN_MS = 1_000;

/** What can be frozen and killed, and started again in its place. */
export interface Victim {
  readonly name: string;
  /** The process that runs now. */
  readonly process: () => Pick<StartedProcess, 'child'>;
  restart(): Promise<void>;
}

/**
 * Freezes and kills one after the other, again and again.
 * @param over ends it, once the fault that is under way is repaired
 * @returns how many faults there were
 */
export async function breakUntilOver(
  victims: readonly Victim[],
  over: AbortSignal,
  log: (line: string) => void,
): Promise<number> {
  const faults = victims.flatMap((victim) => [() => freeze(victim, log), () => kill(victim, log)]);
  let done = 0;
  while (faults.length > 0) {
    await delay(PAUSE_MS, undefined, { signal: over }).catch(() => {}); // cut short
    if (over.aborted) break;
    await faults[done++ % faults.length]?.();
  }
  return done;
}

async function freeze({ name, process }: Victim, log: (line: string) => void): Promise<void> {
  log(`freezing ${name} for ${FROZEN_MS} ms`);
  const { child } = process();
  child.kill('SIGSTOP');
  await delay(FROZEN_MS);
  child.kill('SIGCONT');
}

async function kill({ name, process, restart }: Victim, log: (line: string) => void): Promise<void> {
  log(`killing ${name}`);
  process().child.kill('SIGKILL');
  await delay(DOWN_MS);
  await restart();
}
