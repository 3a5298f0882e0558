import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { type Account, type Bank, MUTATIONS, startBank } from '../transactions/bank-fixture.ts';

let bank: Bank;
let from: Account;
let to: Account;
let crashing: ServiceProcess;
/** One for each test: they take long to start. */
let processes: ServiceProcess[] = [];

beforeAll(async () => {
  bank = await startBank();
  const start = () => startServiceProcess(bank.service.databaseUrl);
  processes = await Promise.all([start(), start()]);
});
afterAll(async () => {
  await Promise.all(processes.map((process) => process.kill()));
  await bank.close();
});
beforeEach(async () => {
  from = await bank.open({ openingBalance: '100' });
  to = await bank.open();
  const next = processes.find(({ isKilled }) => !isKilled());
  if (!next) throw new Error('there are more tests than processes');
  crashing = next;
});

const order = () => ({ idempotencyKey: randomUUID(), fromAccountId: from.id, toAccountId: to.id, amount: '40' });
const balances = async () => [(await bank.read(from.id)).balance, (await bank.read(to.id)).balance];

/** The request whose answer never comes. */
function sendInVain(input: object): Promise<unknown> {
  const answer = fetch(`${crashing.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${bank.token}` },
    body: JSON.stringify({ query: MUTATIONS.transfer, variables: { input } }),
  });
  return expect(answer).rejects.toThrow();
}

test('carries out once what the process was killed before it committed', async () => {
  const input = order();
  const other = await bank.hold('SELECT FROM bank_accounts WHERE id = $1 FOR UPDATE', [to.id]);
  const failed = sendInVain(input);
  await bank.untilWaiting(1);
  await crashing.kill();
  await failed;
  await other.query('COMMIT');
  const { debit, credit } = await bank.mutate('transfer', input);
  expect([debit.balanceAfter, credit.balanceAfter]).toEqual(['60.0000', '40.0000']);
  expect(await balances()).toEqual(['60.0000', '40.0000']);
});

test('gives the first result again when the process was killed after it committed and before it answered', async () => {
  const input = order();
  const other = await bank.hold('SELECT FROM bank_accounts WHERE id = $1 FOR UPDATE', [to.id]);
  const failed = sendInVain(input);
  await bank.untilWaiting(1);
  // Comes behind the transfer, which has the table already, and ahead of the accounts that its
  // answer reads.
  const reader = await bank.hold('SELECT 1');
  const locked = reader.query('LOCK TABLE bank_accounts IN ACCESS EXCLUSIVE MODE');
  await bank.untilWaiting(2);
  await other.query('COMMIT');
  await locked;
  await bank.untilWaiting(1);
  await crashing.kill();
  await failed;
  await reader.query('COMMIT');

  expect(await balances()).toEqual(['60.0000', '40.0000']);
  const booked = await bank.sql('SELECT id FROM transactions WHERE account_id IN ($1, $2) ORDER BY id', [
    from.id,
    to.id,
  ]);
  const { debit, credit } = await bank.mutate('transfer', input);
  expect([debit, credit].map(({ id }) => ({ id }))).toEqual(booked);
  expect(await balances()).toEqual(['60.0000', '40.0000']);
});
