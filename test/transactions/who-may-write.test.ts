import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { type Account, type Bank, MUTATIONS, type MutationName, newAccount, startBank } from './bank-fixture.ts';

let bank: Bank;
let own: Account;
let rivals: Account;

beforeAll(async () => {
  bank = await startBank();
});
afterAll(() => bank.close());
beforeEach(async () => {
  own = await bank.open({ openingBalance: '10' });
  rivals = await bank.open({ openingBalance: '10' }, bank.rivalToken);
});

/** Each mutation with an input that would change the account. */
const INPUTS: Record<MutationName, (accountId: string) => object> = {
  createAccount: () => newAccount(),
  updateAccount: (id) => ({ id, bankName: 'Changed' }),
  changeAccountStatus: (id) => ({ id, status: 'FROZEN' }),
  recordTransactions: (accountId) => ({
    idempotencyKey: randomUUID(),
    transactions: [{ accountId, direction: 'DEBIT', amount: '1' }],
  }),
  transfer: (fromAccountId) => ({ idempotencyKey: randomUUID(), fromAccountId, toAccountId: own.id, amount: '1' }),
};
const mutations = Object.keys(MUTATIONS) as MutationName[];
const ofAccounts = mutations.filter((mutation) => mutation !== 'createAccount');

/** All that mutations can change, of both tenants. */
const everything = () =>
  bank.sql(`SELECT (SELECT json_agg(account ORDER BY id) FROM bank_accounts account) AS accounts,
    (SELECT count(*) FROM transactions) AS transactions, (SELECT count(*) FROM idempotency_keys) AS keys`);

test.each(mutations)('lets nobody but an ADMIN use %s', async (mutation) => {
  const before = await everything();
  for (const role of [Role.VIEWER, Role.ANALYST, Role.OPERATOR]) {
    const token = await bank.service.token(role, role === Role.OPERATOR ? undefined : 'acme');
    const { errors } = await bank.send(mutation, INPUTS[mutation](own.id), token);
    expect(errors).toMatchObject([{ message: 'This needs the role ADMIN.', extensions: { code: 'FORBIDDEN' } }]);
  }
  const { errors, status } = await bank.service.send(null, MUTATIONS[mutation], { input: INPUTS[mutation](own.id) });
  expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  expect(status).toBe(401);
  expect(await everything()).toEqual(before);
});

test.each(ofAccounts)('answers %s on an account of another tenant as on one that does not exist', async (mutation) => {
  const before = await everything();
  const foreign = await bank.mutate(mutation, INPUTS[mutation](rivals.id));
  const unknown = await bank.mutate(mutation, INPUTS[mutation](randomUUID()));
  expect(foreign).toEqual(unknown);
  expect(foreign.userErrors).toMatchObject([{ code: 'ACCOUNT_NOT_FOUND' }]);
  expect(await everything()).toEqual(before);
});

test('sends no money to another tenant', async () => {
  const input = { ...INPUTS.transfer(own.id), toAccountId: rivals.id };
  const { userErrors } = await bank.mutate('transfer', input);
  expect(userErrors).toMatchObject([{ code: 'ACCOUNT_NOT_FOUND', field: ['input', 'toAccountId'] }]);
  expect(await bank.read(own.id)).toEqual(own);
});

test.each(ofAccounts)('changes with %s what belongs to the caller alone', async (mutation) => {
  const to = await bank.open();
  const input = { ...INPUTS[mutation](own.id), ...(mutation === 'transfer' && { toAccountId: to.id }) };
  const [before] = await bank.sql('SELECT * FROM bank_accounts WHERE id = $1', [rivals.id]);
  expect((await bank.mutate(mutation, input)).userErrors).toEqual([]);
  expect(await bank.read(own.id)).toMatchObject({ version: 2 });
  expect(await bank.sql('SELECT * FROM bank_accounts WHERE id = $1', [rivals.id])).toEqual([before]);
});
