import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../../src/auth/caller.ts';
import { RequestVersions } from '../../../src/cache/data/request-versions.ts';
import { wholeValue } from '../../../src/cache/data/whole-value.ts';
import { TenantScope } from '../../../src/tenancy/tenant-scope.ts';
import { fixtureId } from '../../support/fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { watchRedis } from '../../support/redis-watch.ts';
import { startService } from '../../support/service.ts';
import { startCaches, type TestCaches } from './caches.ts';
import { CountedTenant, DAY, inOneTerm, untilWaitedFor } from './one-moment.ts';
import { readingBy } from './reading-by.ts';

const TENANT = TenantScope.ofVerifiedCaller(fixtureId('tenant', 'never-back'));
const HOUR_MS = 3_600_000;

/** A value that counts the writes that it shows; its text makes it as long as is asked for. */
interface Counted {
  readonly writes: number;
  readonly text: string;
}

interface Asked {
  readonly maxStalenessMs?: number;
  /** Of whom it is asked with which versions; absent: those of now. */
  readonly scope?: TenantScope;
  /** Those who ask for different parts do not share a load. */
  readonly part?: string;
  readonly text?: string;
  /** When the load began, by its process's clock. */
  readonly beganAtMs?: number;
  /** Holds the load up, when it has read. */
  readonly until?: Held;
}

let keys = 0;

/**
 * One question, which no other test asks. @returns what a process answers; `writes` is what the
 * database has then
 */
function question() {
  const kept = {
    key: ['dashboard', `test ${keys++}`],
    tables: [],
    dependencies: ['dashboard'],
    ttlSeconds: 600,
  } as const;
  const database = { writes: 1 };
  const ask = async ({ data }: TestCaches, asked: Asked = {}) => {
    const { maxStalenessMs = 0, scope = TENANT, part = '', text = '', until, beganAtMs } = asked;
    const load = async (): Promise<Counted> => {
      const { writes } = database;
      until?.begin();
      await until?.over;
      return { writes, text };
    };
    const ageing = { maxStalenessMs, momentOf: ({ writes }: Counted) => writes };
    return data.read(scope, { ...wholeValue(kept, load), asked: part, covers: () => part === '', ageing, beganAtMs });
  };
  const shown = async (caches: TestCaches, asked: Asked = {}) => (await ask(caches, asked)).value.writes;
  const write = async ({ cache }: TestCaches) => {
    database.writes++;
    await cache.invalidate(TENANT, ['dashboard']);
  };
  return { ask, shown, write, key: `tenant:{${TENANT.tenantId}}:dashboard:${encodeURIComponent(kept.key[1])}` };
}

/** A scope of a request that could not read the versions. */
function untrusting({ data }: TestCaches): TenantScope {
  const request = {};
  data.judgeBy(request, readingBy(new RequestVersions(null)));
  return TENANT.forRequest(request);
}

const OLD: Asked = { maxStalenessMs: HOUR_MS };
/** Beyond what a value takes in a cache of as much memory as below. */
const LONG = 'long '.repeat(10_000);

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('in one process', () => {
  let caches: TestCaches;
  beforeAll(async () => {
    caches = await startCaches({ databaseUrl: database.url, env: { CACHE_MEMORY_BYTES: '100000' } });
    await caches.untilCaughtUp();
  });
  afterAll(() => caches.close());

  const inTerm = (work: () => Promise<void>) => inOneTerm([caches.changeFeed.trust], work);

  test('an old value is shown to who accepts it', () =>
    inTerm(async () => {
      const { shown, write } = question();
      expect(await shown(caches)).toBe(1);
      await write(caches);
      expect(await shown(caches, OLD)).toBe(1);
      expect(await shown(caches)).toBe(2);
      await write(caches);
      expect(await shown(caches, OLD)).toBe(2);
    }));

  test('a load that ends late does not take the place of a later one', async () => {
    const { shown, write } = question();
    const late = new Held();
    const early = shown(caches, { part: 'early', until: late });
    await late.begun;
    await write(caches);
    expect(await shown(caches)).toBe(2);
    late.release();
    expect(await early).toBe(1);
    await write(caches);
    expect(await shown(caches, OLD)).not.toBe(1);
  });

  test('a value that is not kept takes away the one before', async () => {
    const { shown, write } = question();
    await shown(caches);
    await write(caches);
    expect(await shown(caches, { text: LONG })).toBe(2);
    expect(await shown(caches, OLD)).toBe(2);
  });

  test('what is shown without the cache is not gone back from', async () => {
    const { shown, write } = question();
    await shown(caches);
    await write(caches);
    expect(await shown(caches, { scope: untrusting(caches) })).toBe(2);
    expect(await shown(caches, OLD)).toBe(2);
  });

  test('what was kept before a gap of trust may have been overtaken', async () => {
    const { shown, write } = question();
    await shown(caches);
    await write(caches);
    caches.changeFeed.trust.revoke();
    await caches.untilCaughtUp();
    expect(await shown(caches, OLD)).toBe(2);
  });
});

