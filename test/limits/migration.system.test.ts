import { randomBytes } from 'node:crypto';
import type { MigrationList } from '@prisma/schema-engine-wasm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { prisma } from '../prisma/cli.ts';
import { ask, NO_FILTERS, ownMigrations } from '../prisma/engine.ts';
import { copyOwnProject, type Project } from '../prisma/project.ts';
import { createEmptyDatabase, onServer, quoteName, type TestDatabase, withClient } from '../support/postgres.ts';

/** Prisma's commands take seconds each under load. */
const TIMEOUT_MS = 120_000;
const MIGRATION = '20261129200000_value_limits';

const TENANT = '00000000-0000-7000-8000-000000000001';
const id = (number: number) => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;

/** Of each kind of value one that was taken before. */
const BAD_ROWS = [
  `INSERT INTO tenants (id, slug, name, time_zone) VALUES ('${TENANT}', 'behind', 'Behind', 'UTC+3')`,
  `INSERT INTO bank_accounts (tenant_id, id, bank_name, account_number, account_type, currency, balance)
   SELECT '${TENANT}', ('00000000-0000-7000-8000-' || lpad((10 + n)::text, 12, '0'))::uuid, 'Bank', n::text, 'LOAN', 'EUR', 'NaN'
     FROM generate_series(1, 7) n`,
  `INSERT INTO transactions (tenant_id, id, account_id, direction, amount, currency, booked_at, category)
   VALUES ('${TENANT}', '${id(20)}', '${id(11)}', 'DEBIT', 1, 'EUR', '10000-01-01Z', repeat('x', 201)),
          ('${TENANT}', '${id(21)}', '${id(11)}', 'DEBIT', 'NaN', 'EUR', '2026-01-01Z', 'x')`,
];
const MENDED = [
  `UPDATE tenants SET time_zone = 'Asia/Baghdad'`,
  `UPDATE bank_accounts SET balance = 0`,
  `UPDATE transactions SET amount = 1, booked_at = '9999-12-30Z', category = repeat('x', 200)`,
  `SELECT statistics_rebuild('${TENANT}')`,
];
const STATE = `
  SELECT jsonb_build_object(
    'rows', (SELECT jsonb_agg(to_jsonb(t) ORDER BY id) FROM transactions t),
    'accounts', (SELECT jsonb_agg(to_jsonb(a) ORDER BY id) FROM bank_accounts a),
    'checks', (SELECT jsonb_agg(pg_get_constraintdef(oid) ORDER BY conname) FROM pg_constraint WHERE contype = 'c'),
    'forced', (SELECT jsonb_agg(relname ORDER BY 1) FROM pg_class WHERE relforcerowsecurity)) AS state`;

describe('the migration that sets the limits, by an owner whom row-level security holds', {
  timeout: TIMEOUT_MS,
}, () => {
  const owner = `tenantry_test_${randomBytes(6).toString('hex')}`;
  let database: TestDatabase;
  let project: Project;
  let ownersUrl: string;

  /** Prisma's engine alone: its command line is needed where a person reads it. */
  const byEngine = (method: string, params: object) => ask({ url: ownersUrl }, method, params);
  const applied = (migrations: MigrationList) =>
    byEngine('applyMigrations', { migrationsList: migrations, filters: NO_FILTERS });
  const bySuperuser = (statements: readonly string[]) =>
    withClient(database.url, async (client) => {
      // A plain owner's triggers know the tenant by it.
      await client.query("SELECT set_config('app.tenant_id', $1, false)", [TENANT]);
      for (const statement of statements) await client.query(statement);
    });
  const state = () => withClient(database.url, async (client) => (await client.query(STATE)).rows[0].state);

  beforeAll(async () => {
    database = await createEmptyDatabase();
    await onServer(`CREATE ROLE ${owner} LOGIN PASSWORD 'owner' NOSUPERUSER NOBYPASSRLS`);
    await onServer(`ALTER DATABASE ${quoteName(database.name)} OWNER TO ${owner}`);
    const url = new URL(database.url);
    [url.username, url.password] = [owner, 'owner'];
    ownersUrl = url.href;
    project = copyOwnProject();
    const all = ownMigrations();
    const before = all.migrationDirectories.filter(({ path }) => path < MIGRATION);
    expect(await applied({ ...all, migrationDirectories: before })).toEqual({
      result: { appliedMigrationNames: before.map(({ path }) => path) },
    });
  }, TIMEOUT_MS);
  afterAll(async () => {
    await project.remove();
    await database.drop();
    await onServer(`DROP ROLE ${owner}`);
  });

  it('says first which rows break them, where there are some, and changes nothing', async () => {
    await bySuperuser(BAD_ROWS);
    const before = await state();

    const { exitCode, output } = await prisma(project, ['migrate', 'deploy'], { DATABASE_URL: ownersUrl });

    expect(exitCode).toBe(1);
    expect(output).toContain(`Migration name: ${MIGRATION}`);
    expect(output).toContain(
      'rows of this database are beyond the limits that this migration sets; nothing was changed:',
    );
    for (const line of [
      `- tenants, constraint tenants_time_zone_check: 1 row is not time_zone ~ '^(UTC|`,
      `id: ${TENANT}. Remedy: give them UTC or a zone by area and location`,
      '- bank_accounts, constraint bank_accounts_balance_check: 7 rows are not balance BETWEEN -999999999999999.9999 AND',
      `id: ${[11, 12, 13, 14, 15].map(id).join(', ')} and others. Remedy: give them the right value.`,
      '- transactions, constraint transactions_booked_at_check: 1 row is not',
      '- transactions, constraint transactions_amount_check: 1 row is not',
      '- transactions, constraint transactions_category_check: 1 row is not',
      '- daily_totals, constraint daily_totals_outflow_check: 1 row is not',
      `tenant_id: ${TENANT}. Remedy: SELECT statistics_rebuild(<id>), once transactions are right.`,
      '- account_totals, constraint account_totals_balance_check: 1 row is not',
      `HINT: Mend the rows, then: npx prisma migrate resolve --rolled-back ${MIGRATION}, and deploy again.`,
    ])
      expect(output).toContain(line);
    expect(output.match(/^- /gm)).toHaveLength(7);
    expect(await state()).toEqual(before);
  });

  it('is applied once the rows are mended', async () => {
    await bySuperuser(MENDED);

    const resolved = await byEngine('markMigrationRolledBack', { migrationName: MIGRATION });
    expect(resolved.error).toBeUndefined();
    const { result } = await applied(ownMigrations());

    expect(result.appliedMigrationNames[0]).toBe(MIGRATION);
    const { forced } = await state();
    expect(forced.length).toBeGreaterThan(5);
    await expect(bySuperuser(BAD_ROWS.slice(1, 2))).rejects.toThrow('bank_accounts_balance_check');
  });
});
