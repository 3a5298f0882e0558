import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ACCOUNT, type Account, type Bank, newAccount, startBank } from '../transactions/bank-fixture.ts';

let bank: Bank;
let account: Account;

beforeAll(async () => {
  bank = await startBank();
});
afterAll(() => bank.close());
beforeEach(async () => {
  account = await bank.open();
});

const error = (code: string, ...field: string[]) => [{ field: ['input', ...field], code, message: expect.any(String) }];
const update = (input: object) => bank.mutate('updateAccount', { id: account.id, ...input });
const changeStatus = (input: object) => bank.mutate('changeAccountStatus', { id: account.id, ...input });

test('opens an account as it was asked for', async () => {
  const said = { accountNumber: `0${randomUUID()}`, accountType: 'LOAN', currency: 'CZK', status: 'PENDING' };
  const input = { ...said, bankName: ' Österreichische Bank ', openingBalance: '-1234.5' };
  const { account: opened, userErrors } = await bank.mutate('createAccount', input);
  expect(userErrors).toEqual([]);
  expect(opened).toMatchObject({
    ...said,
    bankName: 'Österreichische Bank',
    balance: '-1234.5000',
    isActive: false,
    version: 1,
    updatedAt: opened.createdAt,
  });
  expect(await bank.read(opened.id)).toEqual(opened);
});

test('opens an active account without money when nothing else is said', () => {
  expect(account).toMatchObject({ status: 'ACTIVE', isActive: true, balance: '0.0000' });
});

test('refuses a number that the bank has, and takes it at another bank and for another tenant', async () => {
  const { accountNumber, bankName } = account;
  expect(await bank.mutate('createAccount', { ...newAccount(), accountNumber })).toEqual({
    account: null,
    userErrors: [
      {
        field: ['input', 'accountNumber'],
        code: 'DUPLICATE_ACCOUNT_NUMBER',
        message: `There is an account ${accountNumber} at ${bankName} already; numbers are unique within a bank.`,
      },
    ],
  });
  expect(await bank.open({ accountNumber, bankName: 'Second Bank' })).toMatchObject({ accountNumber });
  expect(await bank.open({ accountNumber }, bank.rivalToken)).toMatchObject({ accountNumber, bankName });
});

test('opens one of two accounts with the same number that are asked for at the same time', async () => {
  const input = newAccount();
  const payloads = await Promise.all([bank.mutate('createAccount', input), bank.mutate('createAccount', input)]);
  expect(payloads.map(({ userErrors }) => userErrors.length).sort()).toEqual([0, 1]);
});

test.each(['CHECKING', 'SAVINGS', 'INVESTMENT'])('opens no %s account below zero', async (accountType) => {
  const input = { ...newAccount(), accountType, openingBalance: '-0.0001' };
  expect(await bank.mutate('createAccount', input)).toEqual({
    account: null,
    userErrors: error('OVERDRAFT_NOT_ALLOWED', 'openingBalance'),
  });
  expect(await bank.open({ accountType, openingBalance: '-0.0000' })).toMatchObject({ balance: '0.0000' });
});

test.each([
  ['bankName', ''],
  ['bankName', 'x'.repeat(201)],
  ['accountNumber', '\u0007'],
  ['accountNumber', '1'.repeat(101)],
  ['currency', 'eur'],
  ['currency', 'EURO'],
  ['openingBalance', '1.23456'],
  ['openingBalance', '9999999999999999'],
  ['openingBalance', 'NaN'],
])('names the argument when %s is %j, and opens nothing', async (name, value) => {
  const input = { ...newAccount(), [name]: value };
  const { errors, data } = await bank.send('createAccount', input);
  expect(data).toBeNull();
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', argument: `input.${name}` } }]);
  expect(await bank.sql('SELECT FROM bank_accounts WHERE account_number = $1', [input.accountNumber])).toEqual([]);
});

test('changes what is given and leaves the rest, one version on', async () => {
  const { account: renamed } = await update({ bankName: 'New Bank' });
  expect(renamed).toEqual({ ...account, bankName: 'New Bank', version: 2, updatedAt: renamed.updatedAt });
  expect(Date.parse(renamed.updatedAt)).toBeGreaterThanOrEqual(Date.parse(account.updatedAt));
  const { account: retyped } = await update({ accountType: 'SAVINGS' });
  expect(retyped).toEqual({ ...renamed, accountType: 'SAVINGS', version: 3, updatedAt: retyped.updatedAt });
  expect(await bank.read(account.id)).toEqual(retyped);
});

