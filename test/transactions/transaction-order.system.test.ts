import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ACCOUNT,
  ACCOUNTS_HEADER,
  csv,
  importFiles,
  TENANTS_HEADER,
  TRANSACTIONS_HEADER,
} from '../import/import-fixture.ts';
import { type Account, type Bank, startBank } from './bank-fixture.ts';

const CLIENTS = 50;
const TRANSACTIONS = 1_000;
/** Three transactions at once and one leg of a transfer. */
const ROUNDS = TRANSACTIONS / CLIENTS / 4;

let bank: Bank;

beforeAll(async () => {
  // Nobody is refused on a slow machine: a connection for each client, and time to wait for the
  // others.
  bank = await startBank({
    env: { DATABASE_POOL_SIZE: String(CLIENTS), STATEMENT_TIMEOUT_MS: '60000', DATABASE_QUEUE_TIMEOUT_MS: '60000' },
  });
});
afterAll(() => bank.close());

interface Shown {
  readonly bookedAt: string;
  readonly direction: string;
  readonly amount: string;
  readonly balanceAfter: string;
}

const record = async (account: Account, ...directions: string[]): Promise<Shown[]> => {
  const transactions = directions.map((direction) => ({ accountId: account.id, direction, amount: '1.25' }));
  const payload = await bank.mutate('recordTransactions', { idempotencyKey: randomUUID(), transactions });
  expect(payload.userErrors).toEqual([]);
  return payload.transactions;
};
const transfer = (from: Account, to: Account) =>
  bank.mutate('transfer', { idempotencyKey: randomUUID(), fromAccountId: from.id, toAccountId: to.id, amount: '0.5' });

/** All transactions of an account as the API lists them, newest first. */
async function listed({ id }: Account): Promise<Shown[]> {
  const query = `query ($id: ID!, $after: String) { account(id: $id) { transactions(first: 100, after: $after) {
    nodes { bookedAt direction amount balanceAfter } pageInfo { endCursor hasNextPage } } } }`;
  const shown: Shown[] = [];
  for (let after: string | null = null; ; ) {
    const { data } = await bank.service.send(bank.token, query, { id, after });
    const { nodes, pageInfo } = data.account.transactions;
    shown.push(...nodes);
    if (!pageInfo.hasNextPage) return shown;
    after = pageInfo.endCursor;
  }
}

/** The transactions whose balance is not that of the one listed below it and their own amount. */
function notFollowing(transactions: readonly Shown[]): unknown[] {
  const units = (decimal: string) => Math.round(Number(decimal) * 10_000);
  return transactions.slice(0, -1).filter(({ direction, amount, balanceAfter }, index) => {
    const before = units(transactions[index + 1]?.balanceAfter ?? '');
    return units(balanceAfter) !== before + (direction === 'CREDIT' ? 1 : -1) * units(amount);
  });
}

const clock = async () => (await bank.sql('SELECT clock_timestamp() AS now'))[0].now as Date;
const later = (instant: string, ms: number) => new Date(Date.parse(instant) + ms).toISOString();

/** Says that the account was changed last at another time than now. */
async function changedAt({ id }: Pick<Account, 'id'>, offset: string): Promise<string> {
  const update = 'UPDATE bank_accounts SET updated_at = now() + $2::interval WHERE id = $1 RETURNING updated_at';
  return (await bank.sql(update, [id, offset]))[0].updated_at.toISOString();
}

/**
 * Opens a connection for each client, one after another: all at once take a slow machine longer
 * than one is waited for.
 */
async function connectAll(): Promise<void> {
  const account = await bank.open();
  const holder = await bank.hold('SELECT FROM bank_accounts WHERE id = $1 FOR UPDATE', [account.id]);
  const recorded = [];
  for (let waiting = 1; waiting <= CLIENTS; waiting++) {
    recorded.push(record(account, 'CREDIT'));
    await bank.untilWaiting(waiting);
  }
  await holder.query('COMMIT');
  await Promise.all(recorded);
}

