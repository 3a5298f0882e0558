import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseFaults } from '../../src/database/faults.ts';
import { rightsOf } from '../../src/database/role-rights.ts';
import { SERVICE_FUNCTIONS, SERVICE_ROLE, SERVICE_TABLES } from '../../src/database/service-rights.ts';
import { connectPast } from '../cache/change-feed/fixture.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  client = await connectPast(database);
});
afterAll(async () => {
  await client?.end();
  await database?.drop();
});

/** What breaks the rules, whoever finds it. */
async function findings(): Promise<string[]> {
  const rights = await rightsOf(client, SERVICE_ROLE);
  if (!rights) throw new Error(`there is no ${SERVICE_ROLE}`);
  return [
    ...rights.lacks.map(({ what }) => `lacks ${what}`),
    ...rights.surplus.map(({ what }) => `surplus ${what}`),
    ...rights.owners.map(({ what }) => what),
    ...(await databaseFaults(client)).map(({ object, fault }) => `${object} ${fault}`),
  ];
}

/** After statements that are rolled back. */
async function findingsAfter(...statements: readonly string[]): Promise<string[]> {
  await client.query('BEGIN');
  try {
    for (const sql of statements) await client.query(sql);
    return await findings();
  } finally {
    await client.query('ROLLBACK');
  }
}

const DEFINER = "CREATE FUNCTION added() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'SELECT'";
const SETTLED = 'SELECT settle_ownership()';
const OWNED = (kind: string) => `1 ${kind} belongs to postgres, which may log in or is a superuser`;

describe('what the migrations make', () => {
  it('gives the role of the service what the list says, and belongs to a role that is no superuser and does not log in', async () => {
    expect(await findings()).toEqual([]);
    const { rows } = await client.query(`
      SELECT DISTINCT rolname, rolsuper, rolcanlogin FROM pg_roles JOIN (
        SELECT proowner FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION SELECT relowner FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION SELECT typowner FROM pg_type WHERE typnamespace = 'public'::regnamespace) AS owned (owner) ON owner = pg_roles.oid`);
    expect(rows).toEqual([{ rolname: 'tenantry_owner', rolsuper: false, rolcanlogin: false }]);
  });

  it('lets nobody call a function with the rights of its owner, but the service those that tell, count, remove what is old, and sum up', async () => {
    const { rows } = await client.query(`
      SELECT proname AS name, has_function_privilege('public', oid, 'EXECUTE') AS everybody,
             has_function_privilege('${SERVICE_ROLE}', oid, 'EXECUTE') AS service
        FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace ORDER BY 1`);
    expect(rows.filter(({ everybody }) => everybody)).toEqual([]);
    expect(rows.filter(({ service }) => service).map(({ name }) => name)).toEqual([
      'audit_log_clean',
      'cache_outbox_add',
      'cache_outbox_clean',
      'idempotency_keys_clean',
      'tenant_usage_add',
      'tenant_usage_clean',
      'tenant_usage_recent',
      'tenant_usage_top',
      'transactions_fold',
    ]);
  });

  it('has each table and each function that the list names', async () => {
    const names = SERVICE_TABLES.filter(({ optional }) => !optional).map(({ table }) => table);
    const { rows } = await client.query(
      'SELECT name FROM unnest($1::text[]) name WHERE to_regclass(name) IS NULL UNION SELECT call FROM unnest($2::text[]) call WHERE to_regprocedure(call) IS NULL',
      [names, SERVICE_FUNCTIONS],
    );
    expect(rows).toEqual([]);
  });
});

