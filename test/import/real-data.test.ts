import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { importFolder } from '../../src/import/import-folder.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { valuesOf } from './import-fixture.ts';
import { describeWithRealData, type Row, readTable, tenThousandths } from './real-data.ts';

/** By tenant and day. `booked_at` carries the tenant's own offset, so that the day is what stands there. */
const DAYS = `
  SELECT concat_ws('|', slug, day, sum(transaction_count), trim_scale(sum(inflow) * 10000), trim_scale(sum(outflow) * 10000)) AS value
    FROM daily_totals JOIN tenants ON id = tenant_id GROUP BY slug, day`;
const ACCOUNTS = `
  SELECT concat_ws('|', slug, account_type, a.status, bank_name, currency, count(*), trim_scale(sum(balance) * 10000)) AS value
    FROM bank_accounts a JOIN tenants t ON t.id = tenant_id GROUP BY slug, account_type, a.status, bank_name, currency`;
const ACCOUNT_TOTALS = `
  SELECT concat_ws('|', slug, account_type, status, bank_name, currency, sum(account_count), trim_scale(sum(balance) * 10000)) AS value
    FROM account_totals JOIN tenants ON id = tenant_id GROUP BY slug, account_type, status, bank_name, currency`;

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(() => database.drop());

describeWithRealData('berka', (folder) => {
  test('is imported to the last decimal, and a second time changes nothing', { timeout: 120_000 }, async () => {
    const rejectsPath = path.join(makeTempFolder(), 'rejects.csv');
    const run = () => withClient(database.url, (client) => importFolder({ client, folder, rejectsPath }));
    const accounts = readTable(folder, 'accounts');
    const transactions = readTable(folder, 'transactions');

    const { tables } = await run();
    expect(tables.transactions).toEqual({ inserted: transactions.length, updated: 0, unchanged: 0, rejected: 0 });
    expect(await sorted(DAYS)).toEqual(expectedDays(transactions));
    expect(await sorted(ACCOUNTS)).toEqual(expectedAccounts(accounts));
    expect(await sorted(ACCOUNT_TOTALS)).toEqual(expectedAccounts(accounts));

    const again = await run();
    expect(again.tables.accounts).toEqual({ inserted: 0, updated: 0, unchanged: accounts.length, rejected: 0 });
    expect(again.tables.transactions).toEqual({ inserted: 0, updated: 0, unchanged: transactions.length, rejected: 0 });
    expect(await sorted(DAYS)).toEqual(expectedDays(transactions));
  });
});

async function sorted(sql: string): Promise<unknown[]> {
  return (await valuesOf(database.url, sql)).sort();
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
