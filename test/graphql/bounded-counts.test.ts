import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountConditions } from '../../src/accounts/account.filter.ts';
import type { AccountFilter } from '../../src/accounts/account.input.ts';
import { AccountRepository } from '../../src/accounts/account.repository.ts';
import { AuditRepository } from '../../src/audit/audit.repository.ts';
import { Role } from '../../src/auth/caller.ts';
import { Prisma } from '../../src/generated/prisma/client.ts';
import type { Count } from '../../src/paging/bounded-count.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { transactionConditions } from '../../src/transactions/transaction.filter.ts';
import type { TransactionFilter } from '../../src/transactions/transaction.input.ts';
import { TransactionRepository } from '../../src/transactions/transaction.repository.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { startService, type TestService } from '../support/service.ts';
import { insertTwins, TWINS, type Twin, twinAccountId } from '../support/twin-tenants.ts';

const [{ id: TENANT, slug: SLUG }] = TWINS as [Twin];
const SCOPE = TenantScope.ofVerifiedCaller(TENANT);
/** Long enough for a small table on a busy machine. */
const TIMEOUT_MS = 500;
/** By the clocks of the tenant, which are set forward within. */
const WHOLE_DAYS = { bookedFrom: '2025-03-28T00:00:00+01:00', bookedTo: '2025-04-01T23:59:59.999+02:00' };

