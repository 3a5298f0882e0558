import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Account, type Bank, startBank } from './bank-fixture.ts';

/** Long enough for a test to send one statement meanwhile, short enough to wait for. */
const DEADLOCK_TIMEOUT = '500ms';

/** As many as the service has connections. */
const CLIENTS = 10;

let bank: Bank;
/** In the order of their ids. */
let accounts: readonly [Account, Account, Account, Account];

beforeAll(async () => {
  bank = await startBank({ databaseSettings: { deadlock_timeout: DEADLOCK_TIMEOUT } });
});
afterAll(() => bank.close());
beforeEach(async () => {
  const open = () => bank.open({ openingBalance: '1000' });
  bank.service.statements.splice(0);
  accounts = [await open(), await open(), await open(), await open()];
});

const transfer = (from: Account, to: Account, amount = '1') =>
  bank.mutate('transfer', { idempotencyKey: randomUUID(), fromAccountId: from.id, toAccountId: to.id, amount });
const record = (given: readonly (readonly [Account, string])[]) => {
  const transactions = given.map(([{ id }, direction]) => ({ accountId: id, direction, amount: '1' }));
  return bank.mutate('recordTransactions', { idempotencyKey: randomUUID(), transactions });
};
/**
 * Statements that PostgreSQL refused since the test began: each deadlock is one, also when it is
 * tried again.
 */
const failures = () => bank.service.statements.filter(({ failed }) => failed).map(({ sql }) => sql);
const times = <Result>(count: number, make: (index: number) => Promise<Result>) =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

test('carries out opposite transfers at the same time, and none of them meets a deadlock', async () => {
  const [a, b] = accounts;
  const payloads = await times(CLIENTS, async (client) => {
    const [from, to] = client % 2 ? [a, b] : [b, a];
    const userErrors = [];
    for (let index = 0; index < 12; index++) userErrors.push(...(await transfer(from, to, '2')).userErrors);
    return userErrors;
  });
  expect(payloads.flat()).toEqual([]);
  expect(await bank.read(a.id)).toMatchObject({ balance: '1000.0000', version: 1 + CLIENTS * 12 });
  expect(await bank.read(b.id)).toMatchObject({ balance: '1000.0000', version: 1 + CLIENTS * 12 });
  expect(failures()).toEqual([]);
});

test('carries out batches over overlapping accounts at the same time, in whatever order they name them', async () => {
  const [a, b, c, d] = accounts;
  const orders = [
    [a, b, c],
    [c, b, a],
    [d, a, b],
    [b, d, a],
    [c, d, c],
  ];
  await times(40, (index) => record((orders[index % orders.length] ?? []).map((account) => [account, 'CREDIT'])));
  const counts = { [a.id]: 32, [b.id]: 32, [c.id]: 32, [d.id]: 24 };
  for (const [id, count] of Object.entries(counts))
    expect(await bank.read(id)).toMatchObject({ balance: `${1000 + count}.0000`, version: 1 + count });
  expect(failures()).toEqual([]);
});

test('never spends the same money twice', async () => {
  const [a, b] = accounts;
  const payloads = await times(12, () => transfer(a, b, '100'));
  const codes = payloads.flatMap(({ userErrors }) => userErrors.map(({ code }: { code: string }) => code));
  expect(codes).toEqual(['INSUFFICIENT_FUNDS', 'INSUFFICIENT_FUNDS']);
  expect(await bank.read(a.id)).toMatchObject({ balance: '0.0000', version: 11 });
});

test('numbers the balances of one account without a gap, whoever comes first', async () => {
  const [a, b] = accounts;
  const payloads = await times(20, () => transfer(a, b));
  const balances = payloads.map(({ debit }) => debit.balanceAfter).sort();
  expect(balances).toEqual(Array.from({ length: 20 }, (_, index) => `${980 + index}.0000`));
});

test('does not wait for an import that has inserted rows for the same account', async () => {
  const [a, b] = accounts;
  const importing = await bank.hold(
    `INSERT INTO transactions (tenant_id, account_id, direction, amount, currency, external_id)
     SELECT tenant_id, id, 'CREDIT', 1, currency, 'import-1' FROM bank_accounts WHERE id = $1`,
    [a.id],
  );
  expect((await transfer(a, b)).debit).toMatchObject({ balanceAfter: '999.0000' });
  await importing.query('ROLLBACK');
});

test('tries again when it was chosen to end a deadlock with somebody who locks in another order', async () => {
  const [a, b] = accounts;
  const other = await bank.hold('SELECT FROM bank_accounts WHERE id = $1 FOR UPDATE', [b.id]);
  await other.query("SET LOCAL deadlock_timeout = '1min'"); // so that the other one is chosen
  const answer = transfer(a, b);
  await bank.untilWaiting(1);
  await other.query('SELECT FROM bank_accounts WHERE id = $1 FOR UPDATE', [a.id]);
  await other.query('COMMIT');
  expect((await answer).userErrors).toEqual([]);
  expect(failures()).toEqual([expect.stringContaining('FOR NO KEY UPDATE')]);
  expect(await bank.read(a.id)).toMatchObject({ balance: '999.0000', version: 2 });
  expect(await bank.read(b.id)).toMatchObject({ balance: '1001.0000', version: 2 });
});
