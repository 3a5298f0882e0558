import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { watchRedis } from '../support/redis-watch.ts';
import { startService, type TestService } from '../support/service.ts';
import { until } from '../support/until.ts';

const INVALIDATE = 'mutation { invalidateCache(input: {}) { namespaces } }';
/** Every answer is its own: queries that no other test asks. */
let queries = 1;
const newQuery = () => `{ accounts(first: ${++queries}) { nodes { id accountNumber bankName } } }`;

describeWithOwnRedis('two processes that share a Redis', () => {
  let redis: TestRedis;
  let admin: Redis;
  let database: TestDatabase;
  let here: TestService;
  /** Keeps nothing in its own memory: what it finds, it finds in Redis. */
  let there: TestService;
  let token: string;
  beforeAll(async () => {
    redis = await startRedis();
    admin = new Redis(redis.url);
    database = await createTestDatabase();
    const tenant = await insertTenant(database.url, { slug: 'north' });
    const accounts = Array.from({ length: 100 }, (_, n) => ({ accountNumber: String(n).padStart(4, '0') }));
    await insertAccounts(database.url, tenant, accounts);
    const env = { REDIS_URL: redis.url, CACHE_COMPRESS_ABOVE_BYTES: '2000' };
    here = await startService({ database, env });
    there = await startService({ database, env: { ...env, CACHE_MEMORY_BYTES: '0' } });
    token = await here.token(Role.ADMIN, 'north');
    await Promise.all([here.untilCaughtUp(), there.untilCaughtUp()]);
  });
  beforeEach(() => {
    for (const service of [here, there]) service.statements.splice(0);
  });
  afterAll(async () => {
    await Promise.all([here.close(), there.close()]);
    admin.disconnect();
    await database.drop();
    await redis.stop();
  });

  const loads = () =>
    [here, there].map(({ statements }) => statements.filter(({ model }) => model === 'BankAccount').length);

  it('load an answer once, whichever of them is asked', async () => {
    const query = newQuery();
    const lock = await lockAccounts(database.url);
    const first = ask(here, token, query);
    await lock.untilWaitedFor();
    const waiting = await whenWaiting(redis, () => [ask(there, token, query), ask(there, token, query)]);
    await lock.release();
    const answers = await Promise.all([first, ...waiting]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(loads()).toEqual([1, 0]);
    expect(answers.map(({ status }) => status)).toEqual([
      'tenantry; fwd=miss; stored; detail=absent',
      'tenantry; fwd=miss; collapsed; detail=absent',
      'tenantry; fwd=miss; collapsed; detail=absent',
    ]);
  });

  it('load what different operations are made of once', async () => {
    const query = newQuery();
    const lock = await lockAccounts(database.url);
    const first = ask(here, token, `query First ${query}`);
    await lock.untilWaitedFor();
    const [second] = await whenWaiting(redis, () => [ask(there, token, `query Second ${query}`)]);
    await lock.release();
    const answers = await Promise.all([first, second]);
    expect(new Set(answers.map((answer) => answer?.text)).size).toBe(1);
    expect(loads()).toEqual([1, 0]);
    expect(answers.map((answer) => answer?.status)).toEqual(Array(2).fill('tenantry; fwd=miss; stored; detail=absent'));
  });

  it('load each for themselves when the one that began gave up', async () => {
    const query = newQuery();
    const lock = await lockAccounts(database.url);
    const leaving = new AbortController();
    const first = ask(here, token, query, {}, leaving.signal).catch(() => undefined);
    await lock.untilWaitedFor();
    const [second] = await whenWaiting(redis, () => [ask(there, token, query)]);
    leaving.abort();
    await until(async () => loads()[0] === 1); // it was stopped, and is counted at its end
    await lock.release();
    expect((await second)?.status).toBe('tenantry; fwd=miss; stored; detail=absent');
    expect(await first).toBeUndefined();
    expect(loads()).toEqual([1, 1]);
  });

  it('wait for no load that began before a write', async () => {
    const query = newQuery();
    const lock = await lockAccounts(database.url);
    const early = ask(here, token, query);
    await lock.untilWaitedFor();
    await here.send(token, INVALIDATE);
    const late = ask(there, token, query);
    await lock.untilWaitedFor(2);
    await lock.release();
    expect((await late).status).toBe('tenantry; fwd=miss; stored; detail=absent');
    await early;
    expect(loads()).toEqual([1, 1]);
    await untilStored(query);
    expect((await ask(there, token, query)).status).toMatch(/^tenantry; hit; .*redis/);
  });

  it('share large answers in their compressed form, whatever the client takes', async () => {
    const query = '{ accounts(first: 100) { nodes { id accountNumber bankName createdAt } } }';
    const miss = await ask(here, token, query);
    const key = await untilStored(query);
    expect(await admin.strlen(key)).toBeLessThan(miss.text.length / 2);
    for (const encoding of ['gzip', 'identity']) {
      const hit = await ask(there, token, query, { 'accept-encoding': encoding });
      expect(hit.status).toMatch(/^tenantry; hit; .*redis/);
      expect(hit.encoding).toBe(encoding === 'gzip' ? 'gzip' : null);
      expect(hit.text).toBe(miss.text);
    }
  });

  it.each([
    ['truncated', (bytes: Buffer) => bytes.subarray(0, -7)],
    ['garbled', (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === bytes.length - 20 ? byte ^ 1 : byte)))],
    ['foreign', () => Buffer.from('{"data":{"accounts":null}}')],
    ['empty', () => Buffer.alloc(0)],
  ])('take %s bytes for a miss, count it, and replace them', async (_, spoil) => {
    const query = newQuery();
    const miss = await ask(there, token, query);
    const key = await untilStored(query);
    const bytes = (await admin.getBuffer(key)) as Buffer;
    const before = await brokenEntries(there);
    await admin.set(key, spoil(bytes));
    const again = await ask(there, token, query);
    expect([again.status, again.text]).toEqual(['tenantry; fwd=miss; stored; detail=broken', miss.text]);
    expect(await brokenEntries(there)).toBe(before + 1);
    await until(async () => (await admin.strlen(key)) === bytes.length);
    expect((await ask(there, token, query)).text).toBe(miss.text);
  });

  it('take no entry of another key, such as another query’s', async () => {
    const [one, other] = [newQuery(), newQuery()];
    const miss = await ask(there, token, one);
    await ask(there, token, other);
    const [key, otherKey] = [await untilStored(one), await untilStored(other)];
    await admin.copy(otherKey, key, 'REPLACE');
    const again = await ask(there, token, one);
    expect([again.status, again.text]).toEqual(['tenantry; fwd=miss; stored; detail=broken', miss.text]);
  });

  /** Resolves to the answer's key when it is in Redis, where nobody waits for it to come. */
  async function untilStored(query: string): Promise<string> {
    const { cache } = JSON.parse((await ask(here, token, query, { 'x-cache-debug': '1' })).text).extensions;
    await until(async () => (await admin.exists(cache.key)) === 1);
    return cache.key;
  }
});

