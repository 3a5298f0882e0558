import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_INTEGER } from '../../src/limits.ts';
import {
  ACCOUNTS_HEADER,
  csv,
  importFiles,
  reasonsOf,
  TENANTS_HEADER,
  TRANSACTIONS_HEADER,
} from '../import/import-fixture.ts';
import { type Account, type Bank, startBank } from '../transactions/bank-fixture.ts';

let bank: Bank;
beforeAll(async () => {
  bank = await startBank();
});
afterAll(() => bank.close());

/** An account that was changed very often. */
async function openAt(version: number, input: object = {}): Promise<Account> {
  const { id } = await bank.open({ openingBalance: '10', ...input });
  await bank.sql('UPDATE bank_accounts SET version = $2 WHERE id = $1', [id, version]);
  return bank.read(id);
}

const credits = (...ids: readonly string[]) => ({
  idempotencyKey: randomUUID(),
  transactions: ids.map((accountId) => ({ accountId, direction: 'CREDIT', amount: '1' })),
});
const codesOf = ({ userErrors }: { userErrors: { code: string; field: string[] }[] }) =>
  userErrors.map(({ code, field }) => [code, field.join('.')]);

describe('an account with the last version', () => {
  test.each([
    ['updateAccount', (id: string) => ({ id, bankName: `bank ${id}` }), 'id'],
    ['updateAccount', (id: string) => ({ id, accountType: 'LOAN', expectedVersion: MAX_INTEGER }), 'id'],
    ['changeAccountStatus', (id: string) => ({ id, status: 'FROZEN' }), 'id'],
    ['recordTransactions', (id: string) => credits(id), 'transactions.0.accountId'],
  ] as const)('is not changed by %s, which says why', async (mutation, input, field) => {
    const account = await openAt(MAX_INTEGER);
    expect(codesOf(await bank.mutate(mutation, input(account.id)))).toEqual([
      ['VERSION_OUT_OF_RANGE', `input.${field}`],
    ]);
    expect(await bank.read(account.id)).toEqual(account);
  });

  test.each([
    ['fromAccountId', 'toAccountId'],
    ['toAccountId', 'fromAccountId'],
  ] as const)('is not the %s of a transfer', async (spentSide, otherSide) => {
    const [spent, other] = [await openAt(MAX_INTEGER), await openAt(1)];
    const input = { idempotencyKey: randomUUID(), amount: '1', [spentSide]: spent.id, [otherSide]: other.id };
    expect(codesOf(await bank.mutate('transfer', input))).toEqual([['VERSION_OUT_OF_RANGE', `input.${spentSide}`]]);
    expect([await bank.read(spent.id), await bank.read(other.id)]).toEqual([spent, other]);
  });

  test('is told to be as it is when nothing about it would change', async () => {
    const { id, bankName, status } = await openAt(MAX_INTEGER);
    const { account } = await bank.mutate('updateAccount', { id, bankName });
    expect(account.version).toBe(MAX_INTEGER);
    expect(codesOf(await bank.mutate('changeAccountStatus', { id, status }))).toEqual([]);
  });

  test('is rejected by an import that differs, and the other rows are not', async () => {
    const files = (balance: string) => ({
      'tenants.csv': csv(TENANTS_HEADER, 'spent,Spent,UTC'),
      'transactions.csv': csv(TRANSACTIONS_HEADER),
      'accounts.csv': csv(
        ACCOUNTS_HEADER,
        `spent,First Bank,1,LOAN,ACTIVE,EUR,${balance},2020-01-01T00:00:00Z`,
        `spent,First Bank,2,LOAN,ACTIVE,EUR,${balance},2020-01-01T00:00:00Z`,
      ),
    });
    await importFiles(bank.service.databaseUrl, files('5'));
    await bank.sql("UPDATE bank_accounts SET version = $1 WHERE account_number = '1' AND bank_name = 'First Bank'", [
      MAX_INTEGER,
    ]);
    expect((await importFiles(bank.service.databaseUrl, files('5'))).tables.accounts).toMatchObject({ rejected: 0 });
    const result = await importFiles(bank.service.databaseUrl, files('6'));
    expect(result.tables.accounts).toMatchObject({ updated: 1, rejected: 1 });
    expect(reasonsOf(result)).toEqual({
      'accounts.csv:2': `version: the account has the last one, ${MAX_INTEGER}, and cannot be changed any more`,
    });
  });
});

