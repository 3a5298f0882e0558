import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Progress } from '../../../src/cli/progress.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { selectTransactions } from './data-set.sql.ts';
import { ensureDataSet } from './data-set.ts';

const SIZE = { tenants: 4, accounts: 20, transactions: 1_000, accountsPerTenant: 1, data: 'spread' } as const;

const silent = new Progress({ write: () => true });

let database: TestDatabase;
let client: pg.Client;

beforeEach(async () => {
  database = await createTestDatabase();
  vi.stubEnv('DATABASE_URL', database.url);
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});

afterEach(async () => {
  await client.end();
  await database.drop();
});

test('a filling that was broken off is finished by the next run: all rows, all indexes, right totals', async () => {
  const indexes = await indexesOfTransactions();
  const breaking = new Progress({ write: (text) => breakAt('rows/s', String(text)) });
  await expect(ensureDataSet(client, SIZE, breaking)).rejects.toThrow('broken off at rows/s');
  expect(await indexesOfTransactions()).toHaveLength(1);
  const { tenants } = await ensureDataSet(client, SIZE, silent);
  expect(tenants).toHaveLength(4);
  expect(await indexesOfTransactions()).toEqual(indexes);
  expect(await figures()).toEqual({ rows: 1_000, counted: 1_000, toDo: 0 });
});

test('what there is grows, and is not made less', async () => {
  await ensureDataSet(client, SIZE, silent);
  await ensureDataSet(client, { ...SIZE, accounts: 30, transactions: 1_500 }, silent);
  expect(await figures()).toEqual({ rows: 1_500, counted: 1_500, toDo: 0 });
  await expect(ensureDataSet(client, SIZE, silent)).rejects.toThrow('1,500 transactions');
});

test.each(['life', 'bulk'] as const)(
  '%s: transactions in the order of time, right totals, one currency',
  async (data) => {
    const indexes = await indexesOfTransactions();
    await ensureDataSet(client, { ...SIZE, data }, silent);
    expect(await indexesOfTransactions()).toEqual(indexes);
    expect(await figures()).toEqual({ rows: 1_000, counted: 1_000, toDo: 0 });
    expect(await wrongTotals()).toBe(0);
    expect(await asWritten('transactions', 'booked_at')).toBe('in order');
    const { rows } = await client.query('SELECT DISTINCT currency FROM bank_accounts');
    expect(rows).toEqual([{ currency: 'EUR' }]);
  },
);

test("life writes the days' totals day by day, and one COPY tenant by tenant", async () => {
  await ensureDataSet(client, { ...SIZE, data: 'life' }, silent);
  expect(await asWritten('daily_totals', 'day')).toBe('in order');
  await client.query('TRUNCATE bench_data_set, bench_account_numbers, tenants CASCADE');
  await ensureDataSet(client, { ...SIZE, data: 'bulk' }, silent);
  expect(await asWritten('daily_totals', 'day')).toBe('mixed');
  expect(await asWritten('daily_totals', 'tenant_id')).toBe('in order');
});

test('what is made in two parts has the times that it has in one', async () => {
  await ensureDataSet(client, { ...SIZE, data: 'life' }, silent);
  const fill = { total: 1_000, accounts: 20, endDay: '2026-01-02', data: 'life' } as const;
  const made = async (from: number, to: number) =>
    (await client.query({ text: `${selectTransactions({ ...fill, from, to })} ORDER BY k`, rowMode: 'array' })).rows;
  const whole = await made(0, 1_000);
  expect(whole).toHaveLength(1_000);
  expect([...(await made(0, 400)), ...(await made(400, 1_000))]).toEqual(whole);
});

async function wrongTotals(): Promise<number> {
  const { rows } = await client.query(`SELECT count(*)::int AS wrong FROM (
    SELECT r.tenant_id, (r.booked_at AT TIME ZONE t.time_zone)::date AS day, r.currency, coalesce(r.category, '') AS category,
      count(*) AS count, sum(r.amount * (r.direction = 'CREDIT')::int) AS inflow, sum(r.amount * (r.direction = 'DEBIT')::int) AS outflow
    FROM transactions r JOIN tenants t ON t.id = r.tenant_id GROUP BY 1, 2, 3, 4) made
    FULL JOIN daily_totals kept USING (tenant_id, day, currency, category)
    WHERE (made.count, made.inflow, made.outflow) IS DISTINCT FROM (kept.transaction_count, kept.inflow, kept.outflow)`);
  return rows[0].wrong;
}

/** Whether the rows of a table lie in the order of a column. */
async function asWritten(table: string, column: string): Promise<string> {
  const { rows } = await client.query(`SELECT bool_and(coalesce(before <= value, true)) AS ordered
    FROM (SELECT ${column} AS value, lag(${column}) OVER (ORDER BY ctid) AS before FROM ${table}) pairs`);
  return rows[0].ordered ? 'in order' : 'mixed';
}

function breakAt(where: string, text: string): boolean {
  if (text.includes(where)) throw new Error(`broken off at ${where}`);
  return true;
}

async function indexesOfTransactions(): Promise<string[]> {
  const { rows } = await client.query<{ indexdef: string }>(
    "SELECT indexdef FROM pg_indexes WHERE tablename = 'transactions' ORDER BY 1",
  );
  return rows.map(({ indexdef }) => indexdef);
}

async function figures() {
  const { rows } = await client.query(`SELECT (SELECT count(*)::int FROM transactions) AS rows,
    (SELECT sum(transaction_count)::int FROM daily_totals) AS counted, (SELECT count(*)::int FROM bench_to_do) AS "toDo"`);
  return rows[0];
}
