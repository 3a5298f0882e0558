import { randomUUID } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dependenciesIn } from '../../../src/cache/dependencies/dependencies.ts';
import { fixtureId } from '../../support/fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { connectPast, fillTwo, NORTH, SOUTH } from './fixture.ts';

const OF_ACCOUNTS = ['accounts', 'dashboard'];
const OF_TRANSACTIONS = ['transactions', 'dashboard', 'statistics'];
const OF_TENANTS = ['accounts', 'transactions', 'dashboard', 'statistics', 'tenant'];
const NEW_ACCOUNT = `(tenant_id, bank_name, account_number, account_type, currency) VALUES ('${NORTH}', 'B', '9', 'LOAN', 'EUR')`;
const NEW_TRANSACTION = `(tenant_id, account_id, direction, amount, currency) VALUES ('${NORTH}', '${fixtureId('north', '0001')}', 'DEBIT', 1, 'EUR')`;

describe('the outbox of a transaction', () => {
  let database: TestDatabase;
  let client: pg.Client;
  beforeAll(async () => {
    database = await createTestDatabase();
    await fillTwo(database.url);
    client = await connectPast(database);
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });
  beforeEach(() => client.query('BEGIN'));
  afterEach(() => client.query('ROLLBACK'));

  /** What the transaction has written into the outbox so far. */
  async function outbox() {
    const { rows } = await client.query<{ tenant_id: string; dependencies: number; write_id: string | null }>(
      'SELECT tenant_id, dependencies, write_id FROM cache_outbox WHERE xid = pg_current_xact_id()::text::bigint ORDER BY 1, 2',
    );
    return rows.map((row) => ({ ...row, dependencies: dependenciesIn(row.dependencies) }));
  }
  const row = (tenant_id: string, dependencies: string[], write_id: string | null = null) => ({
    tenant_id,
    dependencies,
    write_id,
  });

  it.each([
    ['an account', `INSERT INTO bank_accounts ${NEW_ACCOUNT}`, OF_ACCOUNTS],
    ['a transaction', `INSERT INTO transactions ${NEW_TRANSACTION}`, OF_TRANSACTIONS],
    ["a tenant's name", `UPDATE tenants SET name = 'N' WHERE id = '${NORTH}'`, OF_TENANTS],
    ['a balance', `UPDATE bank_accounts SET balance = 1 WHERE tenant_id = '${NORTH}'`, OF_ACCOUNTS],
    ['a category', `UPDATE transactions SET category = 'x' WHERE tenant_id = '${NORTH}'`, OF_TRANSACTIONS],
    ['the end of transactions', `DELETE FROM transactions WHERE tenant_id = '${NORTH}'`, OF_TRANSACTIONS],
    ['totals made anew', `SELECT statistics_rebuild('${NORTH}')`, ['dashboard', 'statistics']],
    ['what nobody sees', `SELECT cache_outbox_add('${NORTH}', 64)`, ['statistics:daily']],
  ])('tells of %s, and of nobody else', async (_, sql, dependencies) => {
    await client.query(sql);
    expect(await outbox()).toEqual([row(NORTH, dependencies)]);
  });

  it('tells of what goes with its parent', async () => {
    await client.query('DELETE FROM bank_accounts WHERE tenant_id = $1', [NORTH]);
    expect(await outbox()).toEqual([row(NORTH, OF_ACCOUNTS), row(NORTH, OF_TRANSACTIONS)]);
  });

  it('tells of a whole tenant that goes', async () => {
    await client.query('DELETE FROM tenants WHERE id = $1', [NORTH]);
    expect(await outbox()).toContainEqual(row(NORTH, OF_TENANTS));
  });

  it('tells every tenant of TRUNCATE, also when the tenants themselves are emptied', async () => {
    // PostgreSQL refuses to empty the totals a second time within the same statement.
    for (const table of ['bank_accounts', 'transactions'])
      await client.query(`ALTER TABLE ${table} DISABLE TRIGGER keep_totals_truncate`);
    await client.query('TRUNCATE tenants CASCADE');
    const told = await outbox();
    for (const tenant of [NORTH, SOUTH])
      for (const dependencies of [OF_ACCOUNTS, OF_TRANSACTIONS, OF_TENANTS])
        expect(told).toContainEqual(row(tenant, dependencies));
    const { rows } = await client.query("SELECT current_setting('app.directory', true) AS directory");
    expect(rows).toEqual([{ directory: '' }]);
  });

  it('tells of rows that come by COPY', async () => {
    const copy = client.query(
      copyFrom(
        'COPY bank_accounts (tenant_id, bank_name, account_number, account_type, currency) FROM STDIN (FORMAT csv)',
      ),
    );
    await pipeline([`${NORTH},B,8,LOAN,EUR\n${SOUTH},B,8,LOAN,EUR\n`], copy);
    expect(new Set(await outbox())).toEqual(new Set([row(NORTH, OF_ACCOUNTS), row(SOUTH, OF_ACCOUNTS)]));
  });

  it('tells both tenants of a row that moves from one to the other', async () => {
    await client.query('DELETE FROM transactions');
    await client.query('TRUNCATE cache_outbox');
    await client.query("UPDATE bank_accounts SET tenant_id = $1, bank_name = 'moved' WHERE tenant_id = $2", [
      SOUTH,
      NORTH,
    ]);
    expect(new Set(await outbox())).toEqual(new Set([row(NORTH, OF_ACCOUNTS), row(SOUTH, OF_ACCOUNTS)]));
  });

  it('tells once, however many statements change the same', async () => {
    for (const balance of [1, 2, 3]) await client.query('UPDATE bank_accounts SET balance = $1', [balance]);
    expect(await outbox()).toHaveLength(2);
  });

  it('tells nothing when no row was changed, or the change was taken back', async () => {
    await client.query("UPDATE bank_accounts SET balance = 1 WHERE account_number = 'none'");
    await client.query('SAVEPOINT before; UPDATE bank_accounts SET balance = 1; ROLLBACK TO before');
    expect(await outbox()).toEqual([]);
  });

  it('tells of replayed rows too', async () => {
    await client.query("SET LOCAL session_replication_role = 'replica'");
    await client.query('UPDATE bank_accounts SET balance = 1 WHERE tenant_id = $1', [NORTH]);
    expect(await outbox()).toEqual([row(NORTH, OF_ACCOUNTS)]);
  });

  it("carries the id of the API's write", async () => {
    const id = randomUUID();
    await client.query(`SET LOCAL app.write_id = '${id}'`);
    await client.query('UPDATE bank_accounts SET balance = 1 WHERE tenant_id = $1', [NORTH]);
    expect(await outbox()).toEqual([row(NORTH, OF_ACCOUNTS, id)]);
  });

  it("is written for the service's role, which neither writes nor, as a tenant, reads it", async () => {
    await client.query(`SET LOCAL ROLE tenantry_app; SET LOCAL app.tenant_id = '${NORTH}'`);
    await client.query('UPDATE bank_accounts SET balance = 1');
    expect(await outbox()).toEqual([]);
    await client.query("SET LOCAL app.directory = 'on'");
    expect(await outbox()).toEqual([row(NORTH, OF_ACCOUNTS)]);
    await expect(client.query('DELETE FROM cache_outbox')).rejects.toThrow('permission denied');
  });
});
