import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { seedDemo } from '../../src/seed/demo.ts';
import { seedDatabase } from '../../src/seed/seed-database.ts';
import { planTenants } from '../../src/seed/tenant-plan.ts';
import { createOperatorRole } from '../support/operator-role.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';

const SIZES = { tenants: 3, accounts: 120, transactions: 2_000 };
const PERIOD = { until: '2026-03-31', days: 60 };

/** All rows of a table, as text. */
const ROWS = ['tenants', 'bank_accounts', 'transactions', 'daily_totals', 'account_totals'].map(
  (table) => `SELECT coalesce(string_agg(t::text, chr(10) ORDER BY t::text COLLATE "C"), '') AS value FROM ${table} t`,
);

async function seed(url: string, { seed = 1, prefix = 'tenant', append = false, role = '' } = {}): Promise<void> {
  await withClient(url, async (client) => {
    if (role) await client.query(`SET ROLE ${role}`);
    await seedDatabase({ client, tenants: planTenants(SIZES, seed, prefix), period: PERIOD, append });
  });
}

async function rowsOf(url: string): Promise<string[]> {
  return withClient(url, async (client) => {
    const values: string[] = [];
    for (const sql of ROWS) values.push((await client.query<{ value: string }>(sql)).rows[0]?.value ?? '');
    return values;
  });
}

async function count(url: string, sql: string): Promise<number> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ count: number }>(`SELECT count(*)::int AS count FROM (${sql}) counted`);
    return rows[0]?.count ?? Number.NaN;
  });
}

async function freshDatabase(): Promise<string> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  return database.url;
}

