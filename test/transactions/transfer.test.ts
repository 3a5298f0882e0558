import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Account, type Bank, startBank } from './bank-fixture.ts';

let bank: Bank;
let from: Account;
let to: Account;

beforeAll(async () => {
  bank = await startBank();
});
afterAll(() => bank.close());
beforeEach(async () => {
  from = await bank.open({ bankName: 'North Bank', openingBalance: '100' });
  to = await bank.open({ bankName: 'South Bank', openingBalance: '0.5' });
});

function order(input: object = {}) {
  return { idempotencyKey: randomUUID(), fromAccountId: from.id, toAccountId: to.id, amount: '30.25', ...input };
}

test('moves both legs, and gives them as they were booked', async () => {
  const { debit, credit, userErrors } = await bank.mutate('transfer', order({ description: 'rent' }));
  expect(userErrors).toEqual([]);
  expect(debit).toMatchObject({
    direction: 'DEBIT',
    amount: '30.2500',
    balanceAfter: '69.7500',
    currency: 'EUR',
    counterpartyBank: 'South Bank',
    description: 'rent',
    category: null,
    account: { id: from.id },
  });
  expect(credit).toMatchObject({
    direction: 'CREDIT',
    amount: '30.2500',
    balanceAfter: '30.7500',
    counterpartyBank: 'North Bank',
    account: { id: to.id },
  });
  expect(await bank.read(from.id)).toMatchObject({ balance: '69.7500', version: 2, updatedAt: debit.bookedAt });
  expect(await bank.read(to.id)).toMatchObject({ balance: '30.7500', version: 2, updatedAt: credit.bookedAt });
});

test.each([
  ['one round trip, whose statement does all of it', {}, ['WITH']],
  [
    'four where a rule has to be looked up: three after the one that did nothing',
    { accountType: 'CREDIT', openingBalance: '-1' },
    ['WITH', 'SELECT', 'INSERT', 'WITH'],
  ],
])('costs %s; the beginning and the end travel along', async (_cost, account, statements) => {
  const payer = await bank.open({ openingBalance: '100', ...account });
  const document = 'mutation ($input: TransferInput!) { transfer(input: $input) { debit { balanceAfter } } }';
  bank.service.statements.splice(0);
  const { data } = await bank.service.send(bank.token, document, { input: order({ fromAccountId: payer.id }) });
  expect(data.transfer.debit).not.toBeNull();
  expect(bank.service.statements.map(({ sql }) => sql.trim().split(/\s/)[0])).toEqual(statements);
});

test.each([
  ['more than the account holds', () => ({ amount: '100.0001' }), 'INSUFFICIENT_FUNDS', ['input', 'amount']],
  ['money to where it comes from', () => ({ toAccountId: from.id }), 'SAME_ACCOUNT', ['input', 'toAccountId']],
  ['from an unknown account', () => ({ fromAccountId: randomUUID() }), 'ACCOUNT_NOT_FOUND', ['input', 'fromAccountId']],
  ['to an unknown account', () => ({ toAccountId: randomUUID() }), 'ACCOUNT_NOT_FOUND', ['input', 'toAccountId']],
])('refuses %s, and leaves both accounts as they were', async (_what, change, code, field) => {
  const { debit, credit, userErrors } = await bank.mutate('transfer', order(change()));
  expect([debit, credit]).toEqual([null, null]);
  expect(userErrors).toEqual([{ field, code, message: expect.any(String) }]);
  expect(await bank.read(from.id)).toEqual(from);
  expect(await bank.read(to.id)).toEqual(to);
});

test('refuses to turn one currency into another', async () => {
  const dollars = await bank.open({ currency: 'USD' });
  const { userErrors } = await bank.mutate('transfer', order({ toAccountId: dollars.id }));
  expect(userErrors).toEqual([
    {
      field: ['input', 'toAccountId'],
      code: 'CURRENCY_MISMATCH',
      message: 'Both accounts must have the same currency, but the money is EUR and the account USD.',
    },
  ]);
});

test('tells of both accounts when neither can take part', async () => {
  const [closed, pending] = [await bank.open({ status: 'CLOSED' }), await bank.open({ status: 'PENDING' })];
  const { userErrors } = await bank.mutate('transfer', order({ fromAccountId: pending.id, toAccountId: closed.id }));
  expect(userErrors.map(({ code, field }: { code: string; field: string[] }) => [code, field.at(-1)])).toEqual([
    ['ACCOUNT_PENDING', 'fromAccountId'],
    ['ACCOUNT_CLOSED', 'toAccountId'],
  ]);
});

test.each([
  ['fromAccountId', 'no id', 'input.fromAccountId'],
  ['toAccountId', '', 'input.toAccountId'],
  ['amount', '0.0000', 'input.amount'],
  ['amount', '-1', 'input.amount'],
  ['amount', '1.00001', 'input.amount'],
  ['amount', '1e3', 'input.amount'],
  ['amount', '1000000000000000', 'input.amount'],
  ['description', 'x'.repeat(10_001), 'input.description'],
  ['description', ' ', 'input.description'],
  ['idempotencyKey', '', 'input.idempotencyKey'],
  ['idempotencyKey', 'k'.repeat(201), 'input.idempotencyKey'],
])('names the argument when %s is %j', async (name, value, argument) => {
  const { errors, data } = await bank.send('transfer', order({ [name]: value }));
  expect(data).toBeNull();
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', argument } }]);
});

test('shows the accounts as they are after each of two transfers of one operation', async () => {
  const document = `mutation ($first: TransferInput!, $second: TransferInput!) {
    first: transfer(input: $first) { debit { account { balance version } } }
    second: transfer(input: $second) { debit { account { balance version } } }
  }`;
  const { data } = await bank.service.send(bank.token, document, {
    first: order({ amount: '1' }),
    second: order({ amount: '2' }),
  });
  expect(data.first.debit.account).toEqual({ balance: '99.0000', version: 2 });
  expect(data.second.debit.account).toEqual({ balance: '97.0000', version: 3 });
});

test('is seen at once by answers that were kept before it', async () => {
  const document = `{
    accounts(filter: { accountNumber: "${from.accountNumber}" }) { nodes { balance recentTransactions { amount } } }
    dashboard { overview { balances { currency amount } } activity(days: 1) { totals { transactionCount } } }
    statistics { totals { transactionCount } }
  }`;
  const ask = () => bank.service.send(bank.token, document);
  const before = (await ask()).data;
  expect((await ask()).data).toEqual(before);
  await bank.mutate('transfer', order());
  const { data: after } = await ask();
  expect(after.accounts.nodes).toEqual([{ balance: '69.7500', recentTransactions: [{ amount: '30.2500' }] }]);
  expect(after.dashboard.overview).toEqual(before.dashboard.overview);
  const count = before.dashboard.activity.totals[0]?.transactionCount ?? 0;
  expect(after.dashboard.activity.totals[0].transactionCount).toBe(count + 2);
  expect(after.statistics.totals[0].transactionCount).toBe(count + 2);
});
