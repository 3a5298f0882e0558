import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createEmptyDatabase, createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { ask, Engine, migrationsOf, NO_FILTERS, ownMigrations, ownSchema, runCommand } from './engine.ts';
import { REPOSITORY } from './project.ts';

const SCHEMA_FILE = path.join(REPOSITORY, 'prisma/schema.prisma');
/** The number that Prisma chose for its lock. */
const MIGRATE_LOCK = 72707369;
/** All of them start their processes at once, and Prisma waits ten seconds for its lock. */
const TIMEOUT_MS = 60_000;
const CLOSED = 'postgresql://someone:hidden@127.0.0.1:9/nowhere';

describe.concurrent('the schema engine', { timeout: TIMEOUT_MS }, () => {
  let migrated: TestDatabase;
  let empty: TestDatabase;

  beforeAll(async () => {
    [migrated, empty] = await Promise.all([createEmptyDatabase(), createEmptyDatabase()]);
    await ask({ url: migrated.url }, 'applyMigrations', { migrationsList: ownMigrations(), filters: NO_FILTERS });
  });
  afterAll(() => Promise.all([migrated.drop(), empty.drop()]));

  it('proposes nothing but the change when the schema changes, though there are partial unique indexes', async () => {
    const engine = new Engine({ url: migrated.url, datamodels: [SCHEMA_FILE] });
    const schema = ownSchema((text) => text.replace(/^ +description +String\?$/m, '  remark String?'));
    const params = { migrationsList: ownMigrations(), schema, filters: NO_FILTERS };

    const loss = await engine.call('evaluateDataLoss', params);
    const created = await engine.call('createMigration', { ...params, migrationName: 'remark', draft: false });

    await engine.stop();
    expect(loss.result).toEqual({ migrationSteps: 1, unexecutableSteps: [], warnings: [] });
    expect(created.result.generatedMigrationName).toMatch(/^\d{14}_remark$/);
    expect(created.result.migrationScript).toContain(
      'You are about to drop the column `description` on the `transactions` table.',
    );
    const statements = created.result.migrationScript.replace(/\/\*[\s\S]*?\*\/|^--.*$/gm, '').trim();
    expect(statements).toBe('ALTER TABLE "transactions" DROP COLUMN "description",\nADD COLUMN     "remark" TEXT;');
  });

  it('makes the first migration of a schema', async () => {
    const { result } = await ask({ url: empty.url }, 'createMigration', {
      migrationsList: { ...migrationsOf(), lockfile: { path: 'migration_lock.toml', content: null } },
      schema: ownSchema((text) => text),
      filters: NO_FILTERS,
      migrationName: 'init',
      draft: false,
    });

    expect(result.connectorType).toBe('postgresql');
    expect(result.migrationScript).toContain('CREATE TABLE "bank_accounts"');
  });

  it('compares schema files without a database', async () => {
    const engine = new Engine({ url: CLOSED });
    const to = { tag: 'schemaDatamodel', ...ownSchema((text) => text) };

    const { result } = await engine.call('diff', {
      from: { tag: 'empty' },
      to,
      script: true,
      exitCode: true,
      filters: NO_FILTERS,
    });

    await engine.stop();
    expect(result).toEqual({ exitCode: 2, stdout: null });
    expect(engine.printed).toEqual([expect.stringContaining('CREATE TABLE "bank_accounts"')]);
  });

  it('works in the schema that the URL names', async () => {
    const url = `${empty.url}?schema=other`;
    const migrationsList = migrationsOf(['20260101000000_items', 'CREATE TABLE items (id int PRIMARY KEY);']);

    expect(await ask({ url }, 'applyMigrations', { migrationsList, filters: NO_FILTERS })).toMatchObject({
      result: { appliedMigrationNames: ['20260101000000_items'] },
    });

    const sql = "SELECT tablename FROM pg_tables WHERE schemaname = 'other' ORDER BY 1";
    const { rows } = await withClient(empty.url, (client) => client.query(sql));
    expect(rows).toEqual([{ tablename: '_prisma_migrations' }, { tablename: 'items' }]);
  });

  it('describes the queries of TypedSQL', async () => {
    const source = [
      '-- Accounts of a bank.',
      '-- @param {String} $1:bank? the bank',
      'SELECT id, bank_name, status, balance, closed.x FROM bank_accounts, (SELECT NULL::text AS x) AS closed',
      'WHERE bank_name = $1 AND status = $2 AND version = ANY ($3)',
    ].join('\n');

    const { result } = await ask({ url: migrated.url }, 'introspectSql', {
      url: '',
      queries: [{ name: 'accounts', source }],
    });

    expect(result.queries).toEqual([
      {
        name: 'accounts',
        source,
        documentation: 'Accounts of a bank.',
        parameters: [
          { name: 'bank', typ: 'string', documentation: 'the bank', nullable: true },
          { name: '_1', typ: 'account_status', documentation: null, nullable: false },
          { name: '_2', typ: 'int-array', documentation: null, nullable: false },
        ],
        resultColumns: [
          { name: 'id', typ: 'uuid', nullable: false },
          { name: 'bank_name', typ: 'string', nullable: false },
          { name: 'status', typ: 'account_status', nullable: false },
          { name: 'balance', typ: 'decimal', nullable: false },
          { name: 'x', typ: 'string', nullable: true },
        ],
      },
    ]);
  });

  it('takes a column of an outer join for one that may be null', async () => {
    const source = 'SELECT b.id FROM tenants a LEFT JOIN bank_accounts b ON b.tenant_id = a.id';

    const { result } = await ask({ url: migrated.url }, 'introspectSql', {
      url: '',
      queries: [{ name: 'joined', source }],
    });

    expect(result.queries[0].resultColumns).toEqual([{ name: 'id', typ: 'uuid', nullable: true }]);
  });

  it('gives up after ten seconds where another process migrates the same database', async () => {
    const database = await createTestDatabase();

    const { error } = await withClient(database.url, async (client) => {
      await client.query('SELECT pg_advisory_lock($1)', [MIGRATE_LOCK]);
      return ask({ url: database.url }, 'applyMigrations', { migrationsList: ownMigrations(), filters: NO_FILTERS });
    });

    expect(error?.code).toBe('P1002');
    expect(error?.message).toContain('Timed out trying to acquire a postgres advisory lock');
    await database.drop();
  });

  it('answers with an error when the WebAssembly engine panics, and ends', async () => {
    const engine = new Engine({ url: migrated.url });

    const { error } = await engine.call('debugPanic');

    expect(error?.message).toContain('This is the debugPanic artificial panic');
    expect(await engine.stop()).toBe(0);
  });

  it('names what it does not know', async () => {
    expect((await runCommand(migrated.url, 'launch-database')).message).toContain(
      'There is no command launch-database',
    );
    expect((await ask({ url: migrated.url }, 'launchDatabase')).error?.message).toBe(
      'There is no method launchDatabase.',
    );
  });
});

