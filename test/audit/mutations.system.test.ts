import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSchema } from '../../src/app/schema.ts';
import { Role } from '../../src/auth/caller.ts';
import type { GraphqlAnswer } from '../support/service.ts';
import { startServiceProcess } from '../support/service-process.ts';
import { type Bank, MUTATIONS, newAccount, startBank } from '../transactions/bank-fixture.ts';
import { lineOfRequest, linesOf } from './audit-lines.ts';

const INVALIDATE = `mutation ($input: InvalidateCacheInput!) { invalidateCache(input: $input) { namespaces userErrors { code } } }`;
const DOCUMENTS: Readonly<Record<string, string>> = { ...MUTATIONS, invalidateCache: INVALIDATE };

interface Case {
  readonly input: () => Promise<Record<string, unknown>>;
  /** The line's key. */
  readonly key: (input: Record<string, unknown>, answer: GraphqlAnswer) => unknown;
  /** Rows that its transaction wrote; absent: it has none. */
  readonly wrote?: string;
  /** Statements of its transaction. */
  readonly statements?: readonly string[];
}

const idempotencyKey = (input: Record<string, unknown>) => input.idempotencyKey;
const newTransaction = (accountId: string) => ({ accountId, direction: 'CREDIT', amount: '1' });
const transferInput = async (amount = '1') => {
  const [from, to] = await Promise.all([bank.open({ openingBalance: '100' }), bank.open()]);
  return { idempotencyKey: randomUUID(), fromAccountId: from.id, toAccountId: to.id, amount };
};

/** Each mutation of the schema, as it is done. */
const CASES: Readonly<Record<string, Case>> = {
  createAccount: {
    input: async () => newAccount(),
    key: (_, { data }) => data.createAccount.account.id,
    wrote: 'SELECT xmin::text FROM bank_accounts WHERE id::text = $1',
    statements: ['create'],
  },
  updateAccount: {
    input: async () => ({ id: (await bank.open()).id, bankName: 'Second Bank' }),
    key: ({ id }) => id,
    wrote: 'SELECT xmin::text FROM bank_accounts WHERE id::text = $1',
    statements: ['lockAccounts', 'update'],
  },
  changeAccountStatus: {
    input: async () => ({ id: (await bank.open()).id, status: 'FROZEN' }),
    key: ({ id }) => id,
    wrote: 'SELECT xmin::text FROM bank_accounts WHERE id::text = $1',
    statements: ['lockAccounts', 'update'],
  },
  recordTransactions: {
    input: async () => ({ idempotencyKey: randomUUID(), transactions: [newTransaction((await bank.open()).id)] }),
    key: idempotencyKey,
    wrote: 'SELECT xmin::text FROM idempotency_keys WHERE key = $1',
    statements: ['recordAtOnce'],
  },
  transfer: {
    input: () => transferInput(),
    key: idempotencyKey,
    wrote: 'SELECT xmin::text FROM idempotency_keys WHERE key = $1',
    statements: ['recordAtOnce'],
  },
  invalidateCache: { input: async () => ({ pattern: 'dashboard:*' }), key: ({ pattern }) => pattern },
};

let bank: Bank;
beforeAll(async () => {
  bank = await startBank();
});
afterAll(() => bank?.close());

/** Sends a mutation under an id of its own. */
async function sendAs(token: string, name: string, input: object, url = bank.service.url) {
  const requestId = randomUUID();
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'x-request-id': requestId },
    body: JSON.stringify({ query: DOCUMENTS[name], variables: { input } }),
  });
  const answer = { ...((await response.json()) as object), headers: response.headers } as unknown as GraphqlAnswer;
  return { requestId, answer };
}
const send = (name: string, input: object) => sendAs(bank.token, name, input);

test('every mutation of the schema is in this test’s list', () => {
  expect(Object.keys(createSchema().getMutationType()?.getFields() ?? {}).sort()).toEqual(Object.keys(CASES).sort());
});

