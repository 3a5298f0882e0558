import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseFaults } from '../../src/database/faults.ts';
import {
  DEFINER_FUNCTIONS,
  REQUIRED_CONSTRAINTS,
  REQUIRED_POLICIES,
  REQUIRED_TRIGGERS,
} from '../../src/database/required-objects.ts';
import { connectPast } from '../cache/change-feed/fixture.ts';
import { createPlainlyOwnedDatabase } from '../support/plain-owner.ts';
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

/**
 * What is found after statements that are rolled back, and again after the remedies of what was
 * found, by whom they name.
 */
async function afterBreaking(sql: string) {
  await client.query('BEGIN');
  try {
    await client.query(sql);
    const found = await databaseFaults(client);
    const { rows } = await client.query<{ complete: boolean }>('SELECT cache_outbox_is_complete() AS complete');
    const left = async () => {
      const { rows } = await client.query(
        "SELECT quote_ident(tableowner) AS owner FROM pg_tables WHERE tablename = 'transactions'",
      );
      // The login of migrations owns the database, and is a member of the owner of the tables.
      await client.query(`GRANT CREATE ON SCHEMA public TO ${rows[0].owner}`);
      for (const { remedy, needsSuperuser } of found) {
        await client.query(needsSuperuser ? 'RESET ROLE' : `SET LOCAL ROLE ${rows[0].owner}`);
        await client.query(remedy);
      }
      return databaseFaults(client);
    };
    const canBeMended = !found.some(({ fault, object }) => object.startsWith('function') && fault === 'is missing');
    return {
      found: found.map(({ object, fault }) => `${object} ${fault}`),
      complete: rows[0]?.complete,
      left: canBeMended ? await left() : [],
    };
  } finally {
    await client.query('ROLLBACK');
  }
}

describe('a migrated database', () => {
  it('has no faults, whoever owns and asks', async () => {
    expect(await databaseFaults(client)).toEqual([]);
    const plain = await createPlainlyOwnedDatabase();
    const asked = await connectPast(plain);
    await asked.query('SET ROLE tenantry_app');
    expect(await databaseFaults(asked)).toEqual([]);
    expect((await asked.query('SELECT cache_outbox_is_complete() AS complete')).rows).toEqual([{ complete: true }]);
    await asked.end();
    await plain.drop();
  });

  it('holds no trigger, policy, function of its owner, key or relation that the description leaves out', async () => {
    const names = async (sql: string) => {
      const { rows } = await client.query<{ name: string }>(sql);
      return rows.map(({ name }) => name).sort();
    };
    const told = (list: readonly { table: string; name: string }[]) =>
      list.map(({ table, name }) => `${table} ${name}`).sort();
    expect(
      await names("SELECT tgrelid::regclass || ' ' || tgname AS name FROM pg_trigger WHERE NOT tgisinternal"),
    ).toEqual(told(REQUIRED_TRIGGERS));
    expect(await names("SELECT polrelid::regclass || ' ' || polname AS name FROM pg_policy")).toEqual(
      told(REQUIRED_POLICIES),
    );
    expect(
      await names("SELECT proname AS name FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"),
    ).toEqual([...DEFINER_FUNCTIONS].sort());
    expect(
      await names(`SELECT conrelid::regclass || ' ' || conname AS name FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'f')
          AND conrelid NOT IN ('cache_outbox_horizon'::regclass, 'cache_trust'::regclass)`),
    ).toEqual(told(REQUIRED_CONSTRAINTS));
  });
});

