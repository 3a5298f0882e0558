import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Account, type Bank, startBank } from '../transactions/bank-fixture.ts';

let bank: Bank;
let from: Account;
let to: Account;
let key: string;

beforeAll(async () => {
  bank = await startBank();
});
afterAll(() => bank.close());
beforeEach(async () => {
  from = await bank.open({ openingBalance: '100' });
  to = await bank.open();
  key = randomUUID();
});

const order = (input: object = {}) => ({
  idempotencyKey: key,
  fromAccountId: from.id,
  toAccountId: to.id,
  amount: '40.5',
  ...input,
});
const batch = (transaction: object = {}, more: object[] = []) => ({
  idempotencyKey: key,
  transactions: [{ accountId: from.id, direction: 'DEBIT', amount: '40.5', ...transaction }, ...more],
});
const transactionCount = async () =>
  (await bank.sql('SELECT FROM transactions WHERE account_id IN ($1, $2)', [from.id, to.id])).length;
const reused = [{ field: ['input', 'idempotencyKey'], code: 'IDEMPOTENCY_KEY_REUSED', message: expect.any(String) }];

test('gives the first transfer again, and moves nothing', async () => {
  const first = await bank.mutate('transfer', order());
  await bank.mutate('transfer', order({ idempotencyKey: randomUUID(), amount: '1' }));
  expect(await bank.mutate('transfer', order())).toEqual(first);
  expect(await bank.read(from.id)).toMatchObject({ balance: '58.5000', version: 3 });
});

test('gives the first transactions again in their order, also when the money would not suffice any more', async () => {
  const input = batch({}, [{ accountId: to.id, direction: 'CREDIT', amount: '1' }, { ...batch().transactions[0] }]);
  const first = await bank.mutate('recordTransactions', input);
  expect(first.transactions).toMatchObject([
    { account: { id: from.id }, balanceAfter: '59.5000' },
    { account: { id: to.id }, balanceAfter: '1.0000' },
    { account: { id: from.id }, balanceAfter: '19.0000' },
  ]);
  expect(await bank.mutate('recordTransactions', input)).toEqual(first);
  expect(await transactionCount()).toBe(3);
});

test.each([
  ['amount', { amount: '40.5000' }],
  ['amount', { amount: '+040.50' }],
  ['bookedAt', { bookedAt: '2025-01-01T01:00:00.000+01:00' }],
  ['category', { category: ' rent ' }],
  ['description', { description: null }],
])('takes %s for the same when it is only written in another way: %j', async (_what, spelling) => {
  const input = { amount: '40.5', bookedAt: '2025-01-01T00:00:00Z', category: 'rent' };
  const first = await bank.mutate('recordTransactions', batch(input));
  const upper = { ...input, ...spelling, accountId: from.id.toUpperCase() };
  expect(await bank.mutate('recordTransactions', batch(upper))).toEqual(first);
  expect(await transactionCount()).toBe(1);
});

test('knows a request without bookedAt again at a later time', async () => {
  const first = await bank.mutate('recordTransactions', batch());
  expect(await bank.mutate('recordTransactions', batch({ bookedAt: null }))).toEqual(first);
  expect(await bank.mutate('recordTransactions', batch({ bookedAt: first.transactions[0].bookedAt }))).toEqual({
    transactions: [],
    userErrors: reused,
  });
});

test.each([
  ['amount', { amount: '40.51' }],
  ['direction', { direction: 'CREDIT' }],
  ['accountId', () => ({ accountId: to.id })],
  ['category', { category: 'rent' }],
  ['description', { description: 'rent' }],
  ['counterpartyBank', { counterpartyBank: 'rent' }],
])('refuses the key with another %s, and records nothing', async (_what, change) => {
  await bank.mutate('recordTransactions', batch({ direction: 'CREDIT', amount: '40.5' }));
  const changed = typeof change === 'function' ? change() : change;
  const other = { direction: 'CREDIT', ...changed, ...('direction' in changed && { direction: 'DEBIT' }) };
  expect(await bank.mutate('recordTransactions', batch(other))).toEqual({ transactions: [], userErrors: reused });
  expect(await transactionCount()).toBe(1);
});

test('refuses the key of one mutation for the other', async () => {
  await bank.mutate('recordTransactions', batch());
  expect(await bank.mutate('transfer', order())).toEqual({ debit: null, credit: null, userErrors: reused });
});