/**
 * Asks again what met a moment without trust, as on a machine that stands still: it says nothing
 * here.
 */
async function ask(...asked: Parameters<typeof askOnce>): Promise<Awaited<ReturnType<typeof askOnce>>> {
  await until(async () => asked[0].changeFeed.trust.isValid);
  const answer = await askOnce(...asked);
  return answer.status?.endsWith('detail=untrusted') ? ask(...asked) : answer;
}

async function askOnce(service: TestService, token: string, query: string, headers = {}, signal?: AbortSignal) {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
    body: JSON.stringify({ query }),
    ...(signal && { signal }),
  });
  const { headers: received } = response;
  return {
    status: received.get('cache-status'),
    encoding: received.get('content-encoding'),
    text: await response.text(),
  };
}

/**
 * Resolves when all of those who ask have looked for the answer in vain, and one of them whether
 * another still loads: whoever comes later could find it.
 */
async function whenWaiting<Answer>(redis: TestRedis, begin: () => Promise<Answer>[]): Promise<Promise<Answer>[]> {
  const watch = await watchRedis(redis.url);
  const answers = begin();
  const lookUps = () => watch.commands.filter(([name, ...keys]) => isNamed(name, 'mget') && isOf(keys, ':response:'));
  await watch.until(() => lookUps().length >= answers.length);
  await watch.until(([name, ...keys]) => isNamed(name, 'get') && isOf(keys, ':load:'));
  watch.close();
  return answers;
}

const isNamed = (name: string | undefined, meant: string) => name?.toLowerCase() === meant;
const isOf = (keys: string[], part: string) => keys.some((key) => key.includes(part));

async function brokenEntries(service: TestService): Promise<number> {
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  const lines = metrics.matchAll(/^tenantry_cache_misses_total\{.*reason="broken".*\} (\d+)$/gm);
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Holds up every read of the accounts until it is released. */
async function lockAccounts(url: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN; LOCK TABLE bank_accounts IN ACCESS EXCLUSIVE MODE');
  const release = () => client.end(); // which ends its transaction
  onTestFinished(release);
  return { untilWaitedFor: (times = 1) => until(async () => (await waiting(url)) >= times), release };
}

async function waiting(url: string): Promise<number> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ count: number }>(
      'SELECT count(*)::integer AS count FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())',
    ),
  );
  return rows[0]?.count ?? 0;
}