describe.concurrent('a database that the schema engine cannot use', { timeout: TIMEOUT_MS }, () => {
  it('is told as P1001 when nothing listens', async () => {
    const outcome = await runCommand(CLOSED, 'can-connect-to-database');

    expect(outcome).toEqual({ exitCode: 1, code: 'P1001', message: expect.stringContaining('`127.0.0.1:9`') });
    expect((await ask({ url: CLOSED }, 'getDatabaseVersion')).error?.code).toBe('P1001');
  });

  it('is told as P1003 when it does not exist, and can be created', async () => {
    const database = await createEmptyDatabase();
    await database.drop();

    expect(await runCommand(database.url, 'can-connect-to-database')).toMatchObject({ exitCode: 1, code: 'P1003' });
    expect(await runCommand(database.url, 'create-database')).toMatchObject({ exitCode: 0 });
    expect(await runCommand(database.url, 'create-database')).toMatchObject({ exitCode: 1, code: 'P1009' });
    expect(await runCommand(database.url, 'can-connect-to-database')).toMatchObject({ exitCode: 0 });
    await database.drop();
  });

  it('is told as P1011 when it is to be reached by TLS and offers none', async () => {
    const database = await createEmptyDatabase();

    const outcome = await runCommand(`${database.url}?sslmode=verify-full`, 'can-connect-to-database');

    expect(outcome).toMatchObject({ exitCode: 1, code: 'P1011' });
    await database.drop();
  });
});
