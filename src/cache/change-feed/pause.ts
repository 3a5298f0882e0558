import { MAX_PAUSE_MS, MIN_PAUSE_MS } from '../redis/timing.ts';

/** Short after a poll that found something, then longer and longer. */
export function nextPauseMs(lastMs: number, foundSomething: boolean): number {
  return foundSomething ? MIN_PAUSE_MS : Math.min(Math.max(lastMs, MIN_PAUSE_MS) * 1.25, MAX_PAUSE_MS);
}
