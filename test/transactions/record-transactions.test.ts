import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Account, type Bank, startBank } from './bank-fixture.ts';

let bank: Bank;
let account: Account;

beforeAll(async () => {
  bank = await startBank();
});
afterAll(() => bank.close());
beforeEach(async () => {
  account = await bank.open({ openingBalance: '10' });
});

const credit = (amount: string, more: object = {}) => ({ accountId: account.id, direction: 'CREDIT', amount, ...more });
const debit = (amount: string, more: object = {}) => ({ ...credit(amount, more), direction: 'DEBIT' });
const batch = (...transactions: object[]) => ({ idempotencyKey: randomUUID(), transactions });
const record = (...transactions: object[]) => bank.mutate('recordTransactions', batch(...transactions));
const codesOf = (userErrors: { code: string; field: string[] }[]) =>
  userErrors.map(({ code, field }) => [code, field.join('.')]);

test('records transactions in their order, each with the balance after it, and counts each as a change', async () => {
  const { transactions, userErrors } = await record(credit('0.0001'), debit('10'), credit('999999999999999.9998'));
  expect(userErrors).toEqual([]);
  expect(transactions.map(({ amount, balanceAfter }: Record<string, string>) => [amount, balanceAfter])).toEqual([
    ['0.0001', '10.0001'],
    ['10.0000', '0.0001'],
    ['999999999999999.9998', '999999999999999.9999'],
  ]);
  expect(await bank.read(account.id)).toMatchObject({ balance: '999999999999999.9999', version: 4 });
});

test('keeps all that was said of a transaction', async () => {
  const said = { category: 'SIPO', counterpartyBank: 'ČS', description: 'účet „42“ 🏦' };
  const { transactions } = await record(credit('1', { ...said, bookedAt: '2025-03-30T02:30:00.1239+01:00' }));
  expect(transactions).toMatchObject([{ ...said, bookedAt: '2025-03-30T01:30:00.123Z' }]);
});

test('books what has no time of its own now, equal for all, and lists it newest first', async () => {
  const earliest = Date.now() - 1;
  const { transactions } = await record(credit('1'), credit('2'), credit('3'));
  const [bookedAt, ...others] = new Set(transactions.map((transaction: { bookedAt: string }) => transaction.bookedAt));
  expect(others).toEqual([]);
  expect(Date.parse(bookedAt as string)).toBeGreaterThanOrEqual(earliest);
  expect(Date.parse(bookedAt as string)).toBeLessThanOrEqual(Date.now() + 1);
  const document = 'query ($id: ID!) { account(id: $id) { recentTransactions { amount } } }';
  const { data } = await bank.service.send(bank.token, document, { id: account.id });
  expect(data.account.recentTransactions.map(({ amount }: { amount: string }) => amount)).toEqual([
    '3.0000',
    '2.0000',
    '1.0000',
  ]);
});

test('never sets back when an account last changed', async () => {
  await bank.sql("UPDATE bank_accounts SET updated_at = '2100-01-01Z' WHERE id = $1", [account.id]);
  await record(credit('1'));
  expect(await bank.read(account.id)).toMatchObject({ updatedAt: '2100-01-01T00:00:00.000Z', version: 2 });
});

test('records none when one breaks a rule, and tells of each that does', async () => {
  const unknown = randomUUID();
  const { transactions, userErrors } = await record(
    credit('5'),
    debit('15.0001'),
    credit('1', { accountId: unknown }),
    debit('15'),
    debit('0.0001'),
  );
  expect(transactions).toEqual([]);
  expect(codesOf(userErrors)).toEqual([
    ['INSUFFICIENT_FUNDS', 'input.transactions.1.amount'],
    ['ACCOUNT_NOT_FOUND', 'input.transactions.2.accountId'],
    ['INSUFFICIENT_FUNDS', 'input.transactions.4.amount'],
  ]);
  expect(userErrors[0].message).toBe(
    'A CHECKING account must not fall below zero: it holds 15.0000, less than 15.0001.',
  );
  expect(await bank.read(account.id)).toEqual(account);
  expect(await bank.sql('SELECT FROM transactions WHERE account_id = $1', [account.id])).toEqual([]);
});