test('an answer that shows something old is its own reader’s: neither kept nor shared', async () => {
  const service = await startService({ database });
  const tenant = await CountedTenant.create(database.url, 'answers');
  const token = await service.token(Role.ADMIN, tenant.slug);
  await service.untilCaughtUp();
  const dashboard = (seconds: number) =>
    `dashboard(date: "${DAY}", maxStalenessSeconds: ${seconds}) { overview { balances { amount } } }`;
  const ask = async (query: string) => {
    const { data } = await service.send(token, query);
    return Number(data.dashboard.overview.balances[0].amount);
  };
  const both = `{ ${dashboard(3600)} transactions(first: 1) { nodes { id } } }`;
  await inOneTerm([service.changeFeed.trust], async () => {
    const { writes } = tenant;
    expect(await ask(`{ ${dashboard(0)} }`)).toBe(writes);
    await tenant.writePastTheApi();
    await service.send(token, 'mutation { invalidateCache(input: {}) { namespaces } }');
    await tenant.client.query('BEGIN; LOCK TABLE transactions IN ACCESS EXCLUSIVE MODE');
    const old = ask(both);
    await untilWaitedFor(tenant.client);
    expect(await ask(`{ ${dashboard(0)} }`)).toBe(writes + 1);
    const later = ask(both);
    await ask(`{ ${dashboard(1)} }`); // the later one has come, too
    await tenant.client.query('COMMIT');
    expect(await old).toBe(writes);
    expect(await later).toBe(writes + 1);
    expect(await ask(both)).toBe(writes + 1);
  });
  await tenant.close();
  await service.close();
});

