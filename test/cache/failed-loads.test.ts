import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wholeValue } from '../../src/cache/data/whole-value.ts';
import type { LoadedAnswer } from '../../src/cache/response/answer.ts';
import { AnswerPolicy } from '../../src/cache/response/answer-policy.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { fixtureId } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startCaches, type TestCaches } from './data/caches.ts';

const TENANT = TenantScope.ofVerifiedCaller(fixtureId('tenant', 'failed-loads'));
const KEPT = {
  key: ['accounts', 'failing'],
  tables: [],
  dependencies: ['accounts'],
  ttlSeconds: 60,
} as const;
const REQUESTS = 64;

let database: TestDatabase;
let caches: TestCaches;
beforeAll(async () => {
  database = await createTestDatabase();
  caches = await startCaches({ databaseUrl: database.url });
  await caches.untilCaughtUp();
});
afterAll(async () => {
  await caches.close();
  await database.drop();
});

/** Loads that take a turn of the event loop each. @param outcome of the nth */
function loads<Result>(outcome: (n: number) => Result) {
  const seen = { begun: 0, atOnce: 0, most: 0 };
  const load = async () => {
    const n = ++seen.begun;
    seen.most = Math.max(seen.most, ++seen.atOnce);
    await nextTurn();
    seen.atOnce--;
    return outcome(n);
  };
  return { seen, load };
}

function fail(): never {
  throw new Error('the load failed');
}

const answer = (errorCode?: string): LoadedAnswer => {
  const policy = new AnswerPolicy();
  return {
    status: 200,
    headers: {},
    body: Buffer.from('{}'),
    operationName: null,
    ...(errorCode ? { errorCode } : { policy }),
  };
};

const statusOf = ({ status }: PromiseSettledResult<unknown>) => status;

test.each([
  ['that throw', () => fail()],
  ['that come to an error', () => answer('RATE_LIMITED')],
])('of answers are made one at a time, for all who ask the same: those %s', async (what, outcome) => {
  const { seen, load } = loads(outcome);
  const asked = Array.from({ length: REQUESTS }, async () => caches.cache.answer(TENANT, `fails ${what}`, load));
  const outcomes = await Promise.allSettled(asked);
  expect(seen).toEqual({ begun: REQUESTS, atOnce: 0, most: 1 });
  expect(new Set(outcomes.map(statusOf))).toEqual(new Set([what === 'that throw' ? 'rejected' : 'fulfilled']));
});

test.each(['TIMEOUT', 'SERVICE_UNAVAILABLE'])(
  '%s is everyone’s who met it twice: nobody waits for 64 in a row',
  async (code) => {
    const { seen, load } = loads(() => answer(code));
    const asked = Array.from({ length: REQUESTS }, async () => caches.cache.answer(TENANT, `lasting ${code}`, load));
    const answers = await Promise.all(asked);
    expect(seen).toEqual({ begun: 2, atOnce: 0, most: 1 });
    expect(answers.map((each) => 'loaded' in each && each.loaded.errorCode)).toEqual(Array(REQUESTS).fill(code));
    const values = loads(() => {
      throw Object.assign(new Error('stopped'), { code: code === 'TIMEOUT' ? '57014' : 'ECONNREFUSED' });
    });
    const read = { ...KEPT, key: ['accounts', `lasting ${code}`] } as const;
    const outcomes = await Promise.allSettled(
      Array.from({ length: REQUESTS }, () => caches.data.read(TENANT, wholeValue(read, values.load))),
    );
    expect(values.seen).toEqual({ begun: 2, atOnce: 0, most: 1 });
    expect(new Set(outcomes.map(statusOf))).toEqual(new Set(['rejected']));
  },
);

test('an answer that nobody may keep is made for each at once', async () => {
  const { seen, load } = loads(() => answer());
  await Promise.all(Array.from({ length: REQUESTS }, async () => caches.cache.answer(TENANT, 'not kept', load)));
  expect(seen).toEqual({ begun: REQUESTS, atOnce: 0, most: REQUESTS - 1 });
});

test('of data are made one at a time, and the first that comes to something is everyone’s', async () => {
  const { seen, load } = loads((n) => (n <= 3 ? fail() : n));
  const asked = Array.from({ length: REQUESTS }, () => caches.data.read(TENANT, wholeValue(KEPT, load)));
  const outcomes = await Promise.allSettled(asked);
  expect(seen).toEqual({ begun: 4, atOnce: 0, most: 1 });
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(3);
  expect(outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value.value] : []))).toEqual(
    Array(REQUESTS - 3).fill(4),
  );
});