test.each([
  ['CHECKING', ['INSUFFICIENT_FUNDS']],
  ['SAVINGS', ['INSUFFICIENT_FUNDS']],
  ['INVESTMENT', ['INSUFFICIENT_FUNDS']],
  ['CREDIT', []],
  ['LOAN', []],
])('lets a %s account fall below zero or not', async (accountType, codes) => {
  const { id } = await bank.open({ accountType });
  const { userErrors } = await record(debit('0.0001', { accountId: id }));
  expect(userErrors.map(({ code }: { code: string }) => code)).toEqual(codes);
  expect(await bank.read(id)).toMatchObject({ balance: codes.length ? '0.0000' : '-0.0001' });
});

test('takes credits on an account that was imported below zero, and no debits until it is above', async () => {
  await bank.sql('UPDATE bank_accounts SET balance = -7 WHERE id = $1', [account.id]);
  expect((await record(credit('3'))).transactions).toMatchObject([{ balanceAfter: '-4.0000' }]);
  expect(codesOf((await record(debit('1'))).userErrors)).toEqual([
    ['INSUFFICIENT_FUNDS', 'input.transactions.0.amount'],
  ]);
});

test.each([
  ['ACTIVE', [], []],
  ['FROZEN', [], ['ACCOUNT_FROZEN']],
  ['PENDING', [], ['ACCOUNT_PENDING']],
  ['CLOSED', ['ACCOUNT_CLOSED'], ['ACCOUNT_CLOSED']],
])('takes on a %s account what its status allows', async (status, ofCredit, ofDebit) => {
  const { id } = await bank.open({ status, openingBalance: '5' });
  const codes = async (transaction: object) =>
    (await record(transaction)).userErrors.map(({ code, field }: { code: string; field: string[] }) => {
      expect(field).toEqual(['input', 'transactions', '0', 'accountId']);
      return code;
    });
  expect(await codes(credit('1', { accountId: id }))).toEqual(ofCredit);
  expect(await codes(debit('1', { accountId: id }))).toEqual(ofDebit);
});

test('refuses what no balance can hold, at either end', async () => {
  const loan = await bank.open({ accountType: 'LOAN', openingBalance: '-999999999999999.9999' });
  const { userErrors } = await record(credit('999999999999999.9999'), debit('0.0001', { accountId: loan.id }));
  expect(codesOf(userErrors)).toEqual([
    ['BALANCE_OUT_OF_RANGE', 'input.transactions.0.amount'],
    ['BALANCE_OUT_OF_RANGE', 'input.transactions.1.amount'],
  ]);
  expect(await bank.read(loan.id)).toEqual(loan);
});

test.each([
  ['accountId', 'x', 'accountId'],
  ['amount', '0', 'amount'],
  ['amount', '1,5', 'amount'],
  ['amount', '٣', 'amount'],
  ['bookedAt', '2025-02-29T00:00:00Z', 'bookedAt'],
  ['bookedAt', '2025-01-01', 'bookedAt'],
  ['category', '', 'category'],
  ['category', 'x'.repeat(201), 'category'],
  ['counterpartyBank', 'x'.repeat(201), 'counterpartyBank'],
  ['description', 'two\u0000', 'description'],
])(
  'names the argument when the %s of the second transaction is %j, and records neither',
  async (name, value, argument) => {
    const { errors } = await bank.send('recordTransactions', batch(credit('1'), credit('1', { [name]: value })));
    expect(errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', argument: `input.transactions[1].${argument}` } },
    ]);
    expect(await bank.read(account.id)).toEqual(account);
  },
);

test('takes 1000 transactions at once, and neither 1001 nor none', async () => {
  const many = Array.from({ length: 1001 }, (_, index) => credit(`0.${index + 1}`.slice(0, 6)));
  for (const refused of [many, []]) {
    const { errors } = await bank.send('recordTransactions', batch(...refused));
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', argument: 'input.transactions' } }]);
  }
  const { transactions } = await record(...many.slice(0, 1000));
  expect(transactions).toHaveLength(1000);
  expect(await bank.read(account.id)).toMatchObject({ balance: transactions[999].balanceAfter, version: 1001 });
});
