import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { grantRights } from '../../src/commands/grant-command.ts';
import { databaseFaults } from '../../src/database/faults.ts';
import { reportOf, rightsOf } from '../../src/database/role-rights.ts';
import { SERVICE_ROLE } from '../../src/database/service-rights.ts';
import { checkStatistics } from '../../src/statistics/check.ts';
import { insertAccounts, insertTenant, insertTransactions } from '../support/fixtures.ts';
import { findInstalledPostgres, startInstalledPostgres } from '../support/installed-postgres.ts';
import { startLogicalPostgres } from '../support/logical-postgres.ts';

const MIGRATIONS = path.resolve(import.meta.dirname, '../../prisma/migrations');
/** The first that settles who owns what. */
const SETTLING = '20261130100000_settle_ownership';
const ALL = readdirSync(MIGRATIONS)
  .filter((name) => /^\d/.test(name))
  .sort();

/** A server that no other test has made roles on. */
interface Server {
  readonly name: string;
  start(): Promise<{ readonly url: string; stop(): Promise<void> }>;
}

const programs = findInstalledPostgres('plpgsql');
const SERVERS: readonly Server[] = [
  {
    name: 'the embedded PostgreSQL',
    async start() {
      const server = await startLogicalPostgres();
      return { url: await server.createDatabase('maintenance'), stop: () => server.stop() };
    },
  },
  ...(programs
    ? [
        {
          name: `PostgreSQL of ${programs}`,
          async start() {
            const { url, stop } = await startInstalledPostgres(programs);
            return { url, stop: async () => stop() };
          },
        },
      ]
    : []),
];

interface Login {
  readonly name: string;
  /**
   * What an administrator runs before; it may be that another login's migrations made the role of
   * the owner.
   */
  readonly made: string;
  /** Whether what it migrates comes to belong to a role that does not log in. */
  readonly settles: boolean;
}

const LOGINS: readonly Login[] = [
  { name: 'plain', made: 'CREATE ROLE plain LOGIN', settles: false },
  { name: 'creator', made: 'CREATE ROLE creator LOGIN CREATEROLE', settles: true },
  { name: 'member', made: 'CREATE ROLE member LOGIN IN ROLE tenantry_owner', settles: true },
  { name: 'uninherited', made: 'CREATE ROLE uninherited LOGIN NOINHERIT IN ROLE tenantry_owner', settles: false },
  { name: 'superuser', made: 'CREATE ROLE superuser LOGIN SUPERUSER', settles: true },
];

const STARTS = ['from nothing', 'from the state before'] as const;