describe('a migration is found that adds', () => {
  it.each([
    ['a function with the rights of whoever migrates', [DEFINER], [OWNED('function')]],
    [
      'one that everybody may call',
      [DEFINER, 'ALTER FUNCTION added OWNER TO tenantry_owner'],
      [
        'surplus EXECUTE on function added()',
        'function added has another search path than pg_catalog, public, pg_temp',
        'function added may be called by everybody',
      ],
    ],
    [
      'a function that others call with a path that leaves pg_temp out',
      [
        "CREATE FUNCTION added() RETURNS void LANGUAGE sql SET search_path = pg_catalog AS 'SELECT'",
        'ALTER FUNCTION added OWNER TO tenantry_owner',
      ],
      ["function added finds temporary tables and types of its caller before PostgreSQL's"],
    ],
    [
      'a function that nobody but its owner needs to call',
      [DEFINER, SETTLED, `GRANT EXECUTE ON FUNCTION added TO ${SERVICE_ROLE}`],
      ['surplus EXECUTE on function added()'],
    ],
    ['a table', ['CREATE TABLE added (id uuid)'], [OWNED('table')]],
    [
      'a table for the service that is not in the list',
      ['CREATE TABLE added (id uuid)', SETTLED, `GRANT SELECT, INSERT (id) ON added TO ${SERVICE_ROLE}`],
      ['surplus SELECT on added', 'surplus INSERT (id) on added'],
    ],
    ['a view', ['CREATE VIEW added AS SELECT * FROM bank_accounts'], [OWNED('table')]],
    [
      'a view for everybody',
      ['CREATE VIEW added AS SELECT * FROM bank_accounts', SETTLED, 'GRANT SELECT ON added TO PUBLIC'],
      ['surplus SELECT on added'],
    ],
    [
      'a sequence',
      ['CREATE SEQUENCE added', SETTLED, `GRANT USAGE, SELECT ON SEQUENCE added TO ${SERVICE_ROLE}`],
      ['surplus SELECT on added', 'surplus USAGE on added'],
    ],
    [
      'a sequence whose numbers the service takes',
      ['CREATE SEQUENCE added', SETTLED, `GRANT USAGE ON SEQUENCE added TO ${SERVICE_ROLE}`],
      ['surplus USAGE on added'],
    ],
    [
      'a sequence that everybody sets',
      ['CREATE SEQUENCE added', SETTLED, 'GRANT UPDATE ON SEQUENCE added TO PUBLIC'],
      ['surplus UPDATE on added'],
    ],
    [
      'a right to lock a table against all others',
      [`GRANT MAINTAIN ON transactions TO ${SERVICE_ROLE}`],
      ['surplus MAINTAIN on transactions'],
    ],
    ...['pg_maintain', 'pg_signal_backend', 'pg_checkpoint', 'pg_monitor'].map(
      (name) =>
        [`membership of ${name}`, [`GRANT ${name} TO ${SERVICE_ROLE}`], [`surplus membership of ${name}`]] as const,
    ),
    ['a type', ["CREATE TYPE added AS ENUM ('one')"], [OWNED('type')]],
    ['a right to remove tenants', [`GRANT DELETE ON tenants TO ${SERVICE_ROLE}`], ['surplus DELETE on tenants']],
    [
      'a right to change what identifies accounts',
      [`GRANT UPDATE ON bank_accounts TO ${SERVICE_ROLE}`],
      ['surplus UPDATE on bank_accounts'],
    ],
    ['one to a column', [`GRANT UPDATE (name) ON tenants TO ${SERVICE_ROLE}`], ['surplus UPDATE (name) on tenants']],
    [
      'rights that come by way of everybody',
      ['GRANT TRUNCATE ON transactions TO PUBLIC'],
      ['surplus TRUNCATE on transactions'],
    ],
    [
      'no right that the service needs',
      [`REVOKE INSERT ON transactions FROM ${SERVICE_ROLE}`],
      ['lacks INSERT on transactions'],
    ],
    [
      'less columns',
      [`REVOKE UPDATE (balance) ON bank_accounts FROM ${SERVICE_ROLE}`],
      ['lacks UPDATE (balance) on bank_accounts'],
    ],
    [
      'less functions',
      [`REVOKE EXECUTE ON FUNCTION cache_outbox_clean FROM ${SERVICE_ROLE}`],
      ['lacks EXECUTE on function cache_outbox_clean(interval)'],
    ],
    [
      'a right to make tables',
      [`GRANT CREATE ON SCHEMA public TO ${SERVICE_ROLE}`],
      ['surplus CREATE on schema public'],
    ],
    [
      'membership of a role that may',
      ['CREATE ROLE tenantry_test_group SUPERUSER', `GRANT tenantry_test_group TO ${SERVICE_ROLE}`],
      ['surplus membership of tenantry_test_group'],
    ],
    [
      'membership of the owner',
      [`GRANT tenantry_owner TO ${SERVICE_ROLE}`],
      ['surplus the rights of tenantry_owner, which owns the tables'],
    ],
    [
      'rights that the service gets by SET ROLE, as its login inherits none',
      [
        `CREATE ROLE tenantry_test_group; GRANT DELETE ON tenants TO tenantry_test_group`,
        `ALTER ROLE ${SERVICE_ROLE} NOINHERIT; GRANT tenantry_test_group TO ${SERVICE_ROLE}`,
      ],
      ['surplus DELETE on tenants'],
    ],
    [
      'rights that the service gets by SET ROLE, as it does not inherit those of that role',
      [
        `CREATE ROLE tenantry_test_group; GRANT UPDATE (name) ON tenants TO tenantry_test_group`,
        'GRANT CREATE ON SCHEMA public TO tenantry_test_group',
        `GRANT tenantry_test_group TO ${SERVICE_ROLE} WITH INHERIT FALSE`,
      ],
      ['surplus CREATE on schema public', 'surplus UPDATE (name) on tenants'],
    ],
    [
      'a right that the service gets by SET ROLE alone, where it needs that at once',
      [
        `CREATE ROLE tenantry_test_group; GRANT SELECT ON tenants TO tenantry_test_group`,
        'GRANT EXECUTE ON FUNCTION cache_outbox_clean TO tenantry_test_group',
        `REVOKE SELECT ON tenants FROM ${SERVICE_ROLE}`,
        `REVOKE EXECUTE ON FUNCTION cache_outbox_clean FROM ${SERVICE_ROLE}`,
        `GRANT tenantry_test_group TO ${SERVICE_ROLE} WITH INHERIT FALSE`,
      ],
      ['lacks SELECT on tenants', 'lacks EXECUTE on function cache_outbox_clean(interval)'],
    ],
    [
      'a function with the rights of another role',
      [DEFINER, 'CREATE ROLE tenantry_test_group', 'ALTER FUNCTION added OWNER TO tenantry_test_group'],
      ['surplus EXECUTE on function added()'],
    ],
    [
      'one in a schema of its own',
      ['CREATE SCHEMA added; GRANT USAGE ON SCHEMA added TO PUBLIC', DEFINER.replace('added', 'added.added')],
      ['surplus EXECUTE on function added.added()'],
    ],
    ['the right to make roles', [`ALTER ROLE ${SERVICE_ROLE} CREATEROLE`], ['surplus CREATEROLE']],
  ] as const)('%s', async (_title, statements, expected) => {
    const found = await findingsAfter(...statements);
    expect(found).toEqual(expect.arrayContaining([...expected]));
  });

  it('no function with the rights of its owner in a schema that the service does not reach', async () => {
    expect(await findingsAfter('CREATE SCHEMA added', DEFINER.replace('added', 'added.added'))).toEqual([]);
  });

  it('temporary tables of the service, and takes that back', async () => {
    const { name } = database;
    const grant = `GRANT TEMPORARY ON DATABASE ${name} TO PUBLIC`;
    expect(await findingsAfter(grant)).toEqual(['surplus TEMPORARY on the database']);
  });

  it('and is right again when it ends with settle_ownership()', async () => {
    const made = [
      DEFINER,
      "CREATE FUNCTION added_called() RETURNS void LANGUAGE sql SET search_path = pg_catalog AS 'SELECT'",
      'CREATE TABLE added_rows (id bigint GENERATED ALWAYS AS IDENTITY, n bigserial)',
      'CREATE VIEW added_view WITH (security_invoker) AS SELECT * FROM added_rows',
      'CREATE SEQUENCE added_sequence',
      "CREATE TYPE added_type AS ENUM ('one'); CREATE DOMAIN added_domain AS text; CREATE TYPE added_pair AS (a int, b int)",
      'CREATE PROCEDURE added_procedure() LANGUAGE sql AS $$ SELECT $$',
      `CREATE POLICY added ON added_rows TO postgres USING (true)`,
    ];
    expect(await findingsAfter(...made)).not.toEqual([]);
    expect(await findingsAfter(...made, SETTLED)).toEqual([]);
    expect(await findingsAfter(...made, SETTLED, SETTLED)).toEqual([]);
  });
});

