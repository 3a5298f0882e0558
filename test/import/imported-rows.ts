import { expect } from 'vitest';

import type { ImportResult } from '../../src/import/apply-import.ts';
import { valuesOf } from './import-fixture.ts';
import { type Row, readTable, tenThousandths } from './real-data.ts';

/**
 * By tenant and day. `booked_at` carries the tenant's own offset, so that the day is what stands
 * there.
 */
const DAYS = `
  SELECT concat_ws('|', slug, day, sum(transaction_count), trim_scale(sum(inflow) * 10000), trim_scale(sum(outflow) * 10000)) AS value
    FROM daily_totals JOIN tenants ON id = tenant_id GROUP BY slug, day`;
const ACCOUNTS = `
  SELECT concat_ws('|', slug, account_type, a.status, bank_name, currency, count(*), trim_scale(sum(balance) * 10000)) AS value
    FROM bank_accounts a JOIN tenants t ON t.id = tenant_id GROUP BY slug, account_type, a.status, bank_name, currency`;
const ACCOUNT_TOTALS = `
  SELECT concat_ws('|', slug, account_type, status, bank_name, currency, sum(account_count), trim_scale(sum(balance) * 10000)) AS value
    FROM account_totals JOIN tenants ON id = tenant_id GROUP BY slug, account_type, status, bank_name, currency`;

/**
 * Holds the outcome of an import into an empty database against the rows of its folder, to the last
 * decimal.
 */
export async function expectImported(url: string, folder: string, { tables }: ImportResult): Promise<void> {
  const accounts = readTable(folder, 'accounts');
  const transactions = readTable(folder, 'transactions');
  expect(tables.transactions).toEqual({ inserted: transactions.length, updated: 0, unchanged: 0, rejected: 0 });
  expect(await dailyTotals(url)).toEqual(expectedDays(transactions));
  expect(await sorted(url, ACCOUNTS)).toEqual(expectedAccounts(accounts));
  expect(await sorted(url, ACCOUNT_TOTALS)).toEqual(expectedAccounts(accounts));
}

/** Holds the outcome of a second import of the same against that of the first. */
export function expectUnchanged(again: ImportResult, first: ImportResult): void {
  for (const table of ['accounts', 'transactions'] as const)
    expect(again.tables[table]).toEqual({
      inserted: 0,
      updated: 0,
      unchanged: first.tables[table].inserted,
      rejected: 0,
    });
}

/** The totals that are kept ready, by tenant and day. */
export function dailyTotals(url: string): Promise<unknown[]> {
  return sorted(url, DAYS);
}

async function sorted(url: string, sql: string): Promise<unknown[]> {
  return (await valuesOf(url, sql)).sort();
}

function expectedDays(transactions: readonly Row[]): string[] {
  const days = new Map<string, { count: number; CREDIT: bigint; DEBIT: bigint }>();
  for (const { tenant_slug, booked_at = '', direction, amount = '' } of transactions) {
    const key = `${tenant_slug}|${booked_at.slice(0, 10)}`;
    const day = days.get(key) ?? { count: 0, CREDIT: 0n, DEBIT: 0n };
    day.count += 1;
    day[direction as 'CREDIT' | 'DEBIT'] += tenThousandths(amount);
    days.set(key, day);
  }
  return [...days].map(([key, { count, CREDIT, DEBIT }]) => `${key}|${count}|${CREDIT}|${DEBIT}`).sort();
}

function expectedAccounts(accounts: readonly Row[]): string[] {
  const groups = new Map<string, { count: number; balance: bigint }>();
  for (const { tenant_slug, account_type, status, bank_name, currency, balance = '' } of accounts) {
    const key = [tenant_slug, account_type, status, bank_name, currency].join('|');
    const group = groups.get(key) ?? { count: 0, balance: 0n };
    group.count += 1;
    group.balance += tenThousandths(balance);
    groups.set(key, group);
  }
  return [...groups].map(([key, { count, balance }]) => `${key}|${count}|${balance}`).sort();
}
