import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { SERVICE_ROLE } from '../../src/database/service-rights.ts';
import { TenantPool } from '../../src/tenancy/tenant-pool.ts';
import { startService, type TestService } from '../support/service.ts';
import { insertTwins, TWINS, type Twin } from '../support/twin-tenants.ts';

const [PRAGUE, NEW_YORK] = TWINS as [Twin, Twin];
/**
 * SQLSTATE of both: a row that the policy does not let in, and a table that the role may not write.
 */
const INSUFFICIENT_PRIVILEGE = '42501';

/** The tables that hold a tenant's rows, and the column that says whose they are. */
const OWNERS: Readonly<Record<string, string>> = {
  tenants: 'id',
  bank_accounts: 'tenant_id',
  transactions: 'tenant_id',
  idempotency_keys: 'tenant_id',
  daily_totals: 'tenant_id',
  folded_totals: 'tenant_id',
  account_totals: 'tenant_id',
  audit_log: 'tenant_id',
  tenant_usage: 'tenant_id',
};
/**
 * Ids of tenants for whoever keeps answers, and nothing of theirs: not even its own tenant reads
 * it.
 */
const FOR_OUTBOX_READERS = 'cache_outbox';
const tables = Object.entries(OWNERS);

let service: TestService;
let sql: pg.Client;
let pool: TenantPool;
beforeAll(async () => {
  service = await startService();
  await insertTwins(service.databaseUrl);
  sql = new pg.Client({ connectionString: service.databaseUrl });
  await sql.connect();
  for (const { id } of TWINS)
    await sql.query("INSERT INTO idempotency_keys (tenant_id, key, request_hash) VALUES ($1, 'same', '\\x00')", [id]);
  for (const { id } of TWINS)
    await sql.query(
      "INSERT INTO audit_log VALUES ($1, now(), gen_random_uuid(), 'someone', 'ADMIN', 'transfer', 'key', 'request', 'DONE', '{}', 1)",
      [id],
    );
  for (const { id } of TWINS)
    await sql.query("INSERT INTO tenant_usage VALUES ($1, now(), 1, 0, 1, 0, 0, 0, '{}')", [id]);
  for (const { id } of TWINS)
    await sql.query("INSERT INTO folded_totals VALUES ($1, '2020-01-01', 'EUR', '', 1, 2, 3)", [id]);
  // Few connections, so that each serves all tenants in turn.
  pool = new TenantPool({ connectionString: service.databaseUrl, max: 2, role: SERVICE_ROLE });
});
afterAll(async () => {
  await pool.end();
  await sql.end();
  await service.close();
});

/** The rows of a statement that has no tenant in it, sent for a tenant by the service's own way. */
function as(tenant: { readonly id: string }, text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return pool.queryAs({ tenantId: tenant.id, action: 'test' }, { text, values });
}

async function count(table: string, owner: string, { id }: Twin): Promise<number> {
  const { rows } = await sql.query(`SELECT count(*)::integer AS count FROM ${table} WHERE ${owner} = $1`, [id]);
  return rows[0].count;
}

/** Nothing came of it: no row, or no right. */
async function expectNothing(written: Promise<unknown[]>): Promise<void> {
  const outcome = await written.catch((error: pg.DatabaseError) => error.code);
  expect([[], INSUFFICIENT_PRIVILEGE]).toContainEqual(outcome);
}

test('every table with a tenant is in this test’s list', async () => {
  const { rows } =
    await sql.query(`SELECT DISTINCT c.relname AS name FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
    WHERE attname = 'tenant_id' AND relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY 1`);
  const owned = Object.keys(OWNERS).filter((table) => table !== 'tenants');
  expect(rows.map(({ name }) => name)).toEqual([...owned, FOR_OUTBOX_READERS].sort());
});

