import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Account, type Bank, startBank } from './bank-fixture.ts';

let bank: Bank;
let from: Account;
let to: Account;

beforeAll(async () => {
  bank = await startBank({ env: { STATEMENT_TIMEOUT_MS: '1000' } });
  from = await bank.open({ openingBalance: '100' });
  to = await bank.open();
});
afterAll(() => bank.close());

test.each([
  ['stays locked for longer than a statement may take', 'TIMEOUT', async () => {}],
  [
    'is waited for on a connection that is lost',
    'SERVICE_UNAVAILABLE',
    () =>
      bank.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      ),
  ],
])('says so when an account %s, and takes the same transfer again', async (_what, code, fail) => {
  const before = await bank.read(from.id);
  const order = { idempotencyKey: randomUUID(), fromAccountId: from.id, toAccountId: to.id, amount: '1' };
  const other = await bank.hold('SELECT FROM bank_accounts WHERE id = $1 FOR UPDATE', [to.id]);
  const answer = bank.send('transfer', order);
  await bank.untilWaiting(1);
  await fail();
  const { errors } = await answer;
  await other.query('COMMIT');
  expect(errors).toMatchObject([{ extensions: { code } }]);
  expect(await bank.read(from.id)).toEqual(before);
  expect((await bank.mutate('transfer', order)).userErrors).toEqual([]);
  expect(await bank.read(from.id)).toMatchObject({ version: before.version + 1 });
});
