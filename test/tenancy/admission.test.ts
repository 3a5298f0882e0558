import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { Admission } from '../../src/tenancy/admission.ts';
import { TurnRefused } from '../../src/tenancy/fair-queue.ts';
import { RequestAbandoned } from '../../src/tenancy/running-statements.ts';
import { TURN_BUDGET_MS } from '../../src/tenancy/turn-budget.ts';

const SLOTS = 16;
const LIMITS = { length: 3, timeoutMs: 60_000, tenantShare: 50 };

/** Nobody waits for the next turn of the event loop. */
const AT_LEISURE = Number.POSITIVE_INFINITY;

/** Requests that are worked on until they are told to end. */
function requests(admission: Admission) {
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const ask = (name: string, leaving?: AbortSignal) =>
    admission.run(
      name.slice(0, 1),
      () => {
        begun.push(name);
        return new Promise<string>((resolve, reject) => {
          ends.set(name, (error) => (error ? reject(error) : resolve(name)));
        });
      },
      leaving,
    );
  const end = async (name: string, error?: Error) => {
    ends.get(name)?.(error);
    await new Promise(setImmediate);
  };
  return { begun, ask, end };
}

test('so many are worked on at once; others wait by tenants’ turns, and failures give way like successes', async () => {
  const admission = new Admission(1, LIMITS, AT_LEISURE);
  const { begun, ask, end } = requests(admission);
  const first = Array.from({ length: SLOTS }, (_, index) => ask(`a${index}`));
  const waiting = [ask('a-late'), ask('a-later'), ask('b')];
  expect(begun).toHaveLength(SLOTS);
  expect(admission.figures).toMatchObject({ length: 3, tenants: 2 });
  await end('a0');
  expect(begun.at(-1)).toBe('b'); // which has none under way, while the other one has more than its share
  first[1]?.catch(() => {});
  await end('a1', new Error('failed'));
  await expect(first[1]).rejects.toThrow('failed');
  expect(await first[0]).toBe('a0');
  for (const name of [...begun]) await end(name);
  expect(begun.slice(-2)).toEqual(['a-late', 'a-later']);
  for (const name of ['a-late', 'a-later']) await end(name);
  expect(await Promise.all(waiting)).toEqual(['a-late', 'a-later', 'b']);
  expect(admission.figures).toMatchObject({ length: 0, tenants: 0, refusals: { length: 0, time: 0 } });
});

test('nothing is done for one that is refused', async () => {
  const admission = new Admission(1, LIMITS, AT_LEISURE);
  const { begun, ask, end } = requests(admission);
  for (let index = 0; index < SLOTS + LIMITS.length; index++) void ask(`a${index}`);
  await expect(ask('a-too-many')).rejects.toEqual(new TurnRefused('length', LIMITS.length, 'admission'));
  expect(admission.figures.refusals).toEqual({ length: 1, time: 0 });
  for (let index = 0; index < SLOTS + LIMITS.length; index++) await end(`a${index}`);
  expect(begun).not.toContain('a-too-many');
  void ask('a-again');
  expect(begun.at(-1)).toBe('a-again');
});

test('the time that they waited is counted of those who had to, and were worked on', async () => {
  const admission = new Admission(1, LIMITS, AT_LEISURE);
  const { ask, end } = requests(admission);
  for (let index = 0; index < SLOTS; index++) void ask(`a${index}`);
  const leaving = new AbortController();
  const left = ask('a-left', leaving.signal);
  void ask('a-waits');
  const cameMs = performance.now();
  leaving.abort();
  await expect(left).rejects.toThrow(RequestAbandoned);
  expect(admission.figures.waits.count).toBe(0);
  const waitedUntilMs = performance.now();
  await end('a0');
  const { count, max } = admission.figures.waits.latency();
  expect(count).toBe(1);
  expect(max).toBeGreaterThanOrEqual(waitedUntilMs - cameMs);
});

