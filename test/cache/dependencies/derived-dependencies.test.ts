import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type CacheDependency,
  changedWith,
  dependenciesIn,
  derivedDependencies,
  FOLLOWED_TABLES,
  type FollowedTable,
  NAMESPACES,
  TOLD_TABLES,
} from '../../../src/cache/dependencies/dependencies.ts';
import { AnswerPolicy } from '../../../src/cache/response/answer-policy.ts';
import { TABLE_OF_MODEL } from '../../../src/database/tables.ts';
import { tablesIn } from '../../../src/database/tables-read.ts';
import { fixtureId } from '../../support/fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { type Asked, connectPast, fillTwo, NORTH, startAsked } from '../change-feed/fixture.ts';

const TABLES = Object.keys(FOLLOWED_TABLES) as readonly FollowedTable[];
const HIT = 'tenantry; hit';
const ACCOUNT = fixtureId('north', '0001');

let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  await fillTwo(database.url);
  client = await connectPast(database);
});
afterAll(async () => {
  await client?.end();
  await database?.drop();
});

describe('the triggers tell of every change of a table what the table of dependencies says', () => {
  beforeEach(() => client.query('BEGIN'));
  afterEach(() => client.query('ROLLBACK'));

  /** All rows of the tenant in each table, as one text. */
  async function contents(): Promise<Map<FollowedTable, string>> {
    const found = new Map<FollowedTable, string>();
    for (const table of TABLES) {
      const { rows } = await client.query(
        `SELECT coalesce(string_agg(row::text, ',' ORDER BY row::text), '') AS text FROM ${table} row WHERE ${table === 'tenants' ? 'id' : 'tenant_id'} = $1`,
        [NORTH],
      );
      found.set(table, rows[0].text);
    }
    return found;
  }

  async function told(): Promise<CacheDependency[]> {
    const { rows } = await client.query(
      'SELECT bit_or(dependencies)::integer AS mask FROM cache_outbox WHERE xid = pg_current_xact_id()::text::bigint AND tenant_id = $1',
      [NORTH],
    );
    return dependenciesIn(rows[0].mask ?? 0);
  }

  const seen = new Set<FollowedTable>();
  test.each([
    `INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, currency) VALUES ('${NORTH}', 'B', '9', 'LOAN', 'EUR')`,
    `UPDATE bank_accounts SET status = 'FROZEN' WHERE id = '${ACCOUNT}'`,
    `DELETE FROM bank_accounts WHERE id = '${ACCOUNT}'`,
    `INSERT INTO transactions (tenant_id, account_id, direction, amount, currency) VALUES ('${NORTH}', '${ACCOUNT}', 'DEBIT', 1, 'EUR')`,
    `UPDATE transactions SET category = 'x' WHERE tenant_id = '${NORTH}'`,
    `DELETE FROM transactions WHERE tenant_id = '${NORTH}'`,
    `UPDATE tenants SET time_zone = 'Pacific/Kiritimati' WHERE id = '${NORTH}'`,
    `UPDATE tenants SET name = 'N' WHERE id = '${NORTH}'`,
    `INSERT INTO folded_totals VALUES ('${NORTH}', '2020-01-01', 'EUR', '', 1, 2, 3)`,
    `UPDATE daily_totals SET transaction_count = 99; UPDATE account_totals SET account_count = 99; SELECT statistics_rebuild('${NORTH}')`,
  ])('%s', async (sql) => {
    const before = await contents();
    await client.query(sql);
    const after = await contents();
    const changed = TABLES.filter((table) => before.get(table) !== after.get(table));
    const dependencies = await told();
    for (const table of changed) {
      seen.add(table);
      expect(dependencies, table).toEqual(expect.arrayContaining([...FOLLOWED_TABLES[table].changes]));
    }
    expect(dependencies).not.toEqual([]);
  });

  test('each table was changed by one of these, but those of registered models', () => {
    const ofRegistered = TOLD_TABLES.flatMap(({ table, parent }) => (parent ? [table] : []));
    expect([...seen, ...ofRegistered].sort()).toEqual([...TABLES].sort());
  });
});

describe('what an answer depends on', () => {
  test('is what changes with the tables that were read, unless it depends on something that does', () => {
    const derived = (tables: readonly string[], ...stated: CacheDependency[]) => {
      const found = derivedDependencies(tables, new Set(stated));
      return found && [...found].sort();
    };
    expect(derived([])).toEqual([]);
    expect(derived(['bank_accounts'])).toEqual(['accounts']);
    expect(derived(['bank_accounts'], 'transactions')).toEqual(['accounts', 'transactions']);
    expect(derived(['bank_accounts', 'transactions', 'account_totals', 'daily_totals'], 'dashboard')).toEqual([
      'dashboard',
    ]);
    expect(derived(['daily_totals', 'tenants'], 'transactions')).toEqual(['statistics', 'transactions']);
    expect(derived(['bank_accounts', 'idempotency_keys'], 'accounts')).toBeUndefined();
  });

  test('is bumped by every change of a table that was read', () => {
    for (const table of TABLES)
      for (const stated of [[], ...NAMESPACES.map((name) => [name])]) {
        const found = derivedDependencies([table], new Set(stated)) ?? new Set();
        expect(changedWith(table).some((name) => found.has(name))).toBe(true);
      }
  });

  test('of a table whose changes nobody is told of is nothing: the answer is not kept', () => {
    const policy = new AnswerPolicy();
    policy.isOfKind('accounts');
    expect(policy.dependsOnTables(['bank_accounts'])).toBe(true);
    expect(policy.dependsOnTables(['bank_accounts', 'audit_log'])).toBe(false);
  });
});

