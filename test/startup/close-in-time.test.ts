import { expect, test, vi } from 'vitest';
import { closeInTime } from '../../src/startup/close-in-time.ts';

test.each([
  ['is done', async () => {}],
  ['fails', () => Promise.reject(new Error('no'))],
])('a close that %s keeps the process no longer, and nothing is said of the time', async (_what, close) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const said: string[] = [];
    await closeInTime({ close, save: async () => {} }, 25_000, (line) => said.push(line)).catch(() => {});
    expect(vi.getTimerCount()).toBe(0);
    expect(said).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});
