import { setImmediate as nextTurn } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { SharedCounter } from '../../src/budget/shared-counter.ts';
import { FastRedis } from '../../src/cache/redis/redis.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { watchRedis } from '../support/redis-watch.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const LIMIT = 30_000_000;
/** What both processes together may let through untold beyond the limit. */
const SLACK = 2 * 0.01 * LIMIT;

/** Numbers from 0 up to below 1, the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

const isReady = (fast: FastRedis) =>
  fast.check().then(
    () => true,
    () => false,
  );

describeWithOwnRedis('a counter that processes share', () => {
  let redis: TestRedis;
  let asked: Redis;
  let processes: { counter: SharedCounter; fast: FastRedis; way: TcpProxy }[];
  beforeAll(async () => {
    redis = await startRedis();
    asked = new Redis(redis.url);
  });
  beforeEach(async () => {
    // A minute that begins: none ends in a test.
    vi.useFakeTimers({ toFake: ['Date'], now: Math.ceil(Date.now() / 60_000) * 60_000 });
    await asked.flushall();
    processes = await Promise.all([open(), open()]);
  });
  afterEach(async () => {
    vi.useRealTimers();
    for (const { counter, fast, way } of processes) {
      await counter.close();
      await fast.close();
      await way.close();
    }
  });
  afterAll(async () => {
    asked.disconnect();
    await redis.stop();
  });

  async function open() {
    const way = await startTcpProxy(redis.port);
    const fast = new FastRedis(`redis://127.0.0.1:${way.port}`, () => {});
    while (!(await isReady(fast))) await nextTurn();
    return { counter: new SharedCounter(fast), fast, way };
  }

  const [here, there] = [0, 1].map((n) => () => processes[n]?.counter as SharedCounter) as [
    () => SharedCounter,
    () => SharedCounter,
  ];

  test('refuses none of those that come together and fit', async () => {
    expect(await there().spend('k', 20_000_000, LIMIT)).toBe(true);
    const spent = Array.from({ length: 8 }, () => here().spend('k', 500_000, LIMIT));
    expect(await Promise.all(spent)).toEqual(Array(8).fill(true));
    expect(here().allowance('k', LIMIT).remaining).toBe(6_000_000);
  });

  test('lets through as many of those that come together as fit', async () => {
    expect(await there().spend('k', 20_000_000, LIMIT)).toBe(true);
    const spent = Array.from({ length: 8 }, () => here().spend('k', 2_000_000, LIMIT));
    expect(await Promise.all(spent)).toEqual([...Array(5).fill(true), ...Array(3).fill(false)]);
    await here().settle('k');
    expect(here().allowance('k', LIMIT).remaining).toBe(0);
  });

  /**
   * Spends at random in both processes while their answers are late at random. @returns what was
   * let through
   */
  async function spendAtRandom(key: string, random: () => number, most: number) {
    const outcomes: Promise<{ points: number; isThrough: boolean }>[] = [];
    for (let step = 0; step < 12; step++) {
      const { counter, way } = processes[random() < 0.5 ? 0 : 1] as (typeof processes)[number];
      if (random() < 0.3) way.holdAnswers();
      else if (random() < 0.5) for (const { way } of processes) way.letAnswersThrough();
      const points = Math.ceil(random() * most);
      if (random() < 0.2) void counter.settle(key);
      if (random() < 0.3 && counter.has(key, 1, LIMIT)) {
        counter.charge(key, 40);
        outcomes.push(Promise.resolve({ points: 40, isThrough: true }));
      }
      outcomes.push(Promise.resolve(counter.spend(key, points, LIMIT)).then((isThrough) => ({ points, isThrough })));
      if (random() < 0.4) await asked.ping();
    }
    for (const { way } of processes) way.letAnswersThrough();
    return Promise.all(outcomes);
  }

  const sumOf = (outcomes: readonly { points: number; isThrough: boolean }[]) =>
    outcomes.filter(({ isThrough }) => isThrough).reduce((sum, { points }) => sum + points, 0);

  /** All agree with the one exact number when nothing is under way. */
  async function expectExactly(key: string, sum: number) {
    // What was given back is on its way in one turn, and told in the next.
    for (const _ of [1, 2]) await Promise.all(processes.map(({ counter }) => counter.settle(key)));
    expect(Number(await asked.get(key))).toBe(sum);
    const left = Math.max(0, LIMIT - sum);
    expect(processes.map(({ counter }) => counter.allowance(key, LIMIT).remaining)).toEqual([left, left]);
  }

  test.each([1, 2, 3, 4])(
    'seed %i: what fits altogether is let through, and no point is lost or counted twice',
    async (seed) => {
      const random = randomOf(seed);
      for (let round = 0; round < 25; round++) {
        const outcomes = await spendAtRandom(`fits-${round}`, random, LIMIT / 13);
        expect(outcomes.filter(({ isThrough }) => !isThrough)).toEqual([]);
        await expectExactly(`fits-${round}`, sumOf(outcomes));
      }
    },
  );

  test.each([5, 6, 7, 8])(
    'seed %i: of what does not fit the limit is let through, and what is refused is not counted',
    async (seed) => {
      const random = randomOf(seed);
      for (let round = 0; round < 25; round++) {
        const key = `beyond-${round}`;
        const sum = sumOf(await spendAtRandom(key, random, LIMIT / 4));
        expect(sum).toBeLessThanOrEqual(LIMIT + SLACK);
        await expectExactly(key, sum);
        const left = LIMIT - sum;
        if (left <= 0) continue;
        expect(await here().spend(key, left + 1, LIMIT)).toBe(false);
        await expectExactly(key, sum);
        expect(await there().spend(key, left, LIMIT)).toBe(true);
        await expectExactly(key, LIMIT);
      }
    },
  );

  test('counts what could not be told for itself, and knows it still when Redis has forgotten', async () => {
    expect(await here().spend('k', 10_000_000, LIMIT)).toBe(true);
    await redis.restart();
    const untold = await Promise.all([1, 2].map(() => here().spend('k', 8_000_000, LIMIT)));
    expect(untold).toEqual([true, true]);
    expect(here().allowance('k', LIMIT).remaining).toBe(4_000_000);
    expect(await here().spend('k', 5_000_000, LIMIT)).toBe(false);
    expect(here().allowance('k', LIMIT).remaining).toBe(4_000_000);
  });

  test('knows what all have spent when Redis has forgotten, and ends the minute when it would have', async () => {
    expect(await here().spend('k', 10_000_000, LIMIT)).toBe(true);
    expect(await there().spend('k', 10_000_000, LIMIT)).toBe(true);
    await asked.pexpire('k', 30_000); // half of the minute is over
    for (const counter of [here(), there()]) await counter.settle('k');
    const { resetAtMs } = here().allowance('k', LIMIT);
    await asked.del('k');
    expect(await here().spend('k', 4_000_000, LIMIT)).toBe(true);
    for (const counter of [there(), here()]) {
      await counter.settle('k');
      expect(counter.allowance('k', LIMIT).remaining).toBe(6_000_000);
      expect(counter.allowance('k', LIMIT).resetAtMs).toBeLessThan(resetAtMs + 5_000);
    }
    expect(await there().spend('k', 7_000_000, LIMIT)).toBe(false);
    expect(await there().spend('k', 6_000_000, LIMIT)).toBe(true);
    await here().settle('k');
    expect(here().allowance('k', LIMIT).remaining).toBe(0);
  });

  test('gives nothing back to a minute, and takes nothing of it, for one that is over', async () => {
    const over = here().window('k');
    expect(await here().spend('k', 10_000_000, LIMIT)).toBe(true);
    await here().settle('k');
    here().charge('k', 40);
    vi.useFakeTimers({ toFake: ['Date'], now: over.endsAtMs });
    try {
      await asked.del('k'); // as it expires
      here().giveBack(over, 10_000_000);
      await here().close();
      await here().settle('k');
      expect(here().allowance('k', LIMIT).remaining).toBe(LIMIT);
      expect(Number(await asked.get('k'))).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test('asks nothing for what it refuses', async () => {
    expect(await here().spend('k', LIMIT, LIMIT)).toBe(true);
    const watch = await watchRedis(redis.url);
    for (let n = 0; n < 50; n++) expect(here().has('k', 1, LIMIT)).toBe(false);
    await watch.untilNow();
    expect(watch.commands.filter((command) => command.includes('k')).length).toBeLessThanOrEqual(1);
    watch.close();
  });
});
