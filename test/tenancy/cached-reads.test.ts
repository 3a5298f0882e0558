import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Prisma } from '../../src/generated/prisma/client.ts';
import type { ReadCacheOptions } from '../../src/tenancy/cached-reads.ts';
import type { ScopedPrisma } from '../../src/tenancy/tenant-prisma.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { startCaches, type TestCaches } from '../cache/data/caches.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { insertTwins, TWINS, twinAccountId } from '../support/twin-tenants.ts';

const [OWN, THEIRS] = TWINS.map(({ id }) => TenantScope.ofVerifiedCaller(id)) as [TenantScope, TenantScope];
const ACCOUNTS = { namespace: 'accounts', ttlSeconds: 60 } as const;
const TRANSACTIONS = { namespace: 'transactions', ttlSeconds: 60 } as const;
const STATISTICS = { namespace: 'statistics', ttlSeconds: 60 } as const;

let server: TestDatabase;
beforeAll(async () => {
  server = await createTestDatabase();
  await insertTwins(server.url);
});
afterAll(() => server.drop());

describe('reads with the option `cache`, in memory', () => promises(async () => ({ stop: async () => {} })));

describeWithRedis('reads with the option `cache`, over Redis alone', () => {
  promises(async () => {
    const redis: TestRedis = await startRedis();
    return { redisUrl: redis.url, env: { CACHE_MEMORY_BYTES: '0' }, stop: () => redis.stop() };
  });
});

type Prepared = { redisUrl?: string; env?: Record<string, string>; stop(): Promise<void> };

