import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readIndexes } from '../../src/database/read-indexes.ts';
import { MODELS, tablesOf } from '../../src/database/tables.ts';
import { OperatorError } from '../../src/errors.ts';
import { type CreatedIndex, createIndexes } from '../../src/indexes/apply.ts';
import { INDEX_CATALOG } from '../../src/indexes/catalog.ts';
import { chosenModels } from '../../src/indexes/command-options.ts';
import { unmarkedComparisons } from '../../src/indexes/leakproof.ts';
import { runScriptAlone } from '../cli/run-script.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';

const TABLES = tablesOf(MODELS);
const BANK = 'bank_accounts_tenant_bank_idx';
const CREATED = 'bank_accounts_tenant_created_idx';

let database: TestDatabase;
let client: pg.Client;

beforeEach(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  client.on('error', () => {}); // of the connection that dropping the database ends
});
afterEach(async () => {
  await client.end();
  await database.drop();
});

describe('indexes:create', () => {
  it('creates what is missing, says how before and how long and how large after, and then finds nothing to do', async () => {
    await client.query(`DROP INDEX ${BANK}, transactions_tenant_external_key`);
    const { statements, created } = await create();
    expect(statements).toEqual([
      `CREATE INDEX CONCURRENTLY "${BANK}" ON "bank_accounts" (tenant_id, bank_name, id);`,
      'CREATE UNIQUE INDEX CONCURRENTLY "transactions_tenant_external_key" ON "transactions" (tenant_id, external_id) WHERE (external_id IS NOT NULL);',
    ]);
    expect(created.map(({ index }) => index)).toEqual([BANK, 'transactions_tenant_external_key']);
    for (const { sizeBytes, durationMs } of created) {
      expect(sizeBytes).toBeGreaterThan(0);
      expect(durationMs).toBeGreaterThan(0);
    }
    expect(await names()).toEqual(catalogued());
    expect((await create()).statements).toEqual([]);
  });

  it('changes nothing on a dry run', async () => {
    await client.query(`DROP INDEX ${BANK}`);
    const { statements, created } = await create({ dryRun: true });
    expect(statements).toHaveLength(1);
    expect(created).toEqual([]);
    expect(await names()).not.toContain(BANK);
  });

  it('creates only the indexes of the chosen tables', async () => {
    await client.query(`DROP INDEX ${BANK}, transactions_tenant_booked_idx`);
    await create({ tables: ['transactions'] });
    expect(await names()).toEqual(catalogued().filter((name) => name !== BANK));
  });

  it('rebuilds what a broken-off creation left behind', async () => {
    const tenantId = await insertTenant(database.url, { slug: 'acme' });
    await insertAccounts(database.url, tenantId, [{ accountNumber: '1' }, { accountNumber: '2' }]);
    await client.query(`DROP INDEX ${BANK}`);
    await expect(client.query(`CREATE UNIQUE INDEX CONCURRENTLY ${BANK} ON bank_accounts (tenant_id)`)).rejects.toThrow(
      'could not create unique index',
    );
    const { statements, reasons } = await create();
    expect(reasons).toContain('INVALID: an earlier creation was broken off');
    expect(statements[0]).toBe(`DROP INDEX CONCURRENTLY IF EXISTS "${BANK}";`);
    expect((await readIndexes(client, TABLES)).filter(({ valid }) => !valid)).toEqual([]);
    expect(await names()).toEqual(catalogued());
  });

  it('leaves to a person what bears another name or is on other columns', async () => {
    await client.query(`ALTER INDEX ${CREATED} RENAME TO mine`);
    await client.query(`DROP INDEX ${BANK}; CREATE INDEX ${BANK} ON bank_accounts (tenant_id, bank_name)`);
    const { statements, conflicts } = await create();
    expect(statements).toEqual([]);
    expect(conflicts.join('\n')).toContain(`ALTER INDEX "mine" RENAME TO "${CREATED}";`);
    expect(conflicts.join('\n')).toContain(`${BANK} is on (tenant_id, bank_name), expected (tenant_id, bank_name, id)`);
  });

  it('marks comparisons leakproof again that a restored dump has lost', async () => {
    await client.query('ALTER FUNCTION pg_catalog.enum_eq(anyenum, anyenum) NOT LEAKPROOF');
    expect((await create()).statements).toEqual(['ALTER FUNCTION pg_catalog.enum_eq(anyenum, anyenum) LEAKPROOF;']);
    expect(await unmarkedComparisons(client)).toEqual([]);
  });

  it('refuses while a migration runs, and while it runs elsewhere', async () => {
    await client.query(`DROP INDEX ${BANK}`);
    for (const key of ['72707369', "hashtextextended('tenantry indexes', 0)"]) {
      await withClient(database.url, async (other) => {
        await other.query(`SELECT pg_advisory_lock(${key})`);
        await expect(create()).rejects.toThrow(/Another session is (migrating this database|just creating indexes)/);
      });
    }
    expect(await names()).not.toContain(BANK);
  });

  it('refuses a login without the rights, and a read-only session', async () => {
    await client.query(`DROP INDEX ${BANK}`);
    await client.query('SET ROLE tenantry_app');
    await expect(create()).rejects.toThrow(
      'The login tenantry_app may not create indexes on account_totals, audit_log, bank_accounts',
    );
    await client.query('RESET ROLE; SET default_transaction_read_only = on');
    await expect(create()).rejects.toThrow('This session is read-only');
    expect(await names()).not.toContain(BANK);
  });

  it('gives up on a table that others hold, and makes the index when they are gone', async () => {
    await client.query(`DROP INDEX ${BANK}`);
    await withClient(database.url, async (other) => {
      await other.query('BEGIN');
      await other.query('LOCK TABLE bank_accounts IN ROW EXCLUSIVE MODE');
      await expect(create({ lockTimeoutMs: 100 })).rejects.toThrow(`${BANK} was not made: other transactions kept it`);
      await other.query('ROLLBACK');
    });
    expect((await create()).created.map(({ index }) => index)).toEqual([BANK]);
    expect((await readIndexes(client, TABLES)).filter(({ valid }) => !valid)).toEqual([]);
  });

  it('knows models and features by name', () => {
    expect(chosenModels({ model: undefined, app: undefined })).toEqual(MODELS);
    expect(chosenModels({ model: undefined, app: 'statistics' })).toEqual([
      'FoldedTotal',
      'AccountTotal',
      'DailyTotal',
    ]);
    expect(chosenModels({ model: 'BankAccount', app: 'accounts' })).toEqual(['BankAccount']);
    expect(() => chosenModels({ model: 'Account', app: undefined })).toThrow(
      /--model must be one of Tenant, BankAccount/,
    );
    expect(() => chosenModels({ model: undefined, app: 'bank' })).toThrow(/--app must be one of tenancy, accounts/);
    expect(() => chosenModels({ model: 'Tenant', app: 'accounts' })).toThrow(OperatorError);
  });

  it('prints each statement, and then what became of it', async () => {
    await client.query(`DROP INDEX ${BANK}`);
    const env = { DATABASE_URL: database.url };
    const done = await runScriptAlone('indexes-create.ts', ['--model', 'BankAccount'], { env });
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(done.stdout).toMatch(
      /^CREATE INDEX CONCURRENTLY .* {2}-- missing\nbank_accounts_tenant_bank_idx: done in .*KiB\n$/,
    );
  });
});

async function create(options: { tables?: readonly string[]; dryRun?: boolean; lockTimeoutMs?: number } = {}) {
  const statements: string[] = [];
  const reasons: string[] = [];
  const created: CreatedIndex[] = [];
  const { conflicts } = await createIndexes(client, {
    tables: TABLES,
    dryRun: false,
    lockTimeoutMs: 10_000,
    onStatement: (sql, reason) => {
      statements.push(sql);
      reasons.push(reason);
    },
    onCreated: (index) => created.push(index),
    ...options,
  });
  return { statements, reasons, created, conflicts };
}

async function names(): Promise<string[]> {
  return (await readIndexes(client, TABLES)).map(({ definition }) => definition.name).sort();
}

function catalogued(): string[] {
  return INDEX_CATALOG.map(({ definition }) => definition.name).sort();
}
