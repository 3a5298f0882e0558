import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { describeError } from '../../src/cli/run-command.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import {
  ACCOUNT,
  ACCOUNTS_HEADER,
  csv,
  type Files,
  importFiles,
  reasonsOf,
  rejectsOf,
  TENANTS_HEADER,
  TRANSACTIONS_HEADER,
  TWO_TENANTS,
  valuesOf,
} from './import-fixture.ts';

const BOOKED = '2024-05-01T12:00:00Z';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(() => database.drop());

/** TWO_TENANTS, but these are the transactions, from line 2 on. */
function transactions(...rows: string[]): Files {
  return { ...TWO_TENANTS, 'transactions.csv': csv(TRANSACTIONS_HEADER, ...rows) };
}

describe('a bad row', () => {
  test('stops no other row, and is listed with its line, its reason and its text', async () => {
    const result = await importFiles(
      database.url,
      transactions(
        `${ACCOUNT},1,${BOOKED},CREDIT,1,,,,"first\nof two lines"`,
        `${ACCOUNT},2,${BOOKED},CREDIT,0,,,,"worth ""nothing"", and\nof two lines"`,
        `${ACCOUNT},3,${BOOKED},CREDIT,1,,,,`,
      ),
    );
    expect(result.tables.transactions).toEqual({ inserted: 2, updated: 0, unchanged: 0, rejected: 1 });
    expect(rejectsOf(result)).toEqual([
      ['file', 'line', 'reason', 'row'],
      [
        'transactions.csv',
        '4',
        'amount must be a decimal with at most 15 digits before the point and 4 after it, greater than 0, but got: "0"',
        `${ACCOUNT},2,${BOOKED},CREDIT,0,,,,"worth ""nothing"", and\nof two lines"`,
      ],
    ]);
    expect(await valuesOf(database.url, 'SELECT external_id AS value FROM transactions ORDER BY 1')).toEqual([
      '1',
      '3',
    ]);
  });

  test('is one of a time whose transactions are folded: it is counted already', async () => {
    await importFiles(database.url, transactions(`${ACCOUNT},1,${BOOKED},CREDIT,1,,,,`));
    await valuesOf(
      database.url,
      `WITH kept AS (UPDATE tenants SET keep_transactions_days = 31 WHERE slug = 'north' RETURNING id) SELECT id AS value FROM kept`,
    );
    await valuesOf(database.url, 'SELECT folded AS value FROM transactions_fold(NULL, 10)');
    const again = await importFiles(database.url, transactions(`${ACCOUNT},1,${BOOKED},CREDIT,1,,,,`));
    expect(again.tables.transactions).toMatchObject({ inserted: 0, updated: 0, rejected: 1 });
    expect(reasonsOf(again)['transactions.csv:2']).toMatch(
      /^booked_at: transactions of this tenant from before "20.*" are folded into its totals, but got "2024-05-01T12:00:00/,
    );
    expect(await valuesOf(database.url, 'SELECT sum(transaction_count)::integer AS value FROM daily_totals')).toEqual([
      1,
    ]);
    const moved = { ...TWO_TENANTS, 'tenants.csv': csv(TENANTS_HEADER, 'north,North,Asia/Tokyo', 'south,South,UTC') };
    const refusal = await importFiles(database.url, moved).catch(describeError);
    expect(refusal).toMatch(/the time zone of tenant north cannot be changed.*\nKeep the time zone\.$/);
  });

  test('has all its problems told', async () => {
    const result = await importFiles(database.url, transactions(`${ACCOUNT},,yesterday,UP,1,1.23456,,,`));
    expect(reasonsOf(result)['transactions.csv:2']).toBe(
      [
        'external_id is required, but empty',
        'booked_at must be an instant with its offset, such as 2024-03-31T09:30:00+02:00 (a day that exists, no leap second), from 0001-01-02T00:00:00.000Z on and before 9999-12-31T00:00:00.000Z, but got: "yesterday"',
        'direction must be one of CREDIT, DEBIT, but got: "UP"',
        'balance_after must be a decimal with at most 15 digits before the point and 4 after it, but got: "1.23456"',
      ].join('; '),
    );
  });

  test.each([
    ['too few fields', `${ACCOUNT},1,${BOOKED},CREDIT,1`, 'the row must have 11 fields, but has 7'],
    ['too many fields', `${ACCOUNT},1,${BOOKED},CREDIT,1,,,,,`, 'the row must have 11 fields, but has 12'],
    ['an open quote', `${ACCOUNT},1,${BOOKED},CREDIT,1,,,,"open`, 'a quote is open or out of place'],
    [
      'a NUL',
      `${ACCOUNT},1,${BOOKED},CREDIT,1,,,,a\0b`,
      'description must be text of at most 10000 characters without NUL, but got: "a\\u0000b"',
    ],
    [
      'a text that is too long',
      `${ACCOUNT},${'9'.repeat(201)},${BOOKED},CREDIT,1,,,,`,
      'external_id must be text of at most 200 characters',
    ],
    ['a name in small letters', `${ACCOUNT},1,${BOOKED},credit,1,,,,`, 'direction must be one of CREDIT, DEBIT'],
  ])('with %s is rejected', async (_, row, reason) => {
    const result = await importFiles(database.url, transactions(row, `${ACCOUNT},2,${BOOKED},CREDIT,1,,,,`));
    expect(reasonsOf(result)).toEqual({ 'transactions.csv:2': expect.stringContaining(reason) });
    expect(result.tables.transactions.inserted).toBe(1);
  });

  test('that is not UTF-8 is rejected', async () => {
    const row = Buffer.concat([Buffer.from(`${ACCOUNT},1,${BOOKED},CREDIT,1,,,,`), Buffer.from([0xe9, 0x0a])]);
    const files = { ...TWO_TENANTS, 'transactions.csv': Buffer.concat([Buffer.from(csv(TRANSACTIONS_HEADER)), row]) };
    expect(reasonsOf(await importFiles(database.url, files))).toEqual({
      'transactions.csv:2': 'the line is not valid UTF-8',
    });
  });

  test('of an account or tenant is rejected by the rules of its columns', async () => {
    const result = await importFiles(database.url, {
      'tenants.csv': csv(
        TENANTS_HEADER,
        'north,North Ltd,Europe/Prague',
        'South,South Ltd,Europe/Prague',
        'west,West Ltd,Europe/Nowhere',
        'east,,UTC',
        'moon,Moon Ltd,+02:00',
      ),
      'accounts.csv': csv(
        ACCOUNTS_HEADER,
        'north,First Bank,1,CHECKING,ACTIVE,czk,0,2024-01-01T00:00:00Z',
        'north,First Bank,2,CURRENT,OPEN,CZK,,2024-01-01T00:00:00Z',
      ),
      'transactions.csv': csv(TRANSACTIONS_HEADER),
    });
    expect(reasonsOf(result)).toEqual({
      'tenants.csv:3': 'slug must be 100 or fewer of a-z, 0-9 and -, but got: "South"',
      'tenants.csv:4':
        'time_zone must be UTC or an IANA time zone that PostgreSQL knows, by area and location, such as Europe/Prague, but got: "Europe/Nowhere"',
      'tenants.csv:5': 'name is required, but empty',
      'tenants.csv:6': expect.stringContaining('time_zone must be'),
      'accounts.csv:2': 'currency must be three capitals (ISO 4217), but got: "czk"',
      'accounts.csv:3':
        'account_type must be one of CHECKING, SAVINGS, CREDIT, LOAN, INVESTMENT, but got: "CURRENT"; ' +
        'status must be one of PENDING, ACTIVE, FROZEN, CLOSED, but got: "OPEN"; balance is required, but empty',
    });
    expect(await valuesOf(database.url, 'SELECT slug AS value FROM tenants')).toEqual(['north']);
  });
});

