import { afterAll, beforeAll, expect, test } from 'vitest';
import { RequestVersions } from '../../../src/cache/data/request-versions.ts';
import { wholeValue } from '../../../src/cache/data/whole-value.ts';
import { TenantScope } from '../../../src/tenancy/tenant-scope.ts';
import { fixtureId } from '../../support/fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { describeWithOwnRedis, startRedis } from '../../support/redis.ts';
import { startCaches, type TestCaches } from './caches.ts';
import { inOneTerm } from './one-moment.ts';
import { readingBy } from './reading-by.ts';

const TENANT = TenantScope.ofVerifiedCaller(fixtureId('tenant', 'versions'));
const KEPT = { key: ['accounts', 'test'], tables: [], dependencies: ['accounts'], ttlSeconds: 60 } as const;

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

/** The tenant's scope of a request that knows these versions. */
function requestOf({ data }: TestCaches, versions: RequestVersions): TenantScope {
  const request = {};
  data.judgeBy(request, readingBy(versions));
  return TENANT.forRequest(request);
}

/** What a request reads that is the nth to read it from the database. */
async function read(versions: RequestVersions, n: number): Promise<number> {
  const { value } = await caches.data.read(
    requestOf(caches, versions),
    wholeValue(KEPT, async () => n),
  );
  return value;
}

const change = () => caches.cache.invalidate(TENANT, ['accounts']);

test('a request sees one moment, until it has written itself', async () => {
  await change();
  const request = new RequestVersions();
  expect(await read(request, 1)).toBe(1);
  await change();
  expect(await read(request, 2)).toBe(1);
  request.forget();
  expect(await read(request, 3)).toBe(3);
});

test('what one request reads is judged by what it knew, also when it is kept later than a newer one’s', async () => {
  await change();
  const early = new RequestVersions();
  expect(await read(early, 1)).toBe(1);
  await change();
  expect(await read(new RequestVersions(), 2)).toBe(2);
  expect(await read(early, 3)).toBe(3);
  expect(await read(new RequestVersions(), 4)).toBe(4);
});

test('a request whose versions could not be trusted keeps nothing and is given nothing', async () => {
  await change();
  expect(await read(new RequestVersions(null), 1)).toBe(1);
  expect(await read(new RequestVersions(), 2)).toBe(2);
  expect(await read(new RequestVersions(null), 3)).toBe(3);
  expect(await read(new RequestVersions(), 4)).toBe(2);
});

test('what fails is its own caller’s: whoever waited for it loads for himself', async () => {
  await change();
  const failing = wholeValue<number>(KEPT, () => Promise.reject(new Error('no database')));
  const [failed, other] = await Promise.allSettled([caches.data.read(TENANT, failing), read(new RequestVersions(), 1)]);
  expect(failed).toMatchObject({ status: 'rejected', reason: { message: 'no database' } });
  expect(other).toMatchObject({ status: 'fulfilled', value: 1 });
});

test('hits, misses by reason, fills and joined loads are counted apart from those of answers', async () => {
  const { caches: counted } = caches.monitor;
  const before = { ...counted.entry('data:accounts'), hits: { ...counted.entry('data:accounts').hits } };
  const misses = { ...counted.entry('data:accounts').missesBy };
  await change();
  await read(new RequestVersions(), 1);
  await read(new RequestVersions(), 2);
  const after = counted.entry('data:accounts');
  expect(after.hits.memory - before.hits.memory).toBe(1);
  expect(after.missesBy.old - misses.old).toBe(1);
  expect(after.fills.memory).toBeGreaterThan(0);
});

test('an older value is shown to who accepts it, but not past a change of the epoch', async () => {
  const readOld = async (epoch: string, accounts: number, n: number, maxStalenessMs?: number) => {
    const versions = new RequestVersions({ epoch, accounts });
    const ageing = maxStalenessMs === undefined ? undefined : { maxStalenessMs, momentOf: () => n };
    const data = { ...wholeValue({ ...KEPT, key: ['accounts', `old ${epoch}`] }, async () => n), ageing };
    return caches.data.read(requestOf(caches, versions), data);
  };
  const [first, old] = await inOneTerm([caches.changeFeed.trust], async () => [
    await readOld('one', 1, 1),
    await readOld('one', 2, 2, 60_000),
  ]);
  expect(old).toMatchObject({ value: 1, createdAtMs: first.createdAtMs, isOld: true });
  expect(await readOld('two', 2, 3, 60_000)).toMatchObject({ value: 3, isOld: false });
  expect(await readOld('two', 3, 4)).toMatchObject({ value: 4 });
});

describeWithOwnRedis('without Redis all of a sudden', () => {
  test.each(['hangs', 'is gone'] as const)('a value is read from the database when Redis %s', async (way) => {
    const redis = await startRedis();
    const shared = await startCaches({ databaseUrl: database.url, redisUrl: redis.url });
    if (way === 'hangs') redis.pause();
    else await redis.kill();
    const versions = new RequestVersions({ epoch: 'read before', accounts: 1 });
    const data = wholeValue(KEPT, async () => 'loaded');
    expect(await shared.data.read(requestOf(shared, versions), data)).toMatchObject({ value: 'loaded' });
    redis.resume();
    await shared.close();
    await redis.stop();
  });
});
