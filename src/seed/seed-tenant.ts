import type pg from 'pg';

import { recordTenants } from '../audit/operator-line.ts';
import {
  CHUNKS,
  CREATE_TRANSACTIONS,
  GENERATE_TRANSACTIONS,
  INSERT_ROWS,
  INSERT_TENANT,
  LAST_DAY,
  PLAN_ACCOUNTS,
} from './seed-sql.ts';
import type { TenantPlan } from './tenant-plan.ts';
import { BANKS, CURRENCIES, FOREIGN_CURRENCIES, TRANSACTION_KINDS } from './vocabulary.ts';

/** Accounts of eight in ten are in the currency of their place. */
const HOME_CURRENCY_SLOTS = 8;

/** Of this session only: for sorting a chunk of transactions in memory. */
export const SESSION_SETTINGS = `
  SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET jit = off;
  SET work_mem = '64MB'; SET temp_buffers = '64MB'`;

/** When the transactions lie. */
export interface SeedPeriod {
  /** The last day, YYYY-MM-DD; absent: each tenant's today. */
  readonly until?: string | undefined;
  /** How many days, the last one included. */
  readonly days: number;
}

interface Chunk {
  readonly fromAccount: number;
  readonly toAccount: number;
  readonly transactions: number;
}

/**
 * Generates a tenant with all its accounts and transactions, and its line in the audit log, in one
 * transaction.
 * @param client a connection with SESSION_SETTINGS
 * @param onTransactions told how many transactions were written just now
 */
export async function seedTenant(
  client: pg.ClientBase,
  plan: TenantPlan,
  period: SeedPeriod,
  onTransactions: (count: number) => void,
): Promise<void> {
  await client.query("BEGIN; SET LOCAL app.directory = 'on'");
  try {
    const id = await generate(client, plan, period, onTransactions);
    await recordTenants(client, { action: 'db:seed', key: null }, [id]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {}); // the connection is lost; the error to tell is the first one
    throw error;
  }
}

/** @returns the tenant's id */
async function generate(
  client: pg.ClientBase,
  plan: TenantPlan,
  { until, days }: SeedPeriod,
  onTransactions: (count: number) => void,
): Promise<string> {
  const { salt, timeZone } = plan;
  const lastDay = await one<{ day: string; over: number }>(client, LAST_DAY, [timeZone, until]);
  const tenantValues = [salt, plan.slug, plan.name, timeZone, until, days, plan.position];
  const { id } = await one<{ id: string }>(client, INSERT_TENANT, tenantValues);
  await client.query("SELECT set_config('app.tenant_id', $1, true)", [id]);
  await planAccounts(client, plan, lastDay.day, days);
  await client.query(CREATE_TRANSACTIONS);
  const { rows: chunks } = await client.query<Chunk>(CHUNKS);
  for (const { fromAccount, toAccount, transactions } of chunks) {
    const range = [salt, fromAccount, toAccount];
    await client.query('TRUNCATE seed_transactions');
    await client.query(GENERATE_TRANSACTIONS, [...range, lastDay.day, days, timeZone, lastDay.over, ...KIND_NUMBERS]);
    await client.query(INSERT_ROWS, [...range, id, ...KIND_TEXTS, BANKS]);
    onTransactions(transactions);
  }
  return id;
}

async function planAccounts(client: pg.ClientBase, plan: TenantPlan, lastDay: string, days: number): Promise<void> {
  const drawnFrom = [...Array<string>(HOME_CURRENCY_SLOTS).fill(plan.currency), ...FOREIGN_CURRENCIES];
  const rates = Object.values(CURRENCIES);
  await client.query(PLAN_ACCOUNTS, [
    ...[plan.salt, plan.accounts, plan.transactions, lastDay, days, plan.timeZone, BANKS, drawnFrom],
    ...[Object.keys(CURRENCIES), rates.map(({ perEuro }) => perEuro), rates.map(({ decimals }) => decimals)],
  ]);
  await client.query('ANALYZE seed_accounts');
}

/**
 * Kinds as often as they are to be drawn (numbered from 1, as in SQL), then amounts and signs by
 * kind.
 */
const KIND_NUMBERS = [
  TRANSACTION_KINDS.flatMap(({ share }, index) => Array<number>(share).fill(index + 1)),
  TRANSACTION_KINDS.map(({ typical }) => typical),
  TRANSACTION_KINDS.map(({ direction }) => (direction === 'CREDIT' ? 1 : -1)),
];

/** Categories, directions and descriptions by kind. */
const KIND_TEXTS = [
  TRANSACTION_KINDS.map(({ category }) => category),
  TRANSACTION_KINDS.map(({ direction }) => direction),
  TRANSACTION_KINDS.map(({ description }) => description),
];

async function one<Row extends pg.QueryResultRow>(client: pg.ClientBase, sql: string, values: unknown[]): Promise<Row> {
  const { rows } = await client.query<Row>(sql, values);
  return rows[0] as Row;
}