describe.each(Object.entries(CASES))('%s', (name, { input: inputOf, key, wrote, statements = [] }) => {
  test('leaves one line with who, what and which, written by the transaction that did it', async () => {
    const input = await inputOf();
    bank.service.statements.splice(0);
    const { requestId, answer } = await send(name, input);
    expect(answer.errors).toBeUndefined();
    const sent = bank.service.statements.filter(({ model }) => model !== 'AuditLine' || !wrote);
    if (wrote) expect(sent.map(({ action }) => action).slice(0, statements.length)).toEqual(statements);
    const { transaction, ...line } = await lineOfRequest(bank, requestId);
    expect(line).toEqual({
      subject: 'test-ADMIN',
      role: 'ADMIN',
      action: name,
      key: key(input, answer),
      requestId,
      outcome: 'DONE',
      codes: [],
      times: 1,
    });
    expect(answer.headers.get('x-request-id')).toBe(requestId);
    if (wrote) expect(await bank.sql(wrote, [line.key])).toEqual([{ xmin: transaction }]);
    expect(await linesOf(bank, { requestId })).toHaveLength(1);
  });

  test('leaves a line that says FORBIDDEN for who may not', async () => {
    const viewer = await bank.service.token(Role.VIEWER, 'acme');
    const { answer } = await sendAs(viewer, name, await inputOf());
    expect(answer.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    // Written when its minute is over: the last test of this file sees it.
  });
});

test('a change that changes nothing, and a repeated request, leave a line with their COMMIT', async () => {
  const account = await bank.open();
  bank.service.statements.splice(0);
  const { requestId } = await send('changeAccountStatus', { id: account.id, status: 'ACTIVE' });
  expect(bank.service.statements.slice(0, 2).map(({ action }) => action)).toEqual(['lockAccounts', 'commit']);
  expect(await linesOf(bank, { requestId })).toMatchObject([{ outcome: 'DONE', key: account.id }]);

  const input = await transferInput();
  await bank.mutate('transfer', input);
  bank.service.statements.splice(0);
  const again = await send('transfer', input);
  const actions = ['recordAtOnce', 'lockAccounts', 'claimKey', 'recordedTransactions', 'commit'];
  expect(bank.service.statements.slice(0, 5).map(({ action }) => action)).toEqual(actions);
  expect(await linesOf(bank, { requestId: again.requestId })).toMatchObject([{ outcome: 'DONE' }]);
});

test('what a rule refuses leaves a line with the rule’s code and nothing else', async () => {
  const input = await transferInput('100.01');
  const { requestId, answer } = await send('transfer', input);
  expect(answer.data.transfer.userErrors).toHaveLength(1);
  const line = await lineOfRequest(bank, requestId);
  expect(line).toMatchObject({ outcome: 'REFUSED', codes: ['INSUFFICIENT_FUNDS'], key: input.idempotencyKey });
  expect(await bank.sql('SELECT 1 FROM idempotency_keys WHERE key = $1', [input.idempotencyKey])).toEqual([]);
  expect(JSON.stringify(line)).not.toContain('100.01');

  const twice = { ...newAccount() };
  await bank.mutate('createAccount', twice);
  const { requestId: second } = await send('createAccount', twice);
  expect(await lineOfRequest(bank, second)).toMatchObject({
    outcome: 'REFUSED',
    codes: ['DUPLICATE_ACCOUNT_NUMBER'],
    key: null,
  });
  expect(await linesOf(bank, { requestId: second })).toHaveLength(1);
});

test('what fails leaves a line with the error’s code, and of a text in place of an id nothing', async () => {
  const { requestId } = await send('updateAccount', { id: 'my own secret', bankName: 'X' });
  expect(await lineOfRequest(bank, requestId)).toMatchObject({
    outcome: 'FAILED',
    codes: ['BAD_USER_INPUT'],
    key: null,
  });
});

test('a COMMIT whose answer is lost leaves one line, that says so', async () => {
  const input = await transferInput();
  const other = await bank.hold('SELECT FROM bank_accounts WHERE id = $1 FOR UPDATE', [input.toAccountId]);
  const sent = send('transfer', input);
  await bank.untilWaiting(1);
  await bank.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`);
  const { requestId } = await sent;
  await other.query('COMMIT');
  expect(await lineOfRequest(bank, requestId)).toMatchObject({ outcome: 'UNKNOWN', codes: ['SERVICE_UNAVAILABLE'] });
  expect(await linesOf(bank, { requestId })).toHaveLength(1);
});

test('a process that is killed before the COMMIT leaves no line', async () => {
  const { id, version } = await bank.open();
  const crashing = await startServiceProcess(bank.service.databaseUrl);
  const other = await bank.hold('SELECT FROM bank_accounts WHERE id = $1 FOR UPDATE', [id]);
  const sent = sendAs(bank.token, 'changeAccountStatus', { id, status: 'FROZEN' }, crashing.url).catch(() => 'lost');
  await bank.untilWaiting(1);
  await crashing.kill();
  expect(await sent).toBe('lost');
  await other.query('COMMIT');
  // Behind what the killed process may have left under way.
  await bank.sql('SELECT 1 FROM bank_accounts WHERE id = $1 FOR UPDATE', [id]);
  expect((await bank.read(id)).version).toBe(version);
  expect(await bank.sql("SELECT outcome FROM audit_log WHERE key = $1 AND action <> 'createAccount'", [id])).toEqual(
    [],
  );
});
