import { expect, test, vi } from 'vitest';
import { closeInTime } from '../../src/startup/close-in-time.ts';

function settledLater() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

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

test('a close that is done while what waits is saved comes too late: the process ends with 1, once it is saved', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
  try {
    const [closing, saving] = [settledLater(), settledLater()];
    const said: string[] = [];
    const service = { close: () => closing.promise, save: () => saving.promise };
    const steps: string[] = [];
    const code = closeInTime(service, 25_000, (line) => said.push(line));
    void code.then(() => steps.push('ended'));
    vi.advanceTimersByTime(25_000);
    expect(said).toEqual([expect.stringContaining('broken off')]);
    closing.resolve();
    await new Promise((done) => setImmediate(done));
    expect(steps).toEqual([]);
    saving.resolve();
    expect(await code).toBe(1);
    expect(exit.mock.calls).toEqual([[1]]);
  } finally {
    exit.mockRestore();
    vi.useRealTimers();
  }
});