test('every such table is under row-level security that holds its owner too, by the setting of the connection', async () => {
  const { rows } = await sql.query<{ name: string; held: boolean; conditions: string[]; owners: string[] }>(
    // A policy of the owner alone is for the functions that keep totals or remove what is old, and
    // only while they say so.
    `SELECT relname AS name, relrowsecurity AND relforcerowsecurity AS held,
       array_agg(coalesce(pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))) FILTER (WHERE NOT polroles = ARRAY[relowner]) AS conditions,
       coalesce(array_agg(DISTINCT pg_get_expr(polqual, polrelid)) FILTER (WHERE polroles = ARRAY[relowner]), '{}') AS owners
     FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid AND polpermissive AND polcmd <> 'a'
     WHERE relname = ANY($1) GROUP BY 1, 2 ORDER BY 1`,
    [[...Object.keys(OWNERS), FOR_OUTBOX_READERS]],
  );
  expect(rows.map(({ name }) => name)).toEqual([...Object.keys(OWNERS), FOR_OUTBOX_READERS].sort());
  for (const { name, held, conditions, owners } of rows) {
    for (const condition of owners) expect(condition).toMatch(/^\(current_setting\('app\.(keep_totals|maintenance)'/);
    expect([name, held]).toEqual([name, true]);
    for (const condition of conditions) expect(condition).toMatch(/current_setting\('app\.(tenant_id|directory)'/);
  }
});

describe('the role of the service', () => {
  test('is neither superuser nor past row-level security, owns nothing, and is a member of no role', async () => {
    const { rows } = await sql.query(
      `SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin,
         (SELECT count(*)::integer FROM pg_class WHERE relowner = r.oid) AS owned,
         (SELECT count(*)::integer FROM pg_auth_members WHERE member = r.oid) AS memberships
       FROM pg_roles r WHERE rolname = $1`,
      [SERVICE_ROLE],
    );
    expect(rows).toEqual([
      {
        rolsuper: false,
        rolbypassrls: false,
        rolcreaterole: false,
        rolcreatedb: false,
        rolcanlogin: false,
        owned: 0,
        memberships: 0,
      },
    ]);
  });

  test('is the one that the service works as', async () => {
    const { rows } = await sql.query('SELECT count(*)::integer AS count FROM bank_accounts');
    const [seen] = await as(PRAGUE, 'SELECT current_user, session_user, count(*)::integer AS count FROM bank_accounts');
    expect(seen).toMatchObject({ current_user: SERVICE_ROLE, count: 36 });
    expect(rows[0].count).toBeGreaterThan(36);
  });

  test('may not change what it may do', async () => {
    for (const statement of [
      'ALTER TABLE bank_accounts DISABLE ROW LEVEL SECURITY',
      'ALTER TABLE bank_accounts NO FORCE ROW LEVEL SECURITY',
      'DROP POLICY tenant_isolation ON bank_accounts',
      'CREATE POLICY everything ON bank_accounts USING (true)',
      'ALTER TABLE bank_accounts DISABLE TRIGGER ALL',
      'TRUNCATE bank_accounts CASCADE',
    ])
      await expect(as(PRAGUE, statement)).rejects.toMatchObject({ code: INSUFFICIENT_PRIVILEGE });
  });
});

describe.each(tables)('%s, by statements that have no tenant in them', (table, owner) => {
  test('shows no rows without a tenant', async () => {
    expect(await count(table, owner, PRAGUE)).toBeGreaterThan(0);
    for (const id of ['', randomUUID()]) expect(await as({ id }, `SELECT * FROM ${table}`)).toEqual([]);
    expect((await pool.query(`SELECT * FROM ${table}`)).rows).toEqual([]);
  });

  test('shows each tenant all its rows and no others', async () => {
    for (const tenant of [PRAGUE, NEW_YORK, PRAGUE]) {
      const rows = await as(tenant, `SELECT ${owner} AS owner FROM ${table}`);
      expect(rows).toHaveLength(await count(table, owner, tenant));
      expect(new Set(rows.map((row) => row.owner))).toEqual(new Set([tenant.id]));
    }
  });

  test('shows nothing of a tenant that is asked for by its id', async () => {
    expect(await as(PRAGUE, `SELECT * FROM ${table} WHERE ${owner} = $1`, [NEW_YORK.id])).toEqual([]);
    const joined = `SELECT o.* FROM tenants t RIGHT JOIN ${table} o ON true WHERE o.${owner} <> $1`;
    expect(await as(PRAGUE, joined, [PRAGUE.id])).toEqual([]);
  });

  test('lets nothing of another tenant be changed, removed, taken or given', async () => {
    const before = await count(table, owner, NEW_YORK);
    const theirs = [NEW_YORK.id];
    await expectNothing(as(PRAGUE, `DELETE FROM ${table} WHERE ${owner} = $1 RETURNING 1`, theirs));
    await expectNothing(as(PRAGUE, `UPDATE ${table} SET ${owner} = ${owner} WHERE ${owner} = $1 RETURNING 1`, theirs));
    await expectNothing(
      as(PRAGUE, `UPDATE ${table} SET ${owner} = $2 WHERE ${owner} = $1 RETURNING 1`, [NEW_YORK.id, PRAGUE.id]),
    );
    await expectNothing(as(PRAGUE, `UPDATE ${table} SET ${owner} = $1 RETURNING 1`, theirs));
    const given = `INSERT INTO ${table} SELECT (jsonb_populate_record(own, jsonb_build_object('${owner}', $1::text))).* FROM ${table} own RETURNING 1`;
    await expect(as(PRAGUE, given, [randomUUID()])).rejects.toMatchObject({ code: INSUFFICIENT_PRIVILEGE });
    expect(await count(table, owner, NEW_YORK)).toBe(before);
  });
});

describe('the tenant of a statement', () => {
  const OWN = 'SELECT DISTINCT tenant_id AS owner FROM bank_accounts';

  test('is that of whoever sent it, however many tenants share the connections', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const tenant = TWINS[n % TWINS.length] as Twin;
        return [tenant.id, await as(tenant, OWN)] as const;
      }),
    );
    for (const [id, rows] of answers) expect(rows).toEqual([{ owner: id }]);
  });

  test('does not stay on the connection, also after an error', async () => {
    for (const statement of [OWN, 'SELECT 1/0', 'no SQL', "SELECT 'x'::uuid"]) {
      await Promise.all([1, 2].map(() => as(PRAGUE, statement).catch(() => [])));
      expect((await Promise.all([pool.query(OWN), pool.query(OWN)])).map(({ rows }) => rows)).toEqual([[], []]);
    }
  });
});

test('nothing is gained by saying that totals are kept: that is for the owner of the tables alone', async () => {
  await sql.query("BEGIN; SET LOCAL app.keep_totals = 'on'");
  await sql.query(`SET LOCAL ROLE ${SERVICE_ROLE}`);
  for (const [table] of tables) expect((await sql.query(`SELECT * FROM ${table}`)).rows).toEqual([]);
  await sql.query('ROLLBACK');
});

test('the ways that read more than one tenant show no business data', async () => {
  const token = await service.token(Role.OPERATOR);
  const { data } = await service.send(token, '{ performance { tables { model rows } indexes { index } } }');
  const text = JSON.stringify(data);
  for (const { id, slug } of TWINS) for (const secret of [id, slug]) expect(text).not.toContain(secret);
  await sql.query("BEGIN; SET LOCAL app.directory = 'on'");
  await sql.query(`SET LOCAL ROLE ${SERVICE_ROLE}`);
  for (const [table] of tables.filter(([name]) => name !== 'tenants'))
    expect((await sql.query(`SELECT * FROM ${table}`)).rows).toEqual([]);
  await sql.query('ROLLBACK');
});
