import { setTimeout as delay } from 'node:timers/promises';

/** Of what takes milliseconds, on a machine that is busy with much else; a test has 120 s. */
const WITHIN_MS = 110_000;
const POLL_MS = 5;

/**
 * Asks again until it is so.
 * @param what is waited for, as the error says it; the condition's own words when absent
 * @throws when it takes too long
 */
export async function until(
  isSo: () => Promise<boolean> | boolean,
  what = String(isSo),
  withinMs = WITHIN_MS,
): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() >= endMs) throw new Error(`waited ${withinMs} ms in vain until this is so: ${what}`);
    await delay(POLL_MS);
  }
}