test.each([
  ['nothing', {}],
  ['only what it is already', { bankName: 'First Bank', accountType: 'CHECKING' }],
  ['nulls', { bankName: null, accountType: null }],
])('leaves the account and its version as they are when given %s', async (_what, input) => {
  expect(await update(input)).toEqual({ account, userErrors: [] });
  expect(await bank.read(account.id)).toEqual(account);
});

test('moves no account to a bank that has its number', async () => {
  const { accountNumber } = account;
  await bank.open({ accountNumber, bankName: 'Taken Bank' });
  expect(await update({ bankName: 'Taken Bank' })).toEqual({
    account: null,
    userErrors: error('DUPLICATE_ACCOUNT_NUMBER', 'bankName'),
  });
  expect(await bank.read(account.id)).toEqual(account);
});

test('gives no account below zero a type that may not be', async () => {
  account = await bank.open({ accountType: 'CREDIT', openingBalance: '-1' });
  expect(await update({ accountType: 'SAVINGS' })).toEqual({
    account: null,
    userErrors: error('OVERDRAFT_NOT_ALLOWED', 'accountType'),
  });
  expect((await update({ accountType: 'LOAN' })).account).toMatchObject({ accountType: 'LOAN', balance: '-1.0000' });
});

test('renames the bank of an account that was imported below zero', async () => {
  await bank.sql('UPDATE bank_accounts SET balance = -1 WHERE id = $1', [account.id]);
  expect((await update({ bankName: 'New Bank' })).account).toMatchObject({ bankName: 'New Bank', balance: '-1.0000' });
});

test.each([
  ['updateAccount', { bankName: 'Another Bank' }],
  ['changeAccountStatus', { status: 'FROZEN' }],
] as const)('lets one of two who read the same version do %s, and tells the other', async (mutation, input) => {
  const versioned = { id: account.id, expectedVersion: account.version, ...input };
  const other = await bank.hold('SELECT FROM bank_accounts WHERE id = $1 FOR UPDATE', [account.id]);
  const answers = [bank.mutate(mutation, versioned), bank.mutate(mutation, versioned)];
  await bank.untilWaiting(2);
  await other.query('COMMIT');
  const payloads = await Promise.all(answers);
  const refused = payloads.filter(({ account }) => account === null);
  expect(refused).toEqual([{ account: null, userErrors: error('VERSION_CONFLICT', 'expectedVersion') }]);
  expect(refused[0].userErrors[0].message).toContain('version 1 was expected, but it is 2 by now');
  expect(await bank.read(account.id)).toMatchObject({ ...input, version: 2 });
});

test('dates a change by the database’s clock, once it has the lock', async () => {
  const other = await bank.hold('SELECT FROM bank_accounts WHERE id = $1 FOR UPDATE', [account.id]);
  const answer = update({ bankName: 'Late Bank' });
  await bank.untilWaiting(1);
  const { rows } = await other.query('SELECT clock_timestamp() AS waiting');
  await other.query('COMMIT');
  const { account: changed } = await answer;
  expect(Date.parse(changed.updatedAt)).toBeGreaterThanOrEqual(rows[0].waiting.getTime());
});

test.each([
  ['an hour', { hours: 1 }, 1],
  ['two days', { days: 2 }, 0],
])('dates the change of an account that was changed %s from now %j', async (_, ahead, laterMs) => {
  await bank.sql('UPDATE bank_accounts SET updated_at = now() + make_interval(days => $2, hours => $3) WHERE id = $1', [
    account.id,
    ...['days', 'hours'].map((unit) => (ahead as Record<string, number>)[unit] ?? 0),
  ]);
  const before = await bank.read(account.id);
  const { account: changed } = await update({ bankName: 'Future Bank' });
  expect(Date.parse(changed.updatedAt) - Date.parse(before.updatedAt)).toBe(laterMs);
});