describe('a row that refers to what does not exist', () => {
  test('is rejected, whether the files never had it or had it in a bad row', async () => {
    const result = await importFiles(database.url, {
      'tenants.csv': csv(TENANTS_HEADER, 'north,North Ltd,Europe/Prague', 'bad,Bad Ltd,Nowhere'),
      'accounts.csv': csv(
        ACCOUNTS_HEADER,
        'north,First Bank,0001,CHECKING,ACTIVE,CZK,0,2024-01-01T00:00:00Z',
        'north,First Bank,0002,CHECKING,ACTIVE,CZK,much,2024-01-01T00:00:00Z',
        'bad,First Bank,0001,CHECKING,ACTIVE,CZK,0,2024-01-01T00:00:00Z',
      ),
      'transactions.csv': csv(
        TRANSACTIONS_HEADER,
        `north,First Bank,0002,1,${BOOKED},CREDIT,1,,,,`,
        `north,Other Bank,0001,2,${BOOKED},CREDIT,1,,,,`,
        `gone,First Bank,0001,3,${BOOKED},CREDIT,1,,,,`,
        `${ACCOUNT},4,${BOOKED},CREDIT,1,,,,`,
      ),
    });
    const account =
      'bank_name, account_number: neither the rows accepted of accounts.csv nor the database have an account';
    expect(reasonsOf(result)).toEqual({
      'tenants.csv:3': expect.stringContaining('time_zone must be'),
      'accounts.csv:3': expect.stringContaining('balance must be'),
      'accounts.csv:4': 'tenant_slug: neither the rows accepted of tenants.csv nor the database have a tenant "bad"',
      'transactions.csv:2': `${account} "0002" of "First Bank" in this tenant`,
      'transactions.csv:3': `${account} "0001" of "Other Bank" in this tenant`,
      'transactions.csv:4':
        'tenant_slug: neither the rows accepted of tenants.csv nor the database have a tenant "gone"',
    });
    expect(result.tables.transactions).toEqual({ inserted: 1, updated: 0, unchanged: 0, rejected: 3 });
  });

  test('is rejected when only another tenant has it', async () => {
    const [header, north] = TWO_TENANTS['accounts.csv'].split('\n') as [string, string];
    const files = {
      ...transactions(`south,First Bank,0001,1,${BOOKED},CREDIT,1,,,,`),
      'accounts.csv': csv(header, north),
    };
    const result = await importFiles(database.url, files);
    expect(reasonsOf(result)).toEqual({
      'transactions.csv:2': expect.stringContaining('an account "0001" of "First Bank"'),
    });
  });
});