test('the transactions of 50 clients on one account are listed in the order of their balances', async () => {
  const [one, other] = await Promise.all([
    bank.open({ openingBalance: '9000' }),
    bank.open({ openingBalance: '9000' }),
  ]);
  await connectAll();
  const client = async (_: unknown, index: number) => {
    for (let round = 0; round < ROUNDS; round++) {
      await record(one, 'CREDIT', 'DEBIT', 'DEBIT');
      await (index % 2 ? transfer(one, other) : transfer(other, one));
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  for (const account of [one, other]) {
    const transactions = await listed(account);
    expect(transactions).toHaveLength(account === one ? TRANSACTIONS : TRANSACTIONS / 4);
    expect(notFollowing(transactions)).toEqual([]);
    expect(transactions[0]?.balanceAfter).toBe((await bank.read(account.id)).balance);
  }
}, 120_000);

describe.each([
  // An account below zero is booked step by step.
  ['at once', { accountType: 'CREDIT', openingBalance: '100' }],
  ['step by step', { accountType: 'CREDIT', openingBalance: '-100' }],
])('booked %s', (_way, kind) => {
  test('a transaction happens when the account is locked, not when it was asked for', async () => {
    const account = await bank.open(kind);
    const holder = await bank.hold('SELECT FROM bank_accounts WHERE id = $1 FOR UPDATE', [account.id]);
    const recorded = record(account, 'DEBIT');
    await bank.untilWaiting(1);
    const asked = await clock();
    await holder.query('COMMIT');
    const [transaction] = await recorded;
    expect(Date.parse(transaction?.bookedAt ?? '')).toBeGreaterThanOrEqual(asked.getTime());
    expect((await bank.read(account.id)).updatedAt).toBe(transaction?.bookedAt);
  });

  test('a transaction comes after the one before it, whatever the clock says', async () => {
    const account = await bank.open(kind);
    const ahead = await changedAt(account, '10 minutes');
    const times = [await record(account, 'DEBIT', 'CREDIT'), await record(account, 'DEBIT')].flat();
    expect(times.map(({ bookedAt }) => bookedAt)).toEqual([1, 1, 2].map((ms) => later(ahead, ms)));
    expect((await bank.read(account.id)).updatedAt).toBe(later(ahead, 2));
    expect(notFollowing(await listed(account))).toEqual([]);
  });

  test('both legs of a transfer happen at the later of their times', async () => {
    const [from, to] = [await bank.open(kind), await bank.open()];
    const ahead = await changedAt(to, '10 minutes');
    const { debit, credit } = await transfer(from, to);
    expect([debit.bookedAt, credit.bookedAt]).toEqual([later(ahead, 1), later(ahead, 1)]);
  });

  test('a transaction does not follow an account into another year', async () => {
    const account = await bank.open(kind);
    const ahead = await changedAt(account, '10 years');
    const [transaction] = await record(account, 'DEBIT');
    expect(Date.parse(transaction?.bookedAt ?? '')).toBeLessThanOrEqual((await clock()).getTime());
    expect((await bank.read(account.id)).updatedAt).toBe(ahead);
  });

  test('a time that was given stays as it is', async () => {
    const account = await bank.open(kind);
    const transaction = {
      accountId: account.id,
      direction: 'CREDIT',
      amount: '1',
      bookedAt: '2001-02-03T04:05:06.789Z',
    };
    const { transactions } = await bank.mutate('recordTransactions', {
      idempotencyKey: randomUUID(),
      transactions: [transaction, { ...transaction, bookedAt: null }],
    });
    expect(transactions[0].bookedAt).toBe(transaction.bookedAt);
    expect((await bank.read(account.id)).updatedAt).toBe(transactions[1].bookedAt);
  });
});

describe('updatedAt', () => {
  const changes = {
    updateAccount: (id: string) => ({ id, bankName: 'Second Bank' }),
    changeAccountStatus: (id: string) => ({ id, status: 'FROZEN' }),
  };

  test.each(Object.entries(changes))('of %s is when the account was locked', async (mutation, input) => {
    const account = await bank.open();
    const holder = await bank.hold('SELECT FROM bank_accounts WHERE id = $1 FOR UPDATE', [account.id]);
    const changed = bank.mutate(mutation as keyof typeof changes, input(account.id));
    await bank.untilWaiting(1);
    const asked = await clock();
    await holder.query('COMMIT');
    expect(Date.parse((await changed).account.updatedAt)).toBeGreaterThanOrEqual(asked.getTime());
  });

  test.each(Object.entries(changes))('of %s is later than before, whatever the clock says', async (mutation, input) => {
    const account = await bank.open();
    const ahead = await changedAt(account, '10 minutes');
    const changed = await bank.mutate(mutation as keyof typeof changes, input(account.id));
    expect(changed.account.updatedAt).toBe(later(ahead, 1));
  });

  test('of an import is later than before, and when the account was locked', async () => {
    const row = (balance: number) =>
      csv(ACCOUNTS_HEADER, `acme,${ACCOUNT.slice(6)},CHECKING,ACTIVE,EUR,${balance},2020-01-01T00:00:00Z`);
    const importing = (balance: number) =>
      importFiles(bank.service.databaseUrl, {
        'tenants.csv': csv(TENANTS_HEADER),
        'accounts.csv': row(balance),
        'transactions.csv': csv(TRANSACTIONS_HEADER),
      });
    await importing(1);
    const [{ id }] = await bank.sql('SELECT id FROM bank_accounts WHERE account_number = $1', ['0001']);
    const holder = await bank.hold('SELECT FROM bank_accounts WHERE id = $1 FOR UPDATE', [id]);
    const imported = importing(2);
    await bank.untilWaiting(1);
    const asked = await clock();
    await holder.query('COMMIT');
    await imported;
    const updatedAt = async () =>
      (await bank.sql('SELECT updated_at AS at FROM bank_accounts WHERE id = $1', [id]))[0].at;
    expect((await updatedAt()).getTime()).toBeGreaterThanOrEqual(asked.getTime());
    const ahead = await changedAt({ id }, '10 minutes');
    await importing(3);
    expect((await updatedAt()).toISOString()).toBe(later(ahead, 1));
  });
});
