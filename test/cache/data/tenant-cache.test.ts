import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type CacheOperation, type DataKind, TenantCache } from '../../../src/cache/data/tenant-cache.ts';
import { Prisma } from '../../../src/generated/prisma/client.ts';
import { TenantScope } from '../../../src/tenancy/tenant-scope.ts';
import { insertTenant } from '../../support/fixtures.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../../support/postgres.ts';
import { startCaches, type TestCaches } from './caches.ts';

const LARGEST: DataKind<{ balance: string }> = {
  namespace: 'accounts',
  name: 'largest',
  tables: ['bank_accounts'],
  ttlSeconds: 60,
};

let database: TestDatabase;
let caches: TestCaches;
let cache: TenantCache;
let own: TenantScope;
let other: TenantScope;
const operations: CacheOperation[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  caches = await startCaches({ databaseUrl: database.url });
  await caches.untilCaughtUp();
  cache = new TenantCache(caches.data, caches.cache, (operation) => operations.push(operation));
});
let tenants = 0;
beforeEach(async () => {
  const slugs = [`own-${++tenants}`, `other-${tenants}`];
  [own, other] = (await Promise.all(
    slugs.map(async (slug) => TenantScope.ofVerifiedCaller(await insertTenant(database.url, { slug }))),
  )) as [TenantScope, TenantScope];
  await caches.untilCaughtUp();
  operations.splice(0);
});
afterAll(async () => {
  await caches.close();
  await database.drop();
});

const balance = (amount: string) => async () => ({ balance: amount });
const insertAccount = ({ tenantId }: TenantScope) =>
  withClient(database.url, (client) =>
    client.query(
      `INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, status, currency)
       VALUES ($1, 'Bank', '1', 'CHECKING', 'ACTIVE', 'EUR')`,
      [tenantId],
    ),
  );
const kept = async (scope: TenantScope, currency: string) =>
  (await cache.get(scope, LARGEST, [currency]))?.value.balance;

test('keeps a value by its kind and key, for its tenant alone', async () => {
  expect(await kept(own, 'EUR')).toBeUndefined();
  await cache.set(own, LARGEST, ['EUR'], balance('12345678901234.5678'));
  expect(await kept(own, 'EUR')).toBe('12345678901234.5678');
  expect([await kept(own, 'CZK'), await kept(other, 'EUR')]).toEqual([undefined, undefined]);
  expect((await cache.getOrSet(own, LARGEST, ['EUR'], balance('0'))).value.balance).toBe('12345678901234.5678');
  await cache.set(own, LARGEST, ['EUR'], balance('1'));
  expect(await kept(own, 'EUR')).toBe('1');
});

test('a key’s parts are no key of another form', async () => {
  await cache.set(own, LARGEST, ['a:b'], balance('1'));
  expect(await cache.get(own, LARGEST, ['a', 'b'])).toBeUndefined();
});

test('a value becomes old with its namespace and with its tables, whoever changes them', async () => {
  await cache.set(own, LARGEST, [], balance('1'));
  await cache.set(other, LARGEST, [], balance('2'));
  await cache.invalidate(own, 'accounts');
  expect([await cache.get(own, LARGEST, []), (await cache.get(other, LARGEST, []))?.value]).toEqual([
    undefined,
    { balance: '2' },
  ]);
  await insertAccount(other);
  await caches.untilCaughtUp();
  expect(await cache.get(other, LARGEST, [])).toBeUndefined();
});

test.each(['set', 'getOrSet'] as const)('what %s computes before a write is not found after it', async (way) => {
  await cache[way](own, LARGEST, [], async () => {
    const before = { balance: '1' };
    await cache.invalidate(own, 'accounts'); // the write comes while the value is computed
    return before;
  });
  expect(await cache.get(own, LARGEST, [])).toBeUndefined();
});

test.each(['set', 'getOrSet'] as const)(
  'what %s computes in a snapshot from before a write is not kept',
  async (way) => {
    const count = async (scope: TenantScope) => {
      const query = Prisma.sql`SELECT count(*)::text AS balance FROM bank_accounts`;
      const [row] = await caches.database.select<{ balance: string }>(scope, {
        model: 'BankAccount',
        action: 'count',
        query,
      });
      return row as { balance: string };
    };
    await caches.database.snapshot(own, async (within) => {
      await count(within);
      await insertAccount(own);
      await caches.untilCaughtUp();
      expect((await cache[way](within, LARGEST, [], () => count(within))).value).toEqual({ balance: '0' });
      await cache.set(own, LARGEST, ['now'], () => count(own));
      expect(await cache.get(within, LARGEST, ['now'])).toBeUndefined();
    });
    expect(await cache.get(own, LARGEST, [])).toBeUndefined();
    expect((await cache.getOrSet(own, LARGEST, [], () => count(own))).value).toEqual({ balance: '1' });
  },
);

test('who asks together computes once, and what fails is not kept', async () => {
  const failing = cache.getOrSet(own, LARGEST, [], () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  let computed = 0;
  const compute = async () => ({ balance: String(++computed) });
  const all = await Promise.all([1, 2, 3].map(() => cache.getOrSet(own, LARGEST, [], compute)));
  expect(all.map(({ value }) => value.balance)).toEqual(['1', '1', '1']);
});

test('a watcher is told of each operation: which, of what kind, whether it hit, and how long it took', async () => {
  const durationMs = expect.any(Number);
  await cache.get(own, LARGEST, []);
  await cache.getOrSet(own, LARGEST, [], balance('1'));
  await cache.getOrSet(own, LARGEST, [], balance('1'));
  await cache.get(own, LARGEST, []);
  await cache.set(own, LARGEST, [], balance('2'));
  await cache.invalidate(own, 'accounts', 'dashboard');
  const of = (operation: CacheOperation['operation'], hit: boolean | null) => ({
    ...{ operation, kind: 'accounts:largest', hit, durationMs },
  });
  expect(operations).toEqual([
    of('get', false),
    of('getOrSet', false),
    of('getOrSet', true),
    of('get', true),
    of('set', null),
    { operation: 'invalidate', kind: 'accounts dashboard', hit: null, durationMs },
  ]);
});