let server: TestDatabase;
let database: TenantDatabase;
beforeAll(async () => {
  server = await createTestDatabase();
  await insertTwins(server.url);
  await withClient(server.url, (client) =>
    client.query(
      `INSERT INTO audit_log (tenant_id, at, id, subject, action, outcome, codes, times)
       SELECT $1, now(), gen_random_uuid(), 'who ' || n % 2, 'transfer', 'DONE', '{}', 1 FROM generate_series(1, 9) AS n`,
      [TENANT],
    ),
  );
  const options = { url: server.url, poolSize: 2, statementTimeoutMs: 10_000, takeServiceRole: true };
  database = new TenantDatabase(options);
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

async function plainCount(table: Prisma.Sql, conditions: readonly Prisma.Sql[]): Promise<number> {
  const where = Prisma.join([Prisma.sql`tenant_id = ${TENANT}::uuid`, ...conditions], ' AND ');
  const query = Prisma.sql`SELECT count(*)::integer AS count FROM ${table} WHERE ${where}`;
  const [row] = await database.select<{ count: number }>(SCOPE, { model: 'Test', action: 'plain', query });
  return row?.count ?? -1;
}

/** With limits beneath, at and above what there is. */
async function expectBounded(there: number, count: (rows: number) => Promise<Count>): Promise<void> {
  expect(there).toBeGreaterThan(1);
  for (const rows of [1, there - 1, there, there + 1])
    expect(await count(rows)).toEqual({ count: Math.min(there, rows), isExact: there <= rows });
}

const ACCOUNT_FILTERS: AccountFilter[] = [
  { minBalance: '0' },
  { maxBalance: '100', currency: 'CZK' },
  { createdFrom: '2020-01-01T00:00:00Z', status: 'ACTIVE' },
];
const TRANSACTION_FILTERS: TransactionFilter[] = [
  { minAmount: '1' },
  { direction: 'CREDIT' },
  { accountId: twinAccountId(0) },
  { category: 'rent', direction: 'DEBIT', bookedFrom: '2024-01-01T00:00:00Z' },
  { bookedFrom: '2025-03-28T06:00:00Z', bookedTo: '2025-03-29T20:00:00Z' },
];

describe('a count that no kept totals answer ends at the limit, and says so', () => {
  test.each(ACCOUNT_FILTERS)('accounts by %j', async (filter) => {
    const there = await plainCount(Prisma.sql`bank_accounts`, accountConditions(filter));
    await expectBounded(there, (rows) => new AccountRepository(database, limits(rows)).count(SCOPE, filter));
  });

  test.each(TRANSACTION_FILTERS)('transactions by %j', async (filter) => {
    const there = await plainCount(Prisma.sql`transactions`, transactionConditions(filter));
    await expectBounded(there, (rows) => new TransactionRepository(database, limits(rows)).count(SCOPE, filter));
  });

  test.each([{}, { direction: 'CREDIT' } as const])('transactions of each account by %j', async (filter) => {
    const conditions = transactionConditions(filter);
    const ids = [0, 1, 2, 3].map(twinAccountId);
    const there = await Promise.all(
      ids.map((id) => plainCount(Prisma.sql`transactions`, [Prisma.sql`account_id = ${id}::uuid`, ...conditions])),
    );
    for (const rows of there) {
      const repository = new TransactionRepository(database, limits(Math.max(rows, 1)));
      const counts = await repository.countOfEach(SCOPE, ids, conditions);
      const expected = there.map((all) => ({
        count: Math.min(all, Math.max(rows, 1)),
        isExact: all <= Math.max(rows, 1),
      }));
      expect(ids.map((id) => counts.get(id))).toEqual(expected);
    }
  });

  test('audit lines', async () => {
    const filter = { since: null, who: null, what: null };
    await expectBounded(9, (rows) => new AuditRepository(database, limits(rows)).count(SCOPE, filter));
  });

  test('kept totals tell all of it', async () => {
    const kept = { accountType: 'CHECKING' } as const;
    const accounts = await plainCount(Prisma.sql`bank_accounts`, accountConditions(kept));
    expect(await new AccountRepository(database, limits(1)).count(SCOPE, kept)).toEqual({
      count: accounts,
      isExact: true,
    });
    for (const filter of [{}, { category: 'rent' }, WHOLE_DAYS]) {
      const count = await plainCount(Prisma.sql`transactions`, transactionConditions(filter));
      expect(await new TransactionRepository(database, limits(1)).count(SCOPE, filter)).toEqual({
        count,
        isExact: true,
      });
    }
  });
});

function limits(rows: number) {
  return { rows, timeoutMs: 10_000 };
}

describe('over the API', () => {
  const env = { LIMIT_COUNT_ROWS: '5', LIMIT_SEARCH_TIMEOUT_MS: String(TIMEOUT_MS) };
  let service: TestService;
  let token: string;
  beforeAll(async () => {
    service = await startService({ database: server, env });
    token = await service.token(Role.ADMIN, SLUG);
  });
  afterAll(() => service.close());

  const COUNT = 'totalCount totalCountIsExact';
  test.each([
    [`accounts(filter: { minBalance: "0" }) { ${COUNT} }`, { totalCount: 5, totalCountIsExact: false }],
    [`accounts { ${COUNT} }`, { totalCount: 36, totalCountIsExact: true }],
    [`transactions(filter: { minAmount: "0" }) { ${COUNT} }`, { totalCount: 5, totalCountIsExact: false }],
    [`transactions(filter: { minAmount: "99999999" }) { ${COUNT} }`, { totalCount: 0, totalCountIsExact: true }],
    [
      'accountList(pageSize: 2, filter: { maxBalance: "1000" }) { count countIsExact totalPages }',
      { count: 5, countIsExact: false, totalPages: 3 },
    ],
    [`auditLog { ${COUNT} }`, { totalCount: 5, totalCountIsExact: false }],
  ])('%s is one statement for the number and whether it is exact', async (field, answer) => {
    service.statements.splice(0);
    const { data, errors } = await service.send(token, `{ field: ${field} }`);
    expect(errors).toBeUndefined();
    expect(data.field).toEqual(answer);
    const counts = service.statements.filter(({ action }) => /count/i.test(action));
    expect(counts).toHaveLength(1);
  });

  test.each(['totalCount', 'totalCountIsExact'])('%s alone is counted, without either nothing is', async (name) => {
    const nested = (fields: string) =>
      `{ account(id: "${twinAccountId(0)}") { transactions(first: 1) { ${fields} } } }`;
    const { data } = await service.send(token, nested(`nodes { id } ${name}`));
    expect(data.account.transactions).toMatchObject(
      name === 'totalCount' ? { totalCount: 5 } : { totalCountIsExact: false },
    );
    service.statements.splice(0);
    await service.send(token, nested('nodes { id amount }'));
    expect(service.statements.map(({ action }) => action)).not.toContain('countOfEach');
  });

  test.each([
    [
      'accounts',
      'bank_accounts',
      `accounts(filter: { createdFrom: "2020-01-01T00:00:00Z" }) { ${COUNT} }`,
      'totalCount',
      { totalCount: 5 },
    ],
    [
      'transactions',
      'transactions',
      `transactions(filter: { accountId: "${twinAccountId(0)}" }) { ${COUNT} }`,
      'totalCount',
      { totalCount: 5 },
    ],
    [
      'transactions of a long time, by kept totals and the rows of its ends',
      'transactions',
      `transactions(filter: { bookedFrom: "2014-12-31T00:00:00Z", category: "rent" }) { ${COUNT} }`,
      'totalCount',
      { totalCountIsExact: true },
    ],
    [
      'accountList',
      'bank_accounts',
      'accountList(filter: { createdTo: "2034-01-01T00:00:00Z" }) { count totalPages }',
      'count',
      { count: 5 },
    ],
  ])(
    '%s: a count that takes too long is stopped, alone and named, and not kept',
    async (_name, table, field, named, answer) => {
      await withClient(server.url, async (holder) => {
        await holder.query('BEGIN');
        await holder.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
        const { status, data, errors } = await service.send(token, `{ field: ${field} }`);
        expect([status, data]).toEqual([200, null]);
        expect(errors).toMatchObject([
          {
            path: ['field'],
            message: `Counting for ${named} took longer than ${TIMEOUT_MS} ms and was stopped; narrow the filter, or leave ${named} out.`,
            extensions: { code: 'TIMEOUT', field: named, limitMs: TIMEOUT_MS },
          },
        ]);
        await holder.query('ROLLBACK');
      });
      for (const outcome of [/fwd=miss/, /hit/]) {
        const { data, headers } = await service.send(token, `{ field: ${field} }`);
        expect(data.field).toMatchObject(answer);
        expect(headers.get('cache-status')).toMatch(outcome);
      }
    },
  );
});

describe('a page that has to be searched', () => {
  let service: TestService;
  let token: string;
  beforeAll(async () => {
    service = await startService({ database: server, env: { LIMIT_SEARCH_TIMEOUT_MS: String(TIMEOUT_MS) } });
    token = await service.token(Role.ADMIN, SLUG);
    await service.untilCaughtUp();
  });
  afterAll(() => service.close());

  const NODES = '{ nodes { id } }';
  const ofAccount = (filter: string) =>
    `account(id: "${twinAccountId(0)}") { transactions(filter: { ${filter} }) ${NODES} }`;
  const BY_BOOKED = 'narrow the filter, for example by bookedFrom and bookedTo';
  const BY_ORDER =
    'narrow the filter by accountNumber or by what orderBy sorts by, or turn pages by the cursors of accounts';
  test.each([
    ['transactions', 'transactions', `transactions(filter: { direction: DEBIT }) ${NODES}`, BY_BOOKED],
    ['transactions', 'transactions', ofAccount('minAmount: "1"'), BY_BOOKED],
    ['accounts', 'bank_accounts', `accounts(filter: { currency: "EUR" }) ${NODES}`, BY_ORDER],
    [
      'accounts',
      'bank_accounts',
      'accounts(filter: { currency: "EUR" }) { nodes { id recentTransactions { id } } }',
      BY_ORDER,
    ],
    ['accountList', 'bank_accounts', 'accountList(filter: { minBalance: "1" }) { results { id } }', BY_ORDER],
    ['accountList', 'bank_accounts', 'accountList(page: 2) { results { id } }', BY_ORDER],
    ['auditLog', 'audit_log', `auditLog(who: "who 1") ${NODES}`, 'give since, or a later one'],
  ])('of %s in %s is stopped when it takes too long, and not kept: %s', async (list, table, field, remedy) => {
    const query = `{ field: ${field} }`;
    await withClient(server.url, async (holder) => {
      await holder.query('BEGIN');
      // The account of a nested page is read by another table.
      await holder.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
      const { status, errors } = await service.send(token, query);
      expect(status).toBe(200);
      expect(errors).toMatchObject([
        {
          message: `Searching for a page of ${list} took longer than ${TIMEOUT_MS} ms and was stopped; ${remedy}.`,
          extensions: { code: 'TIMEOUT', field: list, limitMs: TIMEOUT_MS },
        },
      ]);
      expect(errors?.[0]?.path?.[0]).toBe('field');
      await holder.query('ROLLBACK');
    });
    expect((await service.send(token, query)).errors).toBeUndefined();
  });

  test.each([
    ['transactions', `transactions(filter: { category: "rent" }) ${NODES}`],
    ['transactions', ofAccount('bookedFrom: "2024-01-01T00:00:00Z"')],
    ['bank_accounts', `accounts(filter: { status: ACTIVE }) ${NODES}`],
    ['bank_accounts', 'accountList { results { id } }'],
    ['audit_log', `auditLog(since: "2024-01-01T00:00:00Z") ${NODES}`],
  ])('is not one that an index of %s has in order: %s', async (table, field) => {
    const sent = await withClient(server.url, async (holder) => {
      await holder.query('BEGIN');
      await holder.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
      const answer = service.send(token, `{ field: ${field} }`);
      // Begun later: once it is stopped, so would have been the page.
      const limited = {
        model: 'Test',
        action: 'limited',
        query: Prisma.sql`SELECT count(*) FROM ${Prisma.raw(table)}`,
      };
      await expect(database.select(SCOPE, { ...limited, timeoutMs: 3 * TIMEOUT_MS })).rejects.toThrow('took longer');
      await holder.query('ROLLBACK');
      return answer;
    });
    expect(sent.errors).toBeUndefined();
  });
});

describe('a time limit of a statement’s own', () => {
  const shown = {
    model: 'Test',
    action: 'shown',
    query: Prisma.sql`SELECT current_setting('statement_timeout') AS timeout`,
  };
  const waiting = { model: 'Test', action: 'waits', query: Prisma.sql`SELECT pg_advisory_xact_lock(7)` };
  const timeoutOf = async (scope: TenantScope, timeoutMs?: number) => {
    const [row] = await database.select<{ timeout: string }>(scope, { ...shown, ...(timeoutMs && { timeoutMs }) });
    return row?.timeout;
  };
  const stopped = (scope: TenantScope) =>
    expect(database.select(scope, { ...waiting, timeoutMs: 50 })).rejects.toMatchObject({
      name: 'StatementStopped',
      limitMs: 50,
    });
  const whileHeld = (work: () => Promise<void>) =>
    withClient(server.url, async (holder) => {
      await holder.query('SELECT pg_advisory_lock(7)');
      await work();
      await holder.query('SELECT pg_advisory_unlock(7)');
    });

  test('holds for it alone, and is never longer than that of all', async () => {
    expect(await timeoutOf(SCOPE, 1_234)).toBe('1234ms');
    expect(await timeoutOf(SCOPE)).toBe('10s');
    expect(await timeoutOf(SCOPE, 60_000)).toBe('10s');
    await whileHeld(() => stopped(SCOPE));
    expect(await timeoutOf(SCOPE)).toBe('10s');
  });

  test('goes with a plan that is kept', async () => {
    const query = Prisma.sql`SELECT current_setting('statement_timeout') AS timeout, current_setting('plan_cache_mode') AS mode`;
    const both = { ...shown, query, planOnce: true, timeoutMs: 1_234 };
    expect(await database.select(SCOPE, both)).toEqual([{ timeout: '1234ms', mode: 'force_generic_plan' }]);
  });

  test('ends nothing else of a snapshot', async () => {
    await whileHeld(() =>
      database.snapshot(SCOPE, async (within) => {
        const snapshot = { ...shown, query: Prisma.sql`SELECT pg_current_snapshot()::text AS snapshot` };
        const before = await database.select(within, snapshot);
        await stopped(within);
        expect(await timeoutOf(within, 1_234)).toBe('1234ms');
        expect(await timeoutOf(within)).toBe('10s');
        await withClient(server.url, (client) => client.query('SELECT pg_current_xact_id()'));
        expect(await database.select(within, snapshot)).toEqual(before);
      }),
    );
  });

  test('holds as the first of a snapshot too', async () => {
    await whileHeld(() =>
      database.snapshot(SCOPE, async (within) => {
        await stopped(within);
        const count = { ...shown, query: Prisma.sql`SELECT count(*)::integer AS count FROM bank_accounts` };
        expect(await database.select(within, { ...count, timeoutMs: 5_000 })).toEqual([{ count: 36 }]);
        expect(await database.select(within, count)).toEqual([{ count: 36 }]);
      }),
    );
  });
});