describe('as the role of the service', () => {
  it.each([
    'CREATE TEMP TABLE cache_outbox (xid bigint)',
    'CREATE TABLE added (id uuid)',
    'CREATE SCHEMA added',
    "CREATE FUNCTION added() RETURNS void LANGUAGE sql AS 'SELECT'",
    'DELETE FROM tenants',
    "UPDATE tenants SET name = 'other'",
    "INSERT INTO tenants (slug, name, time_zone) VALUES ('other', 'Other', 'UTC')",
    'DELETE FROM bank_accounts',
    "UPDATE bank_accounts SET account_number = 'other'",
    'UPDATE bank_accounts SET tenant_id = tenant_id',
    'DELETE FROM transactions',
    'UPDATE transactions SET amount = 1',
    'DELETE FROM daily_totals',
    "INSERT INTO tenant_usage VALUES (uuid_v7(), now(), 1, 0, 1, 0, 0, 0, '{}')",
    'UPDATE tenant_usage SET points = 0',
    'INSERT INTO cache_outbox (xid, tenant_id, dependencies) VALUES (1, uuid_v7(), 1)',
    'SELECT statistics_rebuild(uuid_v7())',
    'SELECT statistics_recompute(uuid_v7())',
    'SELECT statistics_slot(uuid_v7())',
    'SELECT settle_ownership()',
    'SET ROLE tenantry_owner',
  ])('%s is refused', async (sql) => {
    await client.query(`BEGIN; SET LOCAL app.directory = 'on'; SET SESSION AUTHORIZATION ${SERVICE_ROLE}`);
    try {
      await expect(client.query(sql)).rejects.toMatchObject({ code: '42501' });
    } finally {
      await client.query('ROLLBACK; RESET SESSION AUTHORIZATION');
    }
  });
});

