import { userInfo } from 'node:os';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { recordActions, recordTenants } from '../../src/audit/operator-line.ts';
import { SERVICE_ROLE } from '../../src/database/service-rights.ts';
import { seedDatabase } from '../../src/seed/seed-database.ts';
import { planTenants } from '../../src/seed/tenant-plan.ts';
import { csv, type Files, importFiles, TWO_TENANTS, valuesOf } from '../import/import-fixture.ts';
import { createOperatorRole } from '../support/operator-role.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';

const LINES = `
  SELECT concat_ws('|', slug, action, key, subject, outcome, times) AS value
    FROM audit_log LEFT JOIN tenants ON tenants.id = tenant_id WHERE codes = '{}' ORDER BY slug`;
const ME = `operator:${userInfo().username}`;

/** A COMMIT that has an audit line to keep fails, after all that the transaction did. */
const NO_COMMIT_WITH_LINES = `
  CREATE FUNCTION no_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no COMMIT'; END $$;
  CREATE CONSTRAINT TRIGGER no_commit AFTER INSERT ON audit_log DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION no_commit()`;

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await database.drop();
});

const lines = () => valuesOf(database.url, LINES);
const slugs = () => valuesOf(database.url, 'SELECT slug AS value FROM tenants ORDER BY slug');
const forget = () => withClient(database.url, (client) => client.query('TRUNCATE audit_log'));
const without = (file: keyof typeof TWO_TENANTS) => csv(TWO_TENANTS[file].split('\n')[0] as string);
const EMPTY = {
  'tenants.csv': without('tenants.csv'),
  'accounts.csv': without('accounts.csv'),
  'transactions.csv': without('transactions.csv'),
};

describe('an import leaves a line for each tenant that it changes, and for no other', () => {
  const imported = (slug: string) => `${slug}|import|import|${ME}|DONE|1`;
  const files = (change: Partial<Files>): Files => ({ ...TWO_TENANTS, ...change }) as Files;
  const replaced = (file: keyof typeof TWO_TENANTS, from: string, to: string) =>
    files({ [file]: TWO_TENANTS[file].replace(from, to) });
  const added = (file: keyof typeof TWO_TENANTS, row: string) => files({ [file]: `${TWO_TENANTS[file]}${row}\n` });

  test.each<[string, Files, string[]]>([
    ['nothing that is new', TWO_TENANTS, []],
    ['no rows', EMPTY, []],
    ['a new tenant', added('tenants.csv', 'west,West Ltd,UTC'), ['west']],
    ['another name', replaced('tenants.csv', 'South Ltd', 'South Inc'), ['south']],
    ['a new account', added('accounts.csv', 'south,First Bank,2,LOAN,CLOSED,USD,0,2020-01-01T00:00:00Z'), ['south']],
    ['another balance', replaced('accounts.csv', '100.50', '100.51'), ['north']],
    [
      'a new transaction',
      added('transactions.csv', 'south,First Bank,0001,2,2024-04-01T00:00:00Z,DEBIT,1,,,,'),
      ['south'],
    ],
    ['another amount', replaced('transactions.csv', 'DEBIT,0.0001', 'DEBIT,0.0002'), ['north']],
    [
      'a row that is rejected',
      added('accounts.csv', 'north,First Bank,2,LOAN,CLOSED,USD,none,2020-01-01T00:00:00Z'),
      [],
    ],
  ])('%s', async (_, changed, whose) => {
    await importFiles(database.url, TWO_TENANTS);
    expect(await lines()).toEqual(['north', 'south'].map(imported));
    await forget();
    await importFiles(database.url, changed);
    expect(await lines()).toEqual(whose.map(imported));
  });

  test('a dry run leaves none', async () => {
    await importFiles(database.url, TWO_TENANTS, { dryRun: true });
    expect(await lines()).toEqual([]);
  });

  test('in its own transaction: neither is there without the other', async () => {
    await withClient(database.url, (client) => client.query(NO_COMMIT_WITH_LINES));
    await expect(importFiles(database.url, TWO_TENANTS)).rejects.toThrow('no COMMIT');
    expect([await lines(), await slugs()]).toEqual([[], []]);
  });

  test('a fault of the log keeps an import from being done unseen, and a missing log does not', async () => {
    await withClient(database.url, (client) => client.query('ALTER TABLE audit_log ADD CHECK (times > 1)'));
    await expect(importFiles(database.url, TWO_TENANTS)).rejects.toThrow('violates check constraint');
    expect(await slugs()).toEqual([]);
    const told: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => told.push(String(text)) > 0);
    await withClient(database.url, (client) => client.query('DROP TABLE audit_log'));
    await importFiles(database.url, TWO_TENANTS);
    expect(await slugs()).toEqual(['north', 'south']);
    expect(told).toEqual([
      'No line of import could be written to the audit log: relation "audit_log" does not exist\n',
    ]);
  });

  test('a login that may write no line imports all the same, and is told', async () => {
    const { role, drop } = await createOperatorRole(database);
    const told: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => told.push(String(text)) > 0);
    const { tables } = await importFiles(database.url, TWO_TENANTS, { role });
    expect(tables.transactions.inserted).toBe(3);
    expect(await slugs()).toEqual(['north', 'south']);
    expect(told).toEqual([
      'No line of import could be written to the audit log: permission denied for table audit_log\n',
    ]);
    await database.drop();
    await drop();
    database = await createTestDatabase();
  });
});