test('a statement’s tables are those that it names, in quotes or not, and no text or other name', () => {
  const sql = `SELECT 'tenants' FROM bank_accounts JOIN daily_totals USING (tenant_id), my_tenants, transactions_of`;
  expect(tablesIn(sql)).toEqual(['bank_accounts', 'daily_totals']);
  expect(tablesIn('SELECT "t0"."id" FROM "public"."bank_accounts" AS "t0" WHERE 1=1')).toEqual(['bank_accounts']);
  expect(tablesIn('SELECT 1')).toEqual([]);
  for (const table of Object.values(TABLE_OF_MODEL)) expect(tablesIn(`SELECT * FROM public.${table}`)).toEqual([table]);
});

describe('no answer is served after a change of a table that was read for it', () => {
  let service: Asked;
  let uncached: Asked;
  beforeAll(async () => {
    service = await startAsked(database);
    uncached = await startAsked(database, { CACHE: 'off' });
    await service.untilCaughtUp();
  });
  afterAll(async () => {
    await service?.close();
    await uncached?.close();
  });

  /** Some of what no answer shows, so that only the cache can tell of it. */
  const CHANGES: Readonly<Record<string, string>> = {
    tenants: `UPDATE tenants SET name = name || '.' WHERE id = '${NORTH}'`,
    bank_accounts: `UPDATE bank_accounts SET updated_at = now() WHERE id = '${ACCOUNT}'`,
    transactions: `UPDATE transactions SET description = coalesce(description, '') || '.' WHERE tenant_id = '${NORTH}'`,
    folded_totals: `INSERT INTO folded_totals AS kept VALUES ('${NORTH}', '1990-01-01', 'EUR', '', 0, 0, 0)
      ON CONFLICT (tenant_id, day, currency, category) DO UPDATE SET inflow = kept.inflow`,
    account_totals: `SELECT statistics_rebuild('${NORTH}')`,
    daily_totals: `SELECT statistics_rebuild('${NORTH}')`,
  };
  /** What is wrong until it is made anew, and what no trigger tells of. */
  const DRIFT = `UPDATE account_totals SET account_count = account_count + 1 WHERE tenant_id = '${NORTH}';
    UPDATE daily_totals SET transaction_count = transaction_count + 1, inflow = inflow + 1 WHERE tenant_id = '${NORTH}'`;

  test.each([
    '{ tenant { name } }',
    '{ viewer { tenant { slug } } }',
    `{ account(id: "${ACCOUNT}") { id } }`,
    `{ account(id: "${ACCOUNT}") { id tenant { id } transactions { totalCount } recentTransactions { id } } }`,
    '{ accountByNumber(accountNumber: "0001") { recentTransactions { id account { id } } } }',
    '{ accounts { totalCount } }',
    '{ accounts { nodes { id } } }',
    '{ accounts { nodes { id tenant { name } recentTransactions { id } } } }',
    '{ accountList { results { id } count } }',
    '{ transactions { totalCount } }',
    '{ transactions { nodes { id } } }',
    '{ transactions { nodes { account { bankName } } } }',
    '{ dashboard { overview { totalAccounts } } }',
    '{ dashboard(date: "2025-01-02") { activity { totals { net } } } }',
    '{ dashboard { topAccounts { id tenant { name } } recentTransactions { account { id } } } }',
    '{ statistics(period: DAILY, from: "2025-01-01", to: "2025-01-02") { totals { net } } }',
    '{ tenant { name } accounts { totalCount } }',
  ])('%s', async (query) => {
    for (const [table, change] of Object.entries(CHANGES)) {
      await client.query(DRIFT);
      await service.ask('mutation { invalidateCache(input: {}) { namespaces } }');
      service.statements.splice(0);
      await service.ask(query);
      const read = service.statements.flatMap(({ sql }) => tablesIn(sql));
      expect(read).not.toEqual([]);
      expect((await service.ask(query)).status).toBe(HIT);
      await client.query(change);
      await service.untilCaughtUp();
      const { data, status } = await service.ask(query);
      if (read.includes(table)) expect(status, table).not.toBe(HIT);
      expect(data, table).toEqual((await uncached.ask(query)).data);
    }
  });
});