describe.each(SERVERS)('$name', { timeout: 60_000 }, ({ start }) => {
  let server: Awaited<ReturnType<Server['start']>>;
  beforeAll(async () => {
    server = await start();
    // Its members are made of it where the migrations of others have made it; "plain" and
    // "creator" come before.
    await query(server.url, 'CREATE ROLE tenantry_app');
  }, 60_000);
  afterAll(() => server?.stop());

  describe.each(LOGINS)('migrated by the login $name', ({ name, made, settles }) => {
    beforeAll(() => query(server.url, made));

    it.each(STARTS.filter((start) => settles || start !== 'from nothing'))(
      '%s works, and so do later migrations',
      async (from) => {
        const url = await createDatabase(server.url, `${name}_${from.split(' ').at(-1)}`, name);
        const client = await connectForTest(url, name);
        const earlier = from === 'from nothing' ? [] : ALL.filter((migration) => migration < SETTLING);
        await migrate(client, earlier);
        const tenant = earlier.length ? await fill(url) : undefined;
        await migrate(client, ALL.slice(earlier.length));

        expect(await databaseFaults(client)).toEqual([]);
        const owner = settles ? 'tenantry_owner' : name;
        expect(await ownersOf(client)).toEqual([owner]);
        const rights = await rightsOf(client, SERVICE_ROLE);
        expect(rights).toMatchObject({ lacks: [], surplus: [] });
        if (!rights) throw new Error('not reached');
        expect(reportOf(rights).length > 0).toBe(!settles);
        expect(rights.administrators !== undefined).toBe((await settlementOf(client)) !== null);

        await later(client);
        expect(await ownersOf(client)).toEqual([owner]);
        await write(url, tenant ?? (await fill(url)));
      },
    );
  });

  it('is told what an administrator must run, and settles when that was done', async () => {
    const url = await createDatabase(server.url, 'told', 'plain');
    const client = await connectForTest(url, 'plain');
    await migrate(client, ALL);
    const told = await settlementOf(client);
    const statements = /An administrator runs: (.*;) Then: npm run db:grant$/.exec(told ?? '')?.[1];
    expect(statements).toContain('GRANT tenantry_owner TO plain;');
    // Whoever asks: the login itself, the service, or somebody who may settle it at once.
    for (const [asking, expected] of [
      ['plain', statements],
      [SERVICE_ROLE, statements],
      ['superuser', undefined],
    ] as const) {
      const other = await connectForTest(url, asking);
      expect([asking, (await rightsOf(other, SERVICE_ROLE))?.administrators]).toEqual([asking, expected]);
    }
    expect(await grantRights(client, SERVICE_ROLE)).toEqual({ told: [`not done: ${told}`], isFutile: true });

    await query(url, statements ?? '');
    expect(await grantRights(client, SERVICE_ROLE)).toEqual({ told: [], isFutile: false });
    expect(await ownersOf(client)).toEqual(['tenantry_owner']);
    expect(await databaseFaults(client)).toEqual([]);
    await write(url, await fill(url));
    await query(server.url, 'REVOKE tenantry_owner FROM plain');
  });

  it.each([
    ['that inherits nothing', 'uninherited', ''],
    ['whose role of the owner may log in', 'plain', 'ALTER ROLE tenantry_owner LOGIN'],
    [
      'of a superuser whose role of the owner sees through policies',
      'superuser',
      'ALTER ROLE tenantry_owner BYPASSRLS',
    ],
  ])('settles after what an administrator is told to run, of a login %s', async (title, login, before) => {
    const url = await createDatabase(server.url, `told_${title.length}`, login);
    const client = await connectForTest(url, login);
    await query(server.url, before);
    await migrate(client, ALL);
    const administrators = (await rightsOf(client, SERVICE_ROLE))?.administrators;
    expect(administrators !== undefined).toBe((await settlementOf(client)) !== null);
    if (administrators) {
      expect((await grantRights(client, SERVICE_ROLE)).told).toEqual([expect.stringContaining(administrators)]);
      await query(url, administrators);
    }
    const own = await connectForTest(url, login);
    expect(await grantRights(own, SERVICE_ROLE)).toEqual({ told: [], isFutile: false });
    expect(await ownersOf(own)).toEqual(['tenantry_owner']);
    await query(server.url, 'ALTER ROLE tenantry_owner NOLOGIN NOBYPASSRLS');
    await query(server.url, 'REVOKE tenantry_owner FROM plain');
  });

  it('is refused a role of the owner that may log in', async () => {
    const url = await createDatabase(server.url, 'logging_in', 'superuser');
    const client = await connectForTest(url, 'superuser');
    await query(server.url, 'ALTER ROLE tenantry_owner LOGIN');
    await migrate(client, ALL);
    expect((await client.query('SELECT settle_ownership() AS told')).rows[0].told).toContain(
      'role tenantry_owner may log in',
    );
    expect((await databaseFaults(client)).map(({ fault }) => fault)).toContain('belongs to a superuser');
    await query(server.url, 'ALTER ROLE tenantry_owner NOLOGIN');
    await grantRights(client, SERVICE_ROLE);
    expect(await databaseFaults(client)).toEqual([]);
  });

  it('is migrated into another schema than public', async () => {
    const url = await createDatabase(server.url, 'elsewhere', 'creator');
    const client = await connectForTest(url, 'creator');
    await client.query('CREATE SCHEMA elsewhere; SET search_path = elsewhere');
    await migrate(client, ALL);
    expect(await databaseFaults(client)).toEqual([]);
    const rights = await rightsOf(client, SERVICE_ROLE);
    expect(rights).toEqual({ role: SERVICE_ROLE, lacks: [], surplus: [], owners: [] });
  });
});