describe('a row whose identity stood before', () => {
  test('is rejected when it says something else, and counts as unchanged when it says the same', async () => {
    const row = `${ACCOUNT},1,2024-05-01T12:00:00Z,CREDIT,1.5,,,,`;
    const result = await importFiles(database.url, {
      'tenants.csv': csv(TENANTS_HEADER, 'north,North Ltd,Europe/Prague', 'north,North Inc,Europe/Prague'),
      'accounts.csv': csv(
        ACCOUNTS_HEADER,
        `${ACCOUNT},CHECKING,ACTIVE,CZK,0,2024-01-01T00:00:00Z`,
        `${ACCOUNT},CHECKING,ACTIVE,CZK,1,2024-01-01T00:00:00Z`,
      ),
      'transactions.csv': csv(
        TRANSACTIONS_HEADER,
        row,
        `${ACCOUNT},1,2024-05-01T14:00:00+02:00,CREDIT,1.5000,,,,`,
        `${ACCOUNT},1,2024-05-01T12:00:00Z,CREDIT,1.5,0,,,`,
      ),
    });
    expect(reasonsOf(result)).toEqual({
      'tenants.csv:3': 'slug: line 2 of tenants.csv has the same, with other values',
      'accounts.csv:3':
        'tenant_slug, bank_name, account_number: line 2 of accounts.csv has the same, with other values',
      'transactions.csv:4': 'tenant_slug, external_id: line 2 of transactions.csv has the same, with other values',
    });
    expect(result.tables.transactions).toEqual({ inserted: 1, updated: 0, unchanged: 1, rejected: 1 });
  });

  test('counts when what stood before was rejected', async () => {
    const result = await importFiles(
      database.url,
      transactions(`north,Gone Bank,1,7,${BOOKED},CREDIT,1,,,,`, `${ACCOUNT},7,${BOOKED},CREDIT,2,,,,`),
    );
    expect(result.tables.transactions).toEqual({ inserted: 1, updated: 0, unchanged: 0, rejected: 1 });
  });
});

test('an account keeps its currency', async () => {
  await importFiles(database.url, TWO_TENANTS);
  const accounts = csv(ACCOUNTS_HEADER, `${ACCOUNT},SAVINGS,ACTIVE,EUR,1,2024-01-01T00:00:00Z`);
  const result = await importFiles(database.url, { ...TWO_TENANTS, 'accounts.csv': accounts });
  expect(reasonsOf(result)).toEqual({ 'accounts.csv:2': 'currency: the account is in CZK, which never changes' });
  expect(
    await valuesOf(database.url, "SELECT account_type AS value FROM bank_accounts WHERE currency = 'CZK'"),
  ).toEqual(['CHECKING']);
});

test('thousands of rejects are listed in the order of their lines', async () => {
  const rows = Array.from({ length: 9_000 }, (_, index) =>
    index % 2 ? `north,Gone Bank,1,${index},${BOOKED},CREDIT,1,,,,` : `${ACCOUNT},${index},${BOOKED},CREDIT,x,,,,`,
  );
  const [, ...rejects] = rejectsOf(await importFiles(database.url, transactions(...rows)));
  expect(rejects.map(([, line, , row]) => [line, row])).toEqual(rows.map((row, index) => [String(index + 2), row]));
});