describeWithOwnRedis('two processes that share a Redis', () => {
  let redis: TestRedis;
  let admin: Redis;
  let here: TestCaches;
  let there: TestCaches;
  beforeAll(async () => {
    redis = await startRedis();
    admin = new Redis(redis.url);
    const start = () => startCaches({ databaseUrl: database.url, redisUrl: redis.url });
    [here, there] = await Promise.all([start(), start()]);
    await Promise.all([here.untilCaughtUp(), there.untilCaughtUp()]);
  });
  afterAll(async () => {
    admin.disconnect();
    await Promise.all([here.close(), there.close()]);
    await redis.stop();
  });

  test('what one has shown, the other does not go back from', async () => {
    const { shown, write } = question();
    expect(await shown(here)).toBe(1);
    await write(there);
    expect(await shown(there)).toBe(2);
    await write(there);
    expect(await shown(here, OLD)).not.toBe(1);
  });

  test('an old value of another process is shown to who accepts it', async () => {
    for (let isShown = false; !isShown; ) {
      // A gap of trust forbids it, as on a machine that stands still.
      const { shown, write } = question();
      await shown(here);
      await write(there);
      isShown = (await shown(there, OLD)) === 1;
    }
  });

  test('a load that ends late does not take the place of a later one of another process', async () => {
    const { shown, write, key } = question();
    const late = new Held();
    const early = shown(here, { part: 'early', until: late });
    await late.begun;
    await write(there);
    expect(await shown(there)).toBe(2);
    const kept = await admin.getBuffer(key);
    late.release();
    expect(await early).toBe(1);
    expect(await admin.getBuffer(key)).toEqual(kept);
    await write(there);
    for (const caches of [here, there]) expect(await shown(caches, OLD)).not.toBe(1);
  });

  test('what takes the place of a value says that it was read no earlier', async () => {
    for (let isKept = false; !isKept; ) {
      const { ask, write, key } = question();
      const fast = await ask(there);
      await write(there);
      // Begun before what it replaces was, and read after it.
      const late = await ask(here, { beganAtMs: fast.createdAtMs - 5_000 });
      // Redis may not have answered in time, as on a machine that stands still: then nothing is
      // kept that could be shown.
      isKept = (await admin.exists(key)) === 1;
      if (isKept) expect(late.createdAtMs).toBeGreaterThanOrEqual(fast.createdAtMs);
      expect((await ask(there)).createdAtMs).toBeGreaterThanOrEqual(isKept ? fast.createdAtMs : 0);
    }
  });

  test('who accepts nothing old is given nothing old by a load that he joins', () =>
    inOneTerm([here.changeFeed.trust, there.changeFeed.trust], async () => {
      await question().shown(there); // from then on it shows what is old
      const { shown, write, key } = question();
      await shown(here);
      const old = await admin.getBuffer(key);
      await admin.del(key);
      await write(there);
      const versions = await there.changeFeed.versions.read(TENANT);
      const sharing = () => {
        const request = {};
        there.data.judgeBy(request, readingBy(new RequestVersions(versions)));
        return TENANT.forRequest(request);
      };
      // Another process loads, and fails; meanwhile what it kept before lies in Redis again.
      const late = new Held();
      const loading = shown(here, { until: late });
      await late.begun;
      const watch = await watchRedis(redis.url);
      const accepting = shown(there, { ...OLD, scope: sharing() });
      await watch.until(
        ([name, asked = '', ...options]) =>
          name?.toLowerCase() === 'set' && asked.includes(':load:') && options.includes('NX'),
      );
      const looks = () =>
        watch.commands.filter(([name, asked]) => name?.toLowerCase() === 'get' && asked === key).length;
      const before = looks();
      const strict = shown(there, { scope: sharing() });
      await watch.until(() => looks() > before);
      watch.close();
      await admin.set(key, old as Buffer);
      late.fail(new Error('the load failed'));
      await expect(loading).rejects.toThrow('the load failed');
      await accepting;
      expect(await strict).toBe(2);
    }));

  test('a value that Redis does not take, takes away the one before', async () => {
    const { shown, write, key } = question();
    await shown(here);
    await write(there);
    const full = await there.changeFeed.versions.read(TENANT);
    await admin.config('SET', 'maxmemory', '1');
    try {
      const request = {};
      there.data.judgeBy(request, readingBy(new RequestVersions(full)));
      expect(await shown(there, { scope: TENANT.forRequest(request) })).toBe(2);
      expect(await admin.exists(key)).toBe(0);
    } finally {
      await admin.config('SET', 'maxmemory', '0');
    }
    await Promise.all([here.untilCaughtUp(), there.untilCaughtUp()]);
    expect(await shown(here, OLD)).toBe(2);
  });

  test('what one shows without the cache, the other does not go back from', async () => {
    const { shown, write } = question();
    await shown(here);
    await write(there);
    expect(await shown(there, { scope: untrusting(there) })).toBe(2);
    expect(await shown(here, OLD)).toBe(2);
  });
});

/** Holds something up until it is released, or made to fail. */
class Held {
  begin = () => {};
  release = () => {};
  fail = (_error: Error) => {};
  readonly begun = new Promise<void>((resolve) => {
    this.begin = resolve;
  });
  readonly over = new Promise<void>((resolve, reject) => {
    this.release = resolve;
    this.fail = reject;
  });
}