describe('db:seed leaves a line for each tenant, in the transaction that makes the tenant', () => {
  const seed = (count: number) =>
    withClient(database.url, (client) =>
      seedDatabase({
        client,
        tenants: planTenants({ tenants: count, accounts: count, transactions: count }, 1, 'made'),
        period: { days: 3 },
        append: false,
      }),
    );

  test('which names the command', async () => {
    await seed(3);
    const made = await slugs();
    expect(made).toHaveLength(3);
    expect(await lines()).toEqual(made.map((slug) => `${slug}|db:seed|${ME}|DONE|1`));
  });

  test('and not without it', async () => {
    await withClient(database.url, (client) => client.query(NO_COMMIT_WITH_LINES));
    await expect(seed(1)).rejects.toThrow('no COMMIT');
    expect([await lines(), await slugs()]).toEqual([[], []]);
  });
});

test('a command that works on thousands of tenants writes a line of each by a few statements', async () => {
  const ids = (await valuesOf(
    database.url,
    'SELECT gen_random_uuid()::text AS value FROM generate_series(1, 2001)',
  )) as string[];
  const sent = await withClient(database.url, async (client) => {
    await client.query(`SET ROLE ${SERVICE_ROLE}`);
    const query = vi.spyOn(client, 'query');
    await recordActions(client, { action: 'cache:invalidate', key: '*' }, ids);
    return query.mock.calls.length;
  });
  expect(sent).toBe(3);
  const written = await valuesOf(
    database.url,
    "SELECT tenant_id::text AS value FROM audit_log WHERE action = 'cache:invalidate' AND outcome = 'DONE'",
  );
  expect(written.sort()).toEqual(ids.sort());
});

test('thousands of tenants have their lines by one statement, also where row-level security holds the login', async () => {
  const ids = (await valuesOf(
    database.url,
    'SELECT gen_random_uuid()::text AS value FROM generate_series(1, 5000)',
  )) as string[];
  const sent: string[] = [];
  await withClient(database.url, async (client) => {
    await client.query(`SET ROLE ${SERVICE_ROLE}`);
    await client.query('BEGIN');
    const counted = {
      query: (text: string, values?: unknown[]) => {
        sent.push(text);
        return client.query(text, values);
      },
    };
    await recordTenants(counted as unknown as typeof client, { action: 'import', key: 'folder' }, new Set(ids));
    await client.query('COMMIT');
  });
  expect(sent.filter((text) => text.includes('INSERT'))).toHaveLength(1);
  const written = await valuesOf(database.url, "SELECT tenant_id::text AS value FROM audit_log WHERE key = 'folder'");
  expect(written.sort()).toEqual(ids.sort());
});