function promises(prepare: () => Promise<Prepared>): void {
  let caches: TestCaches;
  let prepared: Prepared;
  beforeAll(async () => {
    prepared = await prepare();
    caches = await startCaches({ databaseUrl: server.url, ...prepared });
    await caches.untilCaughtUp();
  });
  afterAll(async () => {
    await caches.close();
    await prepared.stop();
  });

  /** Runs work, and counts the statements that it cost. */
  async function cost<Result>(scope: TenantScope, work: (prisma: ScopedPrisma) => Promise<Result>) {
    caches.statements.splice(0);
    const result = await caches.database.prisma(scope, work);
    return { result, statements: caches.statements.splice(0).length };
  }

  const where = { accountType: 'CHECKING', balance: { gte: new Prisma.Decimal('-12.5') } } as const;
  const of = { tenantId: OWN.tenantId, id: twinAccountId(3) };
  test.each<[string, (prisma: ScopedPrisma, cache?: ReadCacheOptions) => Promise<unknown>, ReadCacheOptions]>([
    [
      'findMany with all that hangs on it',
      (prisma, cache) => prisma.bankAccount.findMany({ where, include: { transactions: true, tenant: true }, cache }),
      ACCOUNTS,
    ],
    [
      'findMany of some columns',
      (prisma, cache) => prisma.bankAccount.findMany({ select: { balance: true }, cache }),
      ACCOUNTS,
    ],
    [
      'findFirst',
      (prisma, cache) => prisma.transaction.findFirst({ orderBy: { bookedAt: 'desc' }, cache }),
      TRANSACTIONS,
    ],
    [
      'findFirst that finds nothing',
      (prisma, cache) => prisma.bankAccount.findFirst({ where: { bankName: 'none' }, cache }),
      ACCOUNTS,
    ],
    [
      'findFirstOrThrow',
      (prisma, cache) => prisma.tenant.findFirstOrThrow({ cache }),
      { namespace: 'tenant', ttlSeconds: 1 },
    ],
    ['findUnique', (prisma, cache) => prisma.bankAccount.findUnique({ where: { tenantId_id: of }, cache }), ACCOUNTS],
    [
      'findUniqueOrThrow',
      (prisma, cache) => prisma.bankAccount.findUniqueOrThrow({ where: { tenantId_id: of }, cache }),
      ACCOUNTS,
    ],
    ['count', (prisma, cache) => prisma.bankAccount.count({ where, cache }), ACCOUNTS],
    [
      'count by columns',
      (prisma, cache) => prisma.transaction.count({ select: { _all: true, category: true }, cache }),
      TRANSACTIONS,
    ],
    [
      'aggregate',
      (prisma, cache) =>
        prisma.transaction.aggregate({
          _sum: { amount: true },
          _max: { bookedAt: true },
          _avg: { amount: true },
          cache,
        }),
      TRANSACTIONS,
    ],
    [
      'groupBy',
      (prisma, cache) =>
        prisma.dailyTotal.groupBy({
          by: ['currency', 'day'],
          _sum: { inflow: true, transactionCount: true },
          orderBy: { day: 'asc' },
          cache,
        }),
      STATISTICS,
    ],
    ['big integers', (prisma, cache) => prisma.dailyTotal.findMany({ take: 20, cache }), STATISTICS],
  ])('%s are read once, and come back the same', async (_, read, cache) => {
    const { result: plain, statements } = await cost(OWN, (prisma) => read(prisma));
    expect(statements).toBeGreaterThan(0);
    const { result: miss } = await cost(OWN, (prisma) => read(prisma, cache));
    const hit = await untilHit(() => cost(OWN, (prisma) => read(prisma, cache)));
    expect(miss).toStrictEqual(plain);
    expect(hit).toStrictEqual(plain);
    const [theirs, theirPlain] = await Promise.allSettled([
      caches.database.prisma(THEIRS, (prisma) => read(prisma, cache)),
      caches.database.prisma(THEIRS, (prisma) => read(prisma)),
    ]);
    expect(theirs.status === 'fulfilled' ? theirs : theirs.status).toStrictEqual(
      theirPlain.status === 'fulfilled' ? theirPlain : theirPlain.status,
    );
  });

  test('are old after a change of what they read, also through a relation, and by their namespace', async () => {
    const read = (prisma: ScopedPrisma) =>
      prisma.transaction.findMany({
        take: 3,
        select: { account: { select: { bankName: true } } },
        cache: TRANSACTIONS,
      });
    for (const changed of ['transactions', 'accounts'] as const) {
      await untilHit(() => cost(OWN, read));
      await caches.cache.invalidate(OWN, [changed]);
      expect((await cost(OWN, read)).statements, changed).toBeGreaterThan(0);
    }
    await untilHit(() => cost(OWN, read));
    await caches.cache.invalidate(OWN, ['dashboard', 'statistics']);
    expect((await cost(OWN, read)).statements).toBe(0);
  });

  test('show a change of rows made past the API', async () => {
    const read = (prisma: ScopedPrisma) =>
      prisma.bankAccount.count({ where: { bankName: 'renamed' }, cache: ACCOUNTS });
    await cost(THEIRS, read);
    await withClient(server.url, (client) =>
      client.query("UPDATE bank_accounts SET bank_name = 'renamed' WHERE tenant_id = $1 AND id = $2", [
        THEIRS.tenantId,
        twinAccountId(1),
      ]),
    );
    await caches.untilCaughtUp();
    expect((await cost(THEIRS, read)).result).toBe(1);
  });

  test('pass the cache by in transactions, which see what they wrote', async () => {
    const count = { where: { status: 'FROZEN' }, cache: { ...ACCOUNTS, key: 'frozen' } } as const;
    const { result: before } = await cost(OWN, (prisma) => prisma.bankAccount.count(count));
    const within = (countBy: 'the transaction' | 'the client around it') =>
      caches.database.prisma(OWN, (prisma) =>
        prisma.$transaction(async (transaction) => {
          await transaction.bankAccount.updateMany({ data: { status: 'FROZEN' } });
          const client = countBy === 'the transaction' ? transaction : prisma;
          throw new Error(`frozen: ${await client.bankAccount.count(count)}`);
        }),
      );
    await expect(within('the transaction')).rejects.toThrow('frozen: 36');
    await expect(within('the client around it')).rejects.toThrow(`frozen: ${before}`);
    expect((await cost(OWN, (prisma) => prisma.bankAccount.count(count))).result).toBe(before);
    expect(before).toBeLessThan(36);
  });

  test('are one load for any number at once', async () => {
    const read = (prisma: ScopedPrisma) => prisma.bankAccount.findMany({ take: 7, cache: ACCOUNTS });
    const { result, statements } = await cost(OWN, (prisma) =>
      Promise.all(Array.from({ length: 20 }, () => read(prisma))),
    );
    expect(statements).toBe(1);
    expect(new Set(result.map((rows) => JSON.stringify(rows))).size).toBe(1);
  });

  test('with a key are the same whatever their arguments, for a model and operation', async () => {
    const cache = { ...ACCOUNTS, key: 'mine: Å😀' };
    const read = (take: number) => (prisma: ScopedPrisma) =>
      prisma.bankAccount.findMany({ take, select: { id: true }, cache });
    await untilHit(() => cost(OWN, read(1)));
    expect(await cost(OWN, read(2))).toMatchObject({ statements: 0, result: { length: 1 } });
    expect(await cost(OWN, (prisma) => prisma.bankAccount.count({ cache }))).toMatchObject({ result: 36 });
  });

  test('without one are told apart by every argument, and not by its spelling', async () => {
    const wheres: Prisma.BankAccountWhereInput[] = [
      { balance: 100 },
      { balance: '100' },
      { balance: { gt: 100 } },
      { createdAt: new Date(0) },
      { createdAt: new Date(1) },
      { bankName: 'date' },
      { AND: [{ currency: 'CZK' }, { version: 1 }] },
      { AND: [{ version: 1 }, { currency: 'CZK' }] },
    ];
    const read = (where: Prisma.BankAccountWhereInput) => (prisma: ScopedPrisma) =>
      prisma.bankAccount.count({ where, cache: { ...ACCOUNTS, ttlSeconds: 59.5 } });
    for (const where of wheres) expect((await cost(OWN, read(where))).statements).toBe(1);
    const respelled = { currency: 'CZK', version: 1, bankName: undefined };
    await cost(OWN, read({ version: 1, currency: 'CZK' }));
    await untilHit(() => cost(OWN, read(respelled)));
  });

  test.each<[string, string, (prisma: ScopedPrisma) => Promise<unknown>]>([
    [
      'on a write',
      'only reads take it, which are findMany,',
      (prisma) => (prisma.bankAccount.updateMany as Unchecked)({ data: {}, cache: ACCOUNTS }),
    ],
    [
      'on a deletion',
      'cache of BankAccount.deleteMany',
      (prisma) => (prisma.bankAccount.deleteMany as Unchecked)({ cache: ACCOUNTS }),
    ],
    [
      'with an unknown namespace',
      'one of accounts, transactions, dashboard, statistics, tenant, but got: rows',
      withOption({ namespace: 'rows' }),
    ],
    ['without a namespace', 'but got: undefined', withOption({ namespace: undefined })],
    ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, 604_801, '60', undefined].map(
      (ttlSeconds): [string, string, (prisma: ScopedPrisma) => Promise<unknown>] => [
        `with ttlSeconds ${ttlSeconds}`,
        'ttlSeconds in cache of BankAccount.count must be a number of seconds above 0',
        withOption({ ttlSeconds }),
      ],
    ),
    ['with an empty key', 'key in cache of BankAccount.count must be text', withOption({ key: '' })],
    ['with half a character in the key', 'key in cache', withOption({ key: '\ud800' })],
    [
      'of rows whose changes nobody is told',
      'not told of changes of IdempotencyKey',
      (prisma) => prisma.idempotencyKey.findMany({ cache: ACCOUNTS }),
    ],
    [
      'that reaches such rows',
      'not told of changes of IdempotencyKey',
      (prisma) => prisma.tenant.findMany({ select: { _count: true }, cache: ACCOUNTS }),
    ],
  ])('are refused %s', async (_, message, read) => {
    await expect(caches.database.prisma(OWN, read)).rejects.toThrow(message);
    const within = (prisma: ScopedPrisma) =>
      prisma.$transaction((transaction) => read(transaction as unknown as ScopedPrisma));
    await expect(caches.database.prisma(OWN, within)).rejects.toThrow(message);
  });
}

