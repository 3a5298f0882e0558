import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { ensureDataSet } from '../../scripts/bench/data-set.ts';
import { Progress } from '../../src/cli/progress.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const SIZE = { tenants: 4, accounts: 20, transactions: 1_000, accountsPerTenant: 1 };

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  vi.stubEnv('DATABASE_URL', database.url);
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

test('a filling that was broken off is finished by the next run: all rows, all indexes, right totals', async () => {
  const indexes = await indexesOfTransactions();
  const breaking = new Progress({ write: (text) => breakAt('rows/s', String(text)) });
  await expect(ensureDataSet(client, SIZE, breaking)).rejects.toThrow('broken off at rows/s');
  expect(await indexesOfTransactions()).toHaveLength(1);
  const { tenants } = await ensureDataSet(client, SIZE, new Progress({ write: () => true }));
  expect(tenants).toHaveLength(4);
  expect(await indexesOfTransactions()).toEqual(indexes);
  expect(await figures()).toEqual({ rows: 1_000, counted: 1_000, toDo: 0 });
});

test('what there is grows, and is not made less', async () => {
  const silent = new Progress({ write: () => true });
  await ensureDataSet(client, { ...SIZE, accounts: 30, transactions: 1_500 }, silent);
  expect(await figures()).toEqual({ rows: 1_500, counted: 1_500, toDo: 0 });
  await expect(ensureDataSet(client, SIZE, silent)).rejects.toThrow('1,500 transactions');
});

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