/**
 * What a later version may do: change a table, replace a function, add a table with a function and
 * a policy of its owner.
 */
async function later(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ text: string }>(
    "SELECT pg_get_functiondef('statistics_recompute(uuid)'::regprocedure) AS text",
  );
  await client.query(`
    ALTER TABLE bank_accounts ADD COLUMN note text; CREATE INDEX bank_accounts_note_idx ON bank_accounts (note);
    ALTER TYPE account_type RENAME VALUE 'LOAN' TO 'CREDIT_LINE'; ALTER TYPE account_type RENAME VALUE 'CREDIT_LINE' TO 'LOAN';
    CREATE TABLE notes (tenant_id uuid REFERENCES tenants, text text);
    CREATE FUNCTION note() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'SELECT';
    ${rows[0]?.text};
    SELECT settle_ownership();
    ALTER TABLE bank_accounts DROP COLUMN note; DROP TABLE notes; DROP FUNCTION note()`);
}

async function fill(url: string): Promise<string> {
  const tenant = await insertTenant(url, { slug: 'north' });
  const [accountId = ''] = await insertAccounts(url, tenant, [{ accountNumber: '1', balance: '5' }]);
  await insertTransactions(url, tenant, [{ accountId, bookedAt: '2026-03-01T12:00:00Z' }]);
  return tenant;
}

/** As the service does, with what it may; then the totals are right. */
async function write(url: string, tenant: string): Promise<void> {
  const client = await connect(url);
  onTestFinished(() => client.end());
  await client.query(`SET app.tenant_id = '${tenant}'; SET ROLE ${SERVICE_ROLE}`);
  await client.query(`
    UPDATE bank_accounts SET balance = balance + 7, status = 'FROZEN', version = version + 1, updated_at = now();
    INSERT INTO transactions (tenant_id, account_id, direction, amount, currency) SELECT tenant_id, id, 'CREDIT', 7, currency FROM bank_accounts`);
  await client.query('RESET ROLE');
  expect(await checkStatistics(client, tenant)).toEqual([]);
  const { rows } = await client.query('SELECT count(*)::int AS told FROM cache_outbox WHERE tenant_id = $1', [tenant]);
  expect(rows[0].told).toBeGreaterThan(0);
}

async function migrate(client: pg.Client, names: readonly string[]): Promise<void> {
  for (const name of names) await client.query(readFileSync(path.join(MIGRATIONS, name, 'migration.sql'), 'utf8'));
}

/** @returns what it says that is left to do */
async function settlementOf(client: pg.Client): Promise<string | null> {
  return (await client.query<{ told: string | null }>('SELECT settle_ownership() AS told')).rows[0]?.told ?? null;
}

/** Of tables, functions and types. */
async function ownersOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ owner: string }>(`
    SELECT DISTINCT pg_get_userbyid(owner) AS owner FROM (
      SELECT proowner FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
      UNION SELECT relowner FROM pg_class WHERE relnamespace = current_schema()::regnamespace
      UNION SELECT typowner FROM pg_type WHERE typnamespace = current_schema()::regnamespace) AS owned (owner)`);
  return rows.map(({ owner }) => owner);
}

async function createDatabase(url: string, name: string, owner: string): Promise<string> {
  await query(url, `CREATE DATABASE ${name} TEMPLATE template0`);
  await query(url, `ALTER DATABASE ${name} OWNER TO ${owner}`);
  const own = new URL(`/${name}`, url).href;
  // Before version 15 this is not the owner of the database.
  await query(own, `ALTER SCHEMA public OWNER TO ${owner}`);
  return own;
}

async function connectForTest(url: string, role: string): Promise<pg.Client> {
  const client = await connect(url, role);
  onTestFinished(() => client.end());
  return client;
}

async function connect(url: string, role?: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  if (role) await client.query(`SET SESSION AUTHORIZATION ${role}`);
  return client;
}

async function query(url: string, sql: string): Promise<void> {
  const client = await connect(url);
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
