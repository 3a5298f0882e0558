import { performance } from 'node:perf_hooks';
import { vi } from 'vitest';

const realNow = performance.now.bind(performance);

/**
 * Sets both clocks of this process forward, on top of earlier moves. Timers stay real, so that
 * servers can be asked.
 */
export function moveClocks(milliseconds: number): void {
  const offsetMs = performance.now() - realNow() + milliseconds;
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });
  vi.spyOn(performance, 'now').mockImplementation(() => realNow() + offsetMs);
}

export function restoreClocks(): void {
  vi.useRealTimers();
  vi.restoreAllMocks();
}