test.each([
  ['the debit', 0],
  ['the credit', 1],
])('says that %s of a transfer was deleted since, and moves nothing', async (_what, index) => {
  const { debit, credit } = await bank.mutate('transfer', order());
  const { id } = [debit, credit][index];
  await bank.sql('DELETE FROM transactions WHERE id = $1', [id]);
  const userErrors = [
    {
      field: ['input', 'idempotencyKey'],
      code: 'TRANSACTION_DELETED',
      message: expect.stringContaining(`recorded were deleted since, 1 of 2 (${id})`),
    },
  ];
  expect(await bank.mutate('transfer', order())).toEqual({ debit: null, credit: null, userErrors });
  expect(await transactionCount()).toBe(1);
  expect(await bank.read(from.id)).toMatchObject({ balance: '59.5000', version: 2 });
});

test('says so of transactions too, also when their account was deleted with them', async () => {
  const input = batch({}, [{ accountId: to.id, direction: 'CREDIT', amount: '1' }]);
  const { transactions } = await bank.mutate('recordTransactions', input);
  await bank.sql('DELETE FROM bank_accounts WHERE id = $1', [from.id]);
  expect(await bank.mutate('recordTransactions', input)).toEqual({
    transactions: [],
    userErrors: [
      {
        field: ['input', 'idempotencyKey'],
        code: 'TRANSACTION_DELETED',
        message: expect.stringContaining(transactions[0].id),
      },
    ],
  });
  await bank.sql('DELETE FROM transactions WHERE id = $1', [transactions[1].id]);
  expect((await bank.mutate('recordTransactions', input)).userErrors).toMatchObject([{ code: 'TRANSACTION_DELETED' }]);
});

test('frees the key of a request that broke a rule', async () => {
  const tooMuch = order({ amount: '100.5' });
  expect((await bank.mutate('transfer', tooMuch)).userErrors).toMatchObject([{ code: 'INSUFFICIENT_FUNDS' }]);
  await bank.mutate('recordTransactions', {
    idempotencyKey: randomUUID(),
    transactions: [{ accountId: from.id, direction: 'CREDIT', amount: '0.5' }],
  });
  expect((await bank.mutate('transfer', tooMuch)).debit).toMatchObject({ balanceAfter: '0.0000' });
});

test('carries out one of two equal requests that come at the same time, and answers both alike', async () => {
  const other = await bank.hold('SELECT FROM bank_accounts WHERE id = $1 FOR UPDATE', [from.id]);
  const answers = [bank.mutate('transfer', order()), bank.mutate('transfer', order())];
  await bank.untilWaiting(2);
  await other.query('COMMIT');
  const [first, second] = await Promise.all(answers);
  expect(first.debit).toMatchObject({ balanceAfter: '59.5000' });
  expect(second).toEqual(first);
  expect(await transactionCount()).toBe(2);
});

test('carries out the second of two equal requests when the first one is lost on its way', async () => {
  const other = await bank.hold('SELECT FROM bank_accounts WHERE id = $1 FOR UPDATE', [from.id]);
  const [{ pid }] = (await other.query('SELECT pg_backend_pid() AS pid')).rows;
  const first = bank.send('transfer', order());
  await bank.untilWaiting(1);
  // Found before it is ended: from that moment on the second one is blocked by the same lock.
  const blocked = 'SELECT pid FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))';
  const [lost] = await bank.sql(blocked, [pid]);
  const second = bank.mutate('transfer', order());
  await bank.untilWaiting(2);
  await bank.sql('SELECT pg_terminate_backend($1)', [lost.pid]);
  expect((await first).errors).toMatchObject([{ extensions: { code: 'SERVICE_UNAVAILABLE' } }]);
  await bank.untilWaiting(1);
  await other.query('COMMIT');
  expect((await second).debit).toMatchObject({ balanceAfter: '59.5000' });
  expect(await transactionCount()).toBe(2);
});

test('judges the second of two equal requests anew when the first one breaks a rule', async () => {
  const other = await bank.hold('UPDATE bank_accounts SET balance = 1 WHERE id = $1', [from.id]);
  const answers = [bank.mutate('transfer', order()), bank.mutate('transfer', order())];
  await bank.untilWaiting(2);
  await other.query('COMMIT');
  for (const { userErrors } of await Promise.all(answers))
    expect(userErrors).toMatchObject([{ code: 'INSUFFICIENT_FUNDS' }]);
  expect(await bank.sql('SELECT FROM idempotency_keys WHERE key = $1', [key])).toEqual([]);
});

test('answers many equal requests that come at the same time with one result', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => bank.mutate('recordTransactions', batch())));
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(await bank.read(from.id)).toMatchObject({ balance: '59.5000', version: 2 });
});

test('keeps the keys of tenants apart', async () => {
  const rivals = await bank.open({ openingBalance: '5' }, bank.rivalToken);
  await bank.mutate('recordTransactions', batch());
  const input = { ...batch({ accountId: rivals.id, amount: '2' }) };
  const { transactions } = await bank.mutate('recordTransactions', input, bank.rivalToken);
  expect(transactions).toMatchObject([{ balanceAfter: '3.0000', account: { id: rivals.id } }]);
});