type Unchecked = (args: object) => Promise<unknown>;

function withOption(option: object) {
  return (prisma: ScopedPrisma) => (prisma.bankAccount.count as Unchecked)({ cache: { ...ACCOUNTS, ...option } });
}

/** What is not to compile, and never runs. */
async function mustNotCompile(prisma: ScopedPrisma): Promise<void> {
  // @ts-expect-error a write takes no cache
  await prisma.bankAccount.updateMany({ data: {}, cache: ACCOUNTS });
  // @ts-expect-error there is no such namespace
  await prisma.bankAccount.findMany({ cache: { namespace: 'rows', ttlSeconds: 1 } });
  // @ts-expect-error how long it is kept has to be said
  await prisma.bankAccount.findMany({ cache: { namespace: 'accounts' } });
  // @ts-expect-error the other arguments are checked all the same
  await prisma.bankAccount.findMany({ wheer: {}, cache: ACCOUNTS });
  // @ts-expect-error a column that was not selected is not there
  (await prisma.bankAccount.findMany({ select: { id: true }, cache: ACCOUNTS }))[0]?.balance;
  (await prisma.bankAccount.findMany({ select: { id: true }, cache: ACCOUNTS }))[0]?.id.length;
  (await prisma.bankAccount.findMany({ include: { tenant: true }, cache: ACCOUNTS }))[0]?.tenant.slug.length;
  (await prisma.bankAccount.count({ cache: ACCOUNTS })).toFixed();
}

test('the option is typed', () => {
  expect(mustNotCompile).toBeTypeOf('function');
});

/** The fill of Redis is not waited for. @returns what was found without a statement */
async function untilHit<Result>(read: () => Promise<{ result: Result; statements: number }>): Promise<Result> {
  for (;;) {
    const { result, statements } = await read();
    if (statements === 0) return result;
  }
}
