import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { openCommandDatabase } from '../../src/commands/command-database.ts';
import { migrateCommand } from '../../src/commands/migrate-command.ts';
import { makeFolder, TWO_TENANTS } from '../import/import-fixture.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, onServer, quoteName, type TestDatabase, withClient } from '../support/postgres.ts';
import { runScript, runScriptAlone, type ScriptRun } from './run-script.ts';

const TABLES = ['tenants', 'bank_accounts', 'transactions'];

/** Every command that writes, as it would be typed. */
const WRITING: Readonly<Record<string, () => readonly string[]>> = {
  'indexes-create.ts': () => [],
  'db-migrate.ts': () => [],
  'db-seed.ts': () => ['--append', '--prefix', 'other', '--tenants', '1', '--accounts', '5', '--transactions', '5'],
  'import.ts': () => [makeFolder(TWO_TENANTS)],
  'statistics-rebuild.ts': () => [],
  'cache-invalidate.ts': () => ['--all'],
};

const CONTENT = `
  SELECT (SELECT count(*) FROM tenants) AS tenants, (SELECT count(*) FROM bank_accounts) AS accounts,
    (SELECT sum(account_count) FROM account_totals) AS totals, (SELECT count(*) FROM cache_outbox) AS outbox,
    (SELECT count(*) FROM pg_indexes WHERE schemaname = 'public') AS indexes,
    (SELECT count(*) FROM pg_tables WHERE schemaname = 'public') AS tables`;

let database: TestDatabase;
let before: unknown;

beforeAll(async () => {
  database = await createTestDatabase();
  const tenantId = await insertTenant(database.url, { slug: 'north' });
  await insertAccounts(database.url, tenantId, [{ accountNumber: '1' }]);
  // So that there is something to do for each of them.
  await query('DROP INDEX bank_accounts_tenant_bank_idx');
});
beforeEach(async () => {
  before = await content();
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => database?.drop());

describe('in a database that is read-only', () => {
  beforeAll(() => onServer(`ALTER DATABASE ${quoteName(database.name)} SET default_transaction_read_only = on`));
  afterAll(() => onServer(`ALTER DATABASE ${quoteName(database.name)} RESET default_transaction_read_only`));

  it.each(Object.keys(WRITING))('%s says so, changes nothing and fails', { timeout: 30_000 }, async (script) => {
    // The one that no other test runs in a process of its own.
    const way = script === 'db-migrate.ts' ? runScriptAlone : runScript;
    expect(await run(script, WRITING[script]?.() ?? [], database.url, way)).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'This session is read-only (default_transaction_read_only is on); nothing was changed.\nUse a login or a database without that setting.\n',
    });
    expect(await content()).toEqual(before);
  });

  it('what only reads goes on', async () => {
    const { client, close } = await openCommandDatabase({ command: 'a test', url: database.url });
    const { rowCount } = await client.query('SELECT FROM tenants');
    expect(rowCount).toBe(1);
    await close();
  });

  it('indexes:advise says what it cannot do there', { timeout: 30_000 }, async () => {
    expect(await run('indexes-advise.ts', [])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^The extension pg_stat_statements is not made .* read-only session\.\nMake it on /,
      ),
    });
  });
});

describe('while a migration runs', () => {
  it('commands that write are refused, db:migrate included', async () => {
    await holding('72707369', async () => {
      const message = /^Another session is migrating this database .*nothing was changed\.$/;
      await expect(openWriting(database.url)).rejects.toThrow(message);
      await expect(migrating()).rejects.toThrow(message);
    });
    expect(await content()).toEqual(before);
    await (await openWriting(database.url)).close();
  });
});

describe('while indexes are created', () => {
  it('db:migrate is refused: each would wait for the other', async () => {
    await holding("hashtextextended('tenantry indexes', 0)", () =>
      expect(migrating()).rejects.toThrow(/^Another session is just creating indexes .*nothing was changed\.$/),
    );
    expect(await content()).toEqual(before);
  });
});

describe('a login without the rights', () => {
  const login = `tenantry_test_login_${randomBytes(6).toString('hex')}`;
  let url: string;

  beforeAll(async () => {
    await onServer(`CREATE ROLE ${login} LOGIN PASSWORD 'x'`);
    await query(`GRANT SELECT ON tenants TO ${login}`);
    url = Object.assign(new URL(database.url), { username: login, password: 'x' }).href;
  });
  afterAll(async () => {
    await query(`DROP OWNED BY ${login}`);
    await onServer(`DROP ROLE ${login}`);
  });

  it('is told which tables it may not write, before any work', async () => {
    await expect(openWriting(url)).rejects.toThrow(
      `The login ${login} may not read and write tenants, bank_accounts, transactions; nothing was changed.`,
    );
  });

  it.each([
    ['statistics-rebuild.ts', []],
    ['cache-invalidate.ts', ['--all']],
    ['statistics-check.ts', []],
  ] as const)('is told what PostgreSQL refuses to %s', { timeout: 30_000 }, async (script, args) => {
    const { code, stderr } = await run(script, args, url, runScriptAlone);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^PostgreSQL refused: permission denied .* \(SQLSTATE 42501\)\nA login of the service gets its rights by: npm run db:grant/,
    );
    expect(await content()).toEqual(before);
  });
});

describe('a model that there is not', () => {
  it.each(['indexes-create.ts', 'indexes-analyze.ts'])(
    'is refused by %s, which lists those that there are',
    {
      timeout: 30_000,
    },
    async (script) => {
      expect(await run(script, ['--model', 'Account'], database.url, runScriptAlone)).toEqual({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(
          /^--model must be one of Tenant, BankAccount, .*, but got: "Account"\.\nNothing was /,
        ),
      });
      expect(await content()).toEqual(before);
    },
  );
});

function run(script: string, args: readonly string[], url = database.url, way = runScript): Promise<ScriptRun> {
  return way(script, args, { env: { DATABASE_URL: url } });
}

function openWriting(url: string) {
  return openCommandDatabase({ command: 'a test', url, writes: TABLES });
}

function migrating(): Promise<number> {
  vi.stubEnv('DATABASE_URL', database.url);
  return migrateCommand(() => {});
}

async function holding(key: string, work: () => Promise<unknown>): Promise<void> {
  await withClient(database.url, async (other) => {
    await other.query(`SELECT pg_advisory_lock(${key})`);
    await work();
  });
}

async function content(): Promise<unknown> {
  return (await query(CONTENT)).rows[0];
}

function query(sql: string) {
  return withClient(database.url, (client) => client.query(sql));
}