describe('what docs/data-model.md says that PostgreSQL lets every login do', () => {
  const documented = readFileSync(new URL('../../docs/data-model.md', import.meta.url), 'utf8');
  const [, forbidsLargeObjects = ''] = /```sql\n(REVOKE .*?)```/s.exec(documented) ?? [];
  const MAKE_LARGE_OBJECTS = ['SELECT lo_creat(-1)', 'SELECT lo_create(0)', "SELECT lo_from_bytea(0, 'some')"];

  /** As the role of the service, after statements of the superuser; all is taken back. */
  async function asService(sql: string, ...before: readonly string[]): Promise<unknown> {
    await client.query('BEGIN');
    try {
      for (const each of before) await client.query(each);
      await client.query(`SET SESSION AUTHORIZATION ${SERVICE_ROLE}`);
      return await client.query(sql);
    } finally {
      await client.query('ROLLBACK; RESET SESSION AUTHORIZATION');
    }
  }

  /** Functions of PostgreSQL that everybody may call and that make a large object. */
  async function makersOfLargeObjects(): Promise<string[]> {
    const { rows } = await client.query<{ call: string }>(`
      SELECT oid::regprocedure::text AS call FROM pg_proc
       WHERE proname ~ '^lo_(creat|from|import)' AND has_function_privilege('public', oid, 'EXECUTE') ORDER BY 1`);
    return rows.map(({ call }) => call);
  }

  it.each([
    ...MAKE_LARGE_OBJECTS,
    'SELECT pg_advisory_xact_lock(72707369)', // that of migrations
    "SELECT pg_advisory_xact_lock_shared(hashtextextended('anything', 0))",
    'SELECT pg_export_snapshot()',
    "SELECT pg_notify('anything', 'some')",
    "SELECT pg_logical_emit_message(false, 'anything', 'some')",
    `ALTER ROLE ${SERVICE_ROLE} PASSWORD 'other'`,
    `ALTER ROLE ${SERVICE_ROLE} SET statement_timeout = '1ms'`,
  ])('%s', async (sql) => {
    await expect(asService(sql)).resolves.toMatchObject({ rowCount: sql.startsWith('SELECT') ? 1 : null });
  });

  it.each(MAKE_LARGE_OBJECTS)('%s is refused once a superuser has run the statement that it prints', async (sql) => {
    await expect(asService(sql, forbidsLargeObjects)).rejects.toMatchObject({ code: '42501' });
  });

  it('and no other function makes large objects then', async () => {
    expect(await makersOfLargeObjects()).not.toEqual([]);
    await client.query(`BEGIN; ${forbidsLargeObjects}`);
    try {
      expect(await makersOfLargeObjects()).toEqual([]);
    } finally {
      await client.query('ROLLBACK');
    }
  });

  it('and the owner of the database changes nothing by that statement', async () => {
    const before = await makersOfLargeObjects();
    await client.query('BEGIN; CREATE ROLE tenantry_test_plain');
    try {
      await client.query(`ALTER DATABASE ${database.name} OWNER TO tenantry_test_plain`);
      await client.query(`SET SESSION AUTHORIZATION tenantry_test_plain; ${forbidsLargeObjects}`);
      expect(await makersOfLargeObjects()).toEqual(before);
    } finally {
      await client.query('ROLLBACK; RESET SESSION AUTHORIZATION');
    }
  });
});
