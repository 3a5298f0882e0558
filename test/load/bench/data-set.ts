import { statfsSync } from 'node:fs';

import type pg from 'pg';

import { formatBytes, formatCount, formatDuration } from '../../../src/cli/format.ts';
import type { Progress } from '../../../src/cli/progress.ts';
import { OperatorError, StateError } from '../../../src/errors.ts';
import { CREATE_NUMBERS, CREATE_STATE, type DataKind, INSERT_ACCOUNTS, INSERT_TENANTS } from './data-set.sql.ts';
import { BENCH_DIRECTORY } from './database.ts';
import { CREATE_TO_DO, copyTransactions, fillTransactions, finishFill } from './fill.ts';
import { WRITE_CATEGORY } from './operations.ts';
import { ENABLE_TRIGGERS } from './triggers.ts';

/**
 * What a transaction takes on disk with its indexes and its write-ahead log; measured at 2,000,000.
 */
const BYTES_PER_TRANSACTION = 700;
/** With the indexes and statistics made at the end, on two cores that do nothing else. */
const ROWS_PER_SECOND = 40_000;
const DAY_MS = 24 * 3600 * 1000;

/** How large the data set is. */
export interface DataSetSize {
  readonly tenants: number;
  readonly accounts: number;
  readonly transactions: number;
  /** Each tenant has at least so many; the rest is spread by Zipf's law. */
  readonly accountsPerTenant: number;
  readonly data: DataKind;
}

export interface DataSet {
  /** The dashboard's date: the last day with a whole day's transactions in every time zone. */
  readonly lastDay: string;
  /** Largest first, by their accounts. */
  readonly tenants: readonly BenchTenant[];
}

export interface BenchTenant {
  readonly id: string;
  /** An active account in which money can always be put. */
  readonly accountId: string;
}

interface State {
  readonly tenants: number;
  readonly accounts: number;
  readonly transactions: number;
  readonly lastDay: string;
}

/** Makes what lacks of the data set; what is there from an earlier run is used again. */
export async function ensureDataSet(client: pg.Client, size: DataSetSize, progress: Progress): Promise<DataSet> {
  await client.query(CREATE_STATE);
  await client.query(CREATE_NUMBERS);
  await client.query(CREATE_TO_DO);
  const state = (await readState(client)) ?? (await begin(client, size));
  refuseSmaller(state, size);
  if (state.transactions < size.transactions) await grow(client, state, size, progress);
  await finishFill(client, progress);
  return { lastDay: state.lastDay, tenants: await readTenants(client) };
}

async function readState(client: pg.Client): Promise<State | undefined> {
  const { rows } = await client.query<State>(
    `SELECT tenants, accounts, transactions::float8 AS transactions, to_char(last_day, 'YYYY-MM-DD') AS "lastDay" FROM bench_data_set`,
  );
  return rows[0];
}

/** How many transactions there are; 0 before the first run. */
export async function transactionsMade(client: pg.Client): Promise<number> {
  await client.query(CREATE_STATE);
  return (await readState(client))?.transactions ?? 0;
}

async function begin(client: pg.Client, { tenants }: DataSetSize): Promise<State> {
  const lastDay = new Date(Date.now() - 2 * DAY_MS).toISOString().slice(0, 10);
  await client.query('BEGIN');
  await client.query(INSERT_TENANTS, [0, tenants]);
  await client.query('INSERT INTO bench_data_set VALUES (true, $1, 0, 0, $2)', [tenants, lastDay]);
  await client.query('COMMIT');
  return { tenants, accounts: 0, transactions: 0, lastDay };
}

/** What is there cannot be made less, and another number of tenants would spread it differently. */
function refuseSmaller({ tenants, accounts, transactions }: State, wanted: DataSetSize): void {
  if (tenants === wanted.tenants && accounts <= wanted.accounts && transactions <= wanted.transactions) return;
  throw new OperatorError(
    `The bench's data set has ${formatCount(tenants)} tenants, ${formatCount(accounts)} accounts and ${formatCount(transactions)} transactions, ` +
      `but ${formatCount(wanted.tenants)}, ${formatCount(wanted.accounts)} and ${formatCount(wanted.transactions)} were asked for.`,
    'Run it once with --fresh, which makes the data set anew.',
  );
}

async function grow(client: pg.Client, state: State, size: DataSetSize, progress: Progress): Promise<void> {
  const missing = size.transactions - state.transactions;
  announce(missing, progress);
  if (state.accounts < size.accounts) {
    progress.log(`making ${formatCount(size.accounts - state.accounts)} accounts`);
    await addAccounts(client, state, size);
  }
  const { accounts, transactions: total, data } = size;
  const fill = { from: state.transactions, to: total, total, accounts, endDay: nextDay(state.lastDay), data };
  await (data === 'bulk' ? copyTransactions : fillTransactions)(client, fill, progress);
}

async function addAccounts(client: pg.Client, { accounts }: State, size: DataSetSize): Promise<void> {
  await client.query('BEGIN');
  await client.query(INSERT_ACCOUNTS, [accounts, size.accounts, size.tenants, size.accountsPerTenant]);
  await client.query('UPDATE bench_data_set SET accounts = $1', [size.accounts]);
  await client.query('COMMIT');
  await client.query('ANALYZE bench_account_numbers');
}

/** Told before anything is written. @throws OperatorError when the disk has not the room */
export function announce(transactions: number, progress: Progress): void {
  if (transactions <= 0) return;
  const bytes = transactions * BYTES_PER_TRANSACTION;
  const durationMs = (transactions / ROWS_PER_SECOND) * 1000;
  progress.log(
    `making ${formatCount(transactions)} transactions: about ${formatBytes(bytes)} on disk and ${formatDuration(durationMs)}; kept for later runs`,
  );
  if (process.env.DATABASE_URL) return;
  const { bavail, bsize } = statfsSync(BENCH_DIRECTORY);
  if (bavail * bsize < 1.5 * bytes)
    throw new StateError(
      `${BENCH_DIRECTORY} has ${formatBytes(bavail * bsize)} left, which is too little.`,
      'Make room, or give a smaller --transactions.',
    );
}

async function readTenants(client: pg.Client): Promise<BenchTenant[]> {
  const { rows } = await client.query<BenchTenant>(
    `SELECT n.tenant_id AS id, (array_agg(n.account_id ORDER BY n.number))[1] AS "accountId"
     FROM bench_account_numbers n JOIN bank_accounts a ON a.tenant_id = n.tenant_id AND a.id = n.account_id AND a.status = 'ACTIVE'
     GROUP BY n.tenant_id ORDER BY count(*) DESC, n.tenant_id`,
  );
  return rows;
}

function nextDay(day: string): string {
  return new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10);
}

/**
 * Takes away what a run wrote, also one that was killed: its rows, with the totals made right for
 * the tenant whose triggers were switched off, and its idempotency keys.
 */
export async function restoreDataSet(client: pg.Client, { tenants }: DataSet): Promise<void> {
  await client.query(ENABLE_TRIGGERS);
  const { rowCount } = await client.query('DELETE FROM transactions WHERE category = $1', [WRITE_CATEGORY]);
  await client.query('DELETE FROM idempotency_keys');
  if (rowCount) await client.query('SELECT statistics_rebuild($1)', [tenants[0]?.id]);
}