describe('each of these is named, and mended by the remedy that is given', () => {
  it.each(REQUIRED_TRIGGERS)('trigger $name on $table', async ({ table, name, firing }) => {
    const object = `trigger ${name} on ${table}`;
    const isOutbox = name.startsWith('cache_outbox');
    const states = [
      ['DISABLE', 'is disabled', false],
      ['ENABLE', 'sleeps while rows are replayed', false],
      ...(firing === 'ALWAYS'
        ? [['ENABLE REPLICA', 'fires only while rows are replayed', false] as const]
        : [['ENABLE ALWAYS', 'fires always', true] as const]),
    ] as const;
    for (const [state, fault, isTold] of states)
      expect(await afterBreaking(`ALTER TABLE ${table} ${state} TRIGGER ${name}`)).toEqual({
        found: [`${object} ${fault}`],
        complete: isTold || !isOutbox,
        left: [],
      });
    expect(await afterBreaking(`DROP TRIGGER ${name} ON ${table}`)).toEqual({
      found: [`${object} is missing`],
      complete: !isOutbox,
      left: [],
    });
    const other = `DROP TRIGGER ${name} ON ${table}; CREATE TRIGGER ${name} BEFORE INSERT ON ${table} EXECUTE FUNCTION suppress_redundant_updates_trigger()`;
    expect((await afterBreaking(other)).found).toEqual([expect.stringContaining(`${object} is another one`)]);
  });

  it.each(['tenants', 'bank_accounts', 'transactions'])(
    'the triggers of %s after all were disabled and enabled again',
    async (table) => {
      const broken = `ALTER TABLE ${table} DISABLE TRIGGER ALL; ALTER TABLE ${table} ENABLE TRIGGER ALL`;
      const { found, complete, left } = await afterBreaking(broken);
      const expected = REQUIRED_TRIGGERS.filter((trigger) => trigger.table === table);
      expect(found.sort()).toEqual(
        expected.map(({ name }) => `trigger ${name} on ${table} sleeps while rows are replayed`).sort(),
      );
      expect([complete, left]).toEqual([false, []]);
    },
  );

  it.each(REQUIRED_POLICIES)('policy $name on $table', async ({ table, name, holds, using }) => {
    const object = `policy ${name} on ${table}`;
    const missing = await afterBreaking(`DROP POLICY ${name} ON ${table}`);
    expect(missing).toMatchObject({ found: [`${object} is missing`], left: [] });
    const changes = [
      `ALTER POLICY ${name} ON ${table} ${using ? 'USING (1 = 1)' : 'WITH CHECK (false)'}`,
      `ALTER POLICY ${name} ON ${table} TO ${holds === 'owner' ? 'PUBLIC' : 'CURRENT_USER'}`,
    ];
    for (const change of changes)
      expect(await afterBreaking(change)).toMatchObject({ found: [`${object} is another one`], left: [] });
  });

  it.each([...new Set(REQUIRED_POLICIES.map(({ table }) => table))])('row-level security of %s', async (table) => {
    for (const [change, fault] of [
      ['DISABLE', 'is disabled'],
      ['NO FORCE', 'is not forced on the owner'],
    ])
      expect(await afterBreaking(`ALTER TABLE ${table} ${change} ROW LEVEL SECURITY`)).toMatchObject({
        found: [`row-level security of ${table} ${fault}`],
        left: [],
      });
  });

  it.each(DEFINER_FUNCTIONS)('function %s', async (name) => {
    const found = async (change: string) => (await afterBreaking(`ALTER FUNCTION ${name} ${change}`)).found;
    expect(await found('SECURITY INVOKER')).toEqual([`function ${name} runs with the caller's rights`]);
    for (const path of ['RESET search_path', 'SET search_path = pg_temp, public'])
      expect(await found(path)).toEqual([expect.stringContaining(`function ${name} has another search path`)]);
    const ofAnother = 'GRANT CREATE ON SCHEMA public TO tenantry_app; ALTER FUNCTION';
    expect(await afterBreaking(`${ofAnother} ${name} OWNER TO tenantry_app`)).toMatchObject({
      found: [`function ${name} belongs to another role than the tables`],
      left: [],
    });
    expect(await afterBreaking(`GRANT EXECUTE ON FUNCTION ${name} TO PUBLIC`)).toMatchObject({
      found: [`function ${name} may be called by everybody`],
      left: [],
    });
    expect((await afterBreaking(`DROP FUNCTION ${name} CASCADE`)).found).toContain(`function ${name} is missing`);
  });

  it('a path of the owner that is no list of names, whose remedy is', async () => {
    const path = 'public;ALTER/**/ROLE/**/tenantry_owner/**/SUPERUSER--';
    const kept = `SELECT set_config('search_path', '${path}', true);
      CREATE FUNCTION public."Kept; path"() RETURNS void LANGUAGE sql SET search_path FROM CURRENT AS 'SELECT';
      SELECT set_config('search_path', 'public', true); ALTER FUNCTION "Kept; path" OWNER TO tenantry_owner`;
    expect(await afterBreaking(kept)).toMatchObject({
      found: [`function "Kept; path" finds temporary tables and types of its caller before PostgreSQL's`],
      left: [],
    });
    expect((await client.query("SELECT rolsuper FROM pg_roles WHERE rolname = 'tenantry_owner'")).rows).toEqual([
      { rolsuper: false },
    ]);
  });

  it('the function itself, where others may make one of its name', async () => {
    await client.query('BEGIN');
    await client.query(`GRANT CREATE ON SCHEMA public TO tenantry_app; SET LOCAL ROLE tenantry_app;
      CREATE FUNCTION tenant_usage_add(text) RETURNS void LANGUAGE sql AS 'SELECT';
      CREATE FUNCTION cache_outbox_add() RETURNS void LANGUAGE sql AS 'SELECT'; RESET ROLE`);
    expect(await databaseFaults(client)).toEqual([]);
    await client.query('ROLLBACK');
  });

  it('tables and functions that a superuser owns', async () => {
    const { found, left } = await afterBreaking(`DO $$
      DECLARE it text;
      BEGIN
        FOR it IN SELECT format('ALTER ROUTINE %s OWNER TO postgres', oid::regprocedure) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
          UNION ALL SELECT format('ALTER TABLE %s OWNER TO postgres', oid::regclass) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
          UNION ALL SELECT format('ALTER POLICY %I ON %s TO postgres', polname, polrelid::regclass) FROM pg_policy WHERE polname IN ('keeps_totals', 'maintained')
        LOOP EXECUTE it; END LOOP;
      END $$`);
    expect(found.sort()).toEqual(DEFINER_FUNCTIONS.map((name) => `function ${name} belongs to a superuser`).sort());
    expect(left).toEqual([]);
  });

  it.each(REQUIRED_CONSTRAINTS)('constraint $name on $table', async ({ table, name }) => {
    const object = `constraint ${name} on ${table}`;
    const { found, left } = await afterBreaking(`ALTER TABLE ${table} DROP CONSTRAINT ${name} CASCADE`);
    expect(found).toContain(`${object} is missing`);
    expect(left).toEqual([]);
  });

  it('relations whose triggers are disabled with all others', async () => {
    const { found, left } = await afterBreaking('ALTER TABLE daily_totals DISABLE TRIGGER ALL');
    expect(found).toEqual(['constraint daily_totals_tenant_id_fkey on daily_totals is not enforced']);
    expect(left).toEqual([]);
  });
});
