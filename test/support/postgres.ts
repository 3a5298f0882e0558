import { randomBytes } from 'node:crypto';
import pg from 'pg';

const TEST_PREFIX = 'tenantry_test_';

/** A database of one test's own; every name begins `tenantry_test_`. */
export interface TestDatabase {
  name: string;
  /** As the superuser. */
  url: string;
  /** Ends the connections that are still open, too. */
  drop(): Promise<void>;
}

/**
 * The server's maintenance database, as the superuser: for statements about databases and roles.
 */
export function adminDatabaseUrl(): string {
  return new URL('/postgres', required('TENANTRY_TEST_ADMIN_URL')).href;
}

/** A database with all migrations applied and no rows. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const database = await createDatabase(`TEMPLATE ${quoteName(required('TENANTRY_TEST_TEMPLATE'))}`);
  // A copy does not have the rights to the database that the migrations set.
  await onServer(`REVOKE TEMPORARY ON DATABASE ${quoteName(database.name)} FROM PUBLIC`);
  return database;
}

/** A database with nothing in it. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return createDatabase('TEMPLATE template0');
}

/** Drops a database of the tests, and refuses every other. */
export async function dropTestDatabase(name: string): Promise<void> {
  if (!name.startsWith(TEST_PREFIX)) throw new Error(`${name} is no test database: expected ${TEST_PREFIX}*.`);
  await onServer(`DROP DATABASE IF EXISTS ${quoteName(name)} WITH (FORCE)`);
}

/** Runs one statement in the maintenance database. */
export async function onServer(sql: string): Promise<void> {
  await withKeptClient(adminDatabaseUrl(), (client) => client.query(sql));
}

/** By address. */
const pools = new Map<string, pg.Pool>();

/**
 * As `withClient`, but the connection is kept for a second, for the next who asks: to open one
 * costs as much as fifty small statements. What was set in the session is reset; the settings of
 * its role and its database are those of when it was opened.
 */
export async function withKeptClient<T>(url: string, work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  const pool = pools.get(url) ?? openPool(url);
  const client = await pool.connect();
  let isReset = false;
  try {
    return await work(client);
  } finally {
    try {
      await client.query('ROLLBACK');
      await client.query('DISCARD ALL');
      isReset = true;
    } finally {
      client.release(!isReset);
    }
  }
}

function openPool(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, idleTimeoutMillis: 1_000, allowExitOnIdle: true });
  // A kept connection ended: its database was dropped, or its server stopped.
  pool.on('error', () => {});
  pools.set(url, pool);
  return pool;
}

/** Connects, works, and closes the connection whatever comes. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

export const quoteName = pg.escapeIdentifier;

async function createDatabase(source: string): Promise<TestDatabase> {
  const name = `${TEST_PREFIX}${randomBytes(6).toString('hex')}`;
  // By copying files: with fsync off that costs a third of the time of writing every page to the
  // log.
  await onServer(`CREATE DATABASE ${quoteName(name)} ${source} STRATEGY file_copy`);
  return { name, url: new URL(`/${name}`, adminDatabaseUrl()).href, drop: () => dropTestDatabase(name) };
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests with npm test or npx vitest, which start PostgreSQL.`);
  return value;
}