describe('generated data', () => {
  let database: TestDatabase;
  const counted = (sql: string) => count(database.url, sql);

  beforeAll(async () => {
    database = await createTestDatabase();
    await seed(database.url);
  });

  afterAll(() => database.drop());

  test('has the sizes that were asked for', async () => {
    expect(await counted('SELECT FROM tenants')).toBe(SIZES.tenants);
    expect(await counted('SELECT FROM bank_accounts')).toBe(SIZES.accounts);
    expect(await counted('SELECT FROM transactions')).toBe(SIZES.transactions);
  });

  test('is the same for the same seed, to the last id', async () => {
    const same = await freshDatabase();
    await seed(same);
    expect(await rowsOf(same)).toEqual(await rowsOf(database.url));
  });

  test('is other for another seed', async () => {
    const other = await freshDatabase();
    await seed(other, { seed: 2 });
    const rows = await rowsOf(database.url);
    expect((await rowsOf(other)).map((text, table) => text === rows[table])).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  test('is the same when a role writes it that row-level security holds', async () => {
    const held = await createTestDatabase();
    const { role, drop } = await createOperatorRole(held);
    onTestFinished(() => held.drop().then(drop));
    await seed(held.url, { role });
    expect(await rowsOf(held.url)).toEqual(await rowsOf(database.url));
  });

  test('has balances that follow from the transactions, and end as the account has it', async () => {
    const transactions = `
      SELECT x.*, a.balance, a.account_type, CASE direction WHEN 'CREDIT' THEN amount ELSE -amount END AS signed,
             lag(balance_after) OVER earlier AS before, lead(x.id) OVER earlier AS next
        FROM transactions x JOIN bank_accounts a ON (a.tenant_id, a.id) = (x.tenant_id, x.account_id)
      WINDOW earlier AS (PARTITION BY x.tenant_id, account_id ORDER BY booked_at, x.id)`;
    expect(await counted(`SELECT FROM (${transactions}) m WHERE before IS NOT NULL`)).toBeGreaterThan(1_500);
    expect(await counted(`SELECT FROM (${transactions}) m WHERE before + signed <> balance_after`)).toBe(0);
    expect(await counted(`SELECT FROM (${transactions}) m WHERE next IS NULL AND balance_after <> balance`)).toBe(0);
    const overdrawn = "balance_after < 0 AND account_type NOT IN ('CREDIT', 'LOAN')";
    expect(await counted(`SELECT FROM (${transactions}) m WHERE ${overdrawn}`)).toBe(0);
  });

  test('lies in the period, by the days of its tenants', async () => {
    const days =
      'SELECT (booked_at AT TIME ZONE time_zone)::date AS day FROM transactions JOIN tenants t ON t.id = tenant_id';
    expect(await counted(`SELECT FROM (${days}) d WHERE day NOT BETWEEN '2026-01-31' AND '2026-03-31'`)).toBe(0);
    expect(await counted(`SELECT DISTINCT day FROM (${days}) d`)).toBe(PERIOD.days);
  });

  test.each([
    ['account_type', 5],
    ['status', 4],
    ['currency', 4],
    ['bank_name', 8],
  ])('has accounts of every kind: %s', async (column, kinds) => {
    expect(await counted(`SELECT DISTINCT ${column} FROM bank_accounts`)).toBeGreaterThanOrEqual(kinds);
  });

  test('has transactions of every kind, in tenants of several time zones', async () => {
    expect(await counted('SELECT DISTINCT category, direction FROM transactions')).toBe(13);
    expect(await counted('SELECT DISTINCT time_zone FROM tenants')).toBe(SIZES.tenants);
  });

  test('has the totals that plain SQL finds', async () => {
    const plain = `
      SELECT tenant_id, (booked_at AT TIME ZONE time_zone)::date AS day, currency, coalesce(category, ''), count(*),
             coalesce(sum(amount) FILTER (WHERE direction = 'CREDIT'), 0), coalesce(sum(amount) FILTER (WHERE direction = 'DEBIT'), 0)
        FROM transactions JOIN tenants t ON t.id = tenant_id GROUP BY 1, 2, 3, 4`;
    const kept = `
      SELECT tenant_id, day, currency, category, sum(transaction_count), sum(inflow), sum(outflow)
        FROM daily_totals GROUP BY 1, 2, 3, 4`;
    expect(await counted(plain)).toBeGreaterThan(500);
    expect(await counted(`(${plain}) EXCEPT (${kept})`)).toBe(0);
    expect(await counted(`(${kept}) EXCEPT (${plain})`)).toBe(0);
  });
});

describe('a database that has tenants', () => {
  test('is left alone unless rows may be added to it', async () => {
    const url = await freshDatabase();
    await seed(url);
    const before = await rowsOf(url);
    await expect(seed(url, { prefix: 'other' })).rejects.toMatchObject({
      message: 'The database has 3 tenants already.',
      remedy: expect.stringContaining('--append'),
    });
    expect(await rowsOf(url)).toEqual(before);
    await seed(url, { prefix: 'other', append: true });
    expect(await count(url, 'SELECT FROM tenants')).toBe(6);
  });

  test('is not given a second one of the same slug', async () => {
    const url = await freshDatabase();
    await seed(url);
    await expect(seed(url, { append: true })).rejects.toMatchObject({ remedy: expect.stringContaining('--prefix') });
    expect(await count(url, 'SELECT FROM tenants')).toBe(3);
  });
});

test('the demo has four tenants, the largest first, from thousands of transactions to nearly none, until today', async () => {
  const url = await freshDatabase();
  await withClient(url, seedDemo);
  const { rows } = await withClient(url, (client) =>
    client.query(`
      SELECT slug, count(x.id)::int AS transactions, bool_and(x.booked_at <= now()) AS past,
             count(x.id) FILTER (WHERE x.booked_at > now() - interval '30 days') > 0 AS recent
        FROM tenants t LEFT JOIN transactions x ON tenant_id = t.id GROUP BY t.id ORDER BY t.id`),
  );
  expect(rows).toEqual([
    { slug: 'acme', transactions: 6_000, past: true, recent: true },
    { slug: 'globex', transactions: 600, past: true, recent: true },
    { slug: 'initech', transactions: 60, past: true, recent: true },
    { slug: 'umbrella', transactions: 2, past: true, recent: false },
  ]);
});