test('work that throws at once gives its place back, and does not keep others from theirs', async () => {
  const admission = new Admission(1, LIMITS, AT_LEISURE);
  const fails = () => {
    throw new Error('at once');
  };
  for (let index = 0; index < 2 * SLOTS; index++) await expect(admission.run('a', fails)).rejects.toThrow('at once');
  const { begun, ask, end } = requests(admission);
  for (let index = 0; index < SLOTS; index++) void ask(`a${index}`);
  const waiting = [admission.run('a', fails), admission.run('b', fails)];
  const failed = waiting.map((each) => expect(each).rejects.toThrow('at once'));
  expect(begun).toHaveLength(SLOTS);
  await end('a0');
  await end('a1');
  await Promise.all(failed);
  expect(admission.figures.length).toBe(0);
});

test('who leaves before its turn is not worked on, and keeps nobody from theirs', async () => {
  const admission = new Admission(1, LIMITS, AT_LEISURE);
  const { begun, ask, end } = requests(admission);
  const [waiting, working] = [new AbortController(), new AbortController()];
  const first = ask('a0', working.signal);
  for (let index = 1; index < SLOTS; index++) void ask(`a${index}`);
  const gone = ask('a-gone', waiting.signal);
  const next = ask('a-next');
  waiting.abort();
  await expect(gone).rejects.toThrow(RequestAbandoned);
  expect(admission.figures).toMatchObject({ length: 1, tenants: 1, refusals: { length: 0, time: 0 } });
  working.abort(); // it has begun
  await end('a0');
  expect(await first).toBe('a0');
  await end('a-next');
  expect(await next).toBe('a-next');
  await expect(ask('a-left-before', waiting.signal)).rejects.toThrow(RequestAbandoned);
  expect(begun).not.toContain('a-gone');
  expect(begun).not.toContain('a-left-before');
});

test('a large pool has two for each connection', async () => {
  const admission = new Admission(10, LIMITS);
  const { begun, ask, end } = requests(admission);
  const all = Array.from({ length: 22 }, (_, index) => ask(`a${index}`));
  expect(begun).toHaveLength(20);
  for (let index = 0; index < 22; index++) await end(`a${index}`);
  await Promise.all(all); // who waits on would be refused a minute later, while another test runs
});

test('work that takes long begins in turns of the event loop, one tenant after another, and refuses nobody', async () => {
  const admission = new Admission(1, { ...LIMITS, length: 0 });
  const begun: string[] = [];
  const ask = (name: string) =>
    admission.run(name.slice(0, 1), async () => {
      begun.push(name);
      for (let step = 0; step < 5; step++) await undefined; // as what asks a cache first
      for (const untilMs = performance.now() + 2 * TURN_BUDGET_MS; performance.now() < untilMs; );
    });
  const all: Promise<void>[] = [];
  for (const name of ['a1', 'a2', 'a3', 'b1']) {
    all.push(ask(name));
    for (let step = 0; step < 10; step++) await undefined; // each came by itself
  }
  for (const expected of [['a1'], ['a1', 'a2'], ['a1', 'a2', 'b1'], ['a1', 'a2', 'b1', 'a3']]) {
    expect(begun).toEqual(expected);
    await new Promise(setImmediate);
  }
  await Promise.all(all);
  expect(admission.figures).toMatchObject({ length: 0, refusals: { length: 0, time: 0 } });
});

test('who is kept to a share while places are free does not keep the event loop busy', async () => {
  const admission = new Admission(1, LIMITS);
  const { begun, ask } = requests(admission);
  void ask('b'); // another tenant is active
  for (let index = 0; begun.length < 1 + SLOTS / 2 && index < SLOTS; index++) {
    void ask(`a${index}`);
    await new Promise(setImmediate);
  }
  const turns = vi.spyOn(globalThis, 'setImmediate');
  try {
    void ask('a-waits');
    for (let turn = 0; turn < 5; turn++) await nextTurn(); // not through what is watched
    expect(begun).not.toContain('a-waits');
    expect(turns.mock.calls.length).toBeLessThanOrEqual(2);
  } finally {
    turns.mockRestore();
  }
});