test('an account takes as many transactions as there are versions left, in one request and in several', async () => {
  const { id } = await openAt(MAX_INTEGER - 2);
  const other = await openAt(MAX_INTEGER - 1);
  expect(codesOf(await bank.mutate('recordTransactions', credits(id, other.id, id, id)))).toEqual([
    ['VERSION_OUT_OF_RANGE', 'input.transactions.3.accountId'],
  ]);
  expect(codesOf(await bank.mutate('recordTransactions', credits(id, other.id, id)))).toEqual([]);
  expect(await bank.read(id)).toMatchObject({ version: MAX_INTEGER, balance: '12.0000' });
  expect(await bank.read(other.id)).toMatchObject({ version: MAX_INTEGER, balance: '11.0000' });
});

test('counts of more rows than an Int tells stay at the last one, wherever they are shown', async () => {
  const token = bank.rivalToken;
  const tenant = "(SELECT id FROM tenants WHERE slug = 'rival')";
  const [more, half] = [3_000_000_000, 1_500_000_000];
  // Two kinds and two days: sums pass the last integer too where no part does.
  await bank.sql(`
    INSERT INTO account_totals (tenant_id, account_type, status, bank_name, currency, slot, account_count, balance)
    VALUES (${tenant}, 'LOAN', 'ACTIVE', 'x', 'EUR', 0, ${half}, 1), (${tenant}, 'LOAN', 'ACTIVE', 'y', 'EUR', 0, ${half}, 1),
      (${tenant}, 'CREDIT', 'FROZEN', 'z', 'EUR', 0, ${more}, 1)`);
  await bank.sql(`
    INSERT INTO daily_totals (tenant_id, day, currency, category, slot, transaction_count, inflow, outflow)
    VALUES (${tenant}, '2025-01-01', 'EUR', '', 0, ${half}, 1, 0), (${tenant}, '2025-01-02', 'EUR', '', 0, ${half}, 1, 0),
      (${tenant}, '2025-02-01', 'USD', 'rent', 0, ${more}, 1, 0)`);
  const { data, errors } = await bank.service.send(
    token,
    `{
      accounts { totalCount } loans: accounts(filter: { accountType: LOAN }) { totalCount } accountList { count }
      transactions { totalCount } rent: transactions(filter: { category: "rent" }) { totalCount }
      ranged: transactions(filter: { bookedFrom: "2024-01-01T00:00:00Z", bookedTo: "2026-01-01T00:00:00Z" }) { totalCount }
      dashboard(date: "2025-02-01") {
        overview { totalAccounts activeAccounts } accountsByType { count } accountsByStatus { count } accountsByBank { count }
        activity(days: 60) { totals { currency transactionCount } }
      }
      statistics(period: MONTHLY, from: "2025-01-01", to: "2025-02-28") {
        totals { transactionCount } buckets { flows { transactionCount } } byCategory { flows { transactionCount } }
      }
    }`,
  );
  expect(errors).toBeUndefined();
  const counts =
    JSON.stringify(data)
      .match(/(?<=:)\d+/g)
      ?.map(Number) ?? [];
  expect(counts.length).toBeGreaterThan(18);
  expect(new Set(counts)).toEqual(new Set([MAX_INTEGER, half]));
  const { totalAccounts, activeAccounts } = data.dashboard.overview;
  expect([totalAccounts, activeAccounts, data.accounts.totalCount]).toEqual(Array(3).fill(MAX_INTEGER));
});