test('dates a new account by the database’s clock alone', async () => {
  bank.service.statements.splice(0);
  const opened = await bank.open();
  const [insert] = bank.service.statements.filter(({ action }) => action === 'create');
  const [into = ''] = (insert?.sql ?? '').split('RETURNING');
  expect(into).toContain('"bank_name"');
  expect(into).not.toMatch(/created_at|updated_at/);
  expect(opened.updatedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test.each(['999999999999999.9999', '-999999999999999.9999', '0.0001', '12345678901234.5'])(
  'keeps an opening balance of %s to the last digit',
  async (openingBalance) => {
    const opened = await bank.open({ accountType: 'CREDIT', openingBalance });
    const [row] = await bank.sql('SELECT balance::text FROM bank_accounts WHERE id = $1', [opened.id]);
    expect(opened.balance).toBe(row.balance);
  },
);

test.each([
  ['0001-01-02T00:00:00.000Z', '9999-12-30T23:59:59.999Z'],
  ['1582-10-10T12:00:00.001Z', '1969-12-31T23:59:59.999Z'],
  ['0099-12-31T23:59:59.120Z', '2024-02-29T00:00:00.000Z'],
])('is the same by its id, in a list and after a change, dated %s and %s', async (createdAt, updatedAt) => {
  await bank.sql('UPDATE bank_accounts SET created_at = $2, updated_at = $3, balance = -0.1 WHERE id = $1', [
    account.id,
    createdAt,
    updatedAt,
  ]);
  const document = `query ($number: String!) { accounts(filter: { accountNumber: $number }) { nodes { ${ACCOUNT} } } }`;
  const { data } = await bank.service.send(bank.token, document, { number: account.accountNumber });
  const byId = await bank.read(account.id);
  expect(byId).toMatchObject({ createdAt, updatedAt, balance: '-0.1000' });
  expect(data.accounts.nodes).toEqual([byId]);
  const { account: changed } = await changeStatus({ status: 'FROZEN' });
  const same = { ...byId, status: 'FROZEN', isActive: false, version: 2, updatedAt: changed.updatedAt };
  expect(changed).toEqual(same);
  if (updatedAt > '2500') expect(changed.updatedAt).toBe(updatedAt);
});

test.each([
  ['PENDING', ['ACTIVE', 'FROZEN', 'CLOSED']],
  ['ACTIVE', ['FROZEN', 'CLOSED']],
  ['FROZEN', ['ACTIVE', 'CLOSED']],
  ['CLOSED', ['ACTIVE']],
])('lets a %s account become %j and nothing else', async (from, allowed) => {
  for (const status of ['PENDING', 'ACTIVE', 'FROZEN', 'CLOSED'].filter((status) => status !== from)) {
    account = await bank.open({ status: from });
    const { account: changed, userErrors } = await changeStatus({ status });
    if (allowed.includes(status)) {
      expect(changed).toMatchObject({ status, isActive: status === 'ACTIVE', version: 2 });
    } else {
      expect({ changed, userErrors }).toEqual({
        changed: null,
        userErrors: error('INVALID_STATUS_TRANSITION', 'status'),
      });
      expect(await bank.read(account.id)).toEqual(account);
    }
  }
});

test('leaves the version when the account has the status already', async () => {
  expect(await changeStatus({ status: 'ACTIVE' })).toEqual({ account, userErrors: [] });
});

test.each([
  ['updateAccount', {}],
  ['changeAccountStatus', { status: 'FROZEN' }],
] as const)('names the id that %s cannot read', async (mutation, input) => {
  const { errors } = await bank.send(mutation, { id: '42', ...input });
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', argument: 'input.id' } }]);
});

test('is seen at once by answers that were kept before it', async () => {
  const document = `query ($id: ID!) { account(id: $id) { status } accounts(last: 1) { nodes { id } totalCount } }`;
  const ask = async () => (await bank.service.send(bank.token, document, { id: account.id })).data;
  const before = await ask();
  await changeStatus({ status: 'FROZEN' });
  expect((await ask()).account).toEqual({ status: 'FROZEN' });
  const opened = await bank.open();
  const after = await ask();
  expect(after.accounts).toEqual({ nodes: [{ id: opened.id }], totalCount: before.accounts.totalCount + 1 });
});
