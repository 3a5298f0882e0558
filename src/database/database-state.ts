import { readdirSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { findProjectRoot } from '../embedded/project-root.mjs';
import { StateError } from '../errors.ts';
import { connectionError } from './connection-error.ts';
import { type DatabaseFault, databaseFaults } from './faults.ts';
import { endUnconnected } from './missing-password.mjs';
import { quoted, type RoleRights, rightsOf } from './role-rights.ts';

/** What must be known of a database before it is migrated. */
export interface DatabaseState {
  /** Names of this version's migrations that are not applied to it, in order. */
  readonly pendingMigrations: readonly string[];
  /**
   * Whether the login sees every tenant's rows, row-level security or not: a superuser, or with
   * BYPASSRLS.
   */
  readonly bypassesRowSecurity: boolean;
}

/**
 * @throws OperatorError when the database cannot be reached, naming host, port and database but
 *   never the password
 */
export async function readDatabaseState(url: string): Promise<DatabaseState> {
  return withClient(url, async (client) => {
    const bypasses = await bypassesRowSecurity(client);
    return { pendingMigrations: await pendingMigrations(client), bypassesRowSecurity: bypasses };
  });
}

/** As of `DatabaseState`. */
export async function bypassesRowSecurity(client: Pick<pg.ClientBase, 'query'>): Promise<boolean> {
  const { rows } = await client.query<{ bypasses: boolean }>(
    'SELECT rolsuper OR rolbypassrls AS bypasses FROM pg_roles WHERE rolname = current_user',
  );
  return rows[0]?.bypasses ?? true;
}

/** @throws OperatorError when the database that a setting names cannot be reached */
export async function reachDatabase(url: string, setting: string): Promise<void> {
  await withClient(url, (client) => client.query('SELECT 1'), setting);
}

/** What a migrated database lacks, as after a trigger was disabled by hand. */
export async function readDatabaseFaults(url: string): Promise<DatabaseFault[]> {
  return withClient(url, databaseFaults);
}

/**
 * What the login may do, held against what the service does.
 * @param role another one to be asked of, which the service takes instead
 */
export async function readRoleRights(url: string, role?: string): Promise<{ role: string; rights: RoleRights }> {
  return withClient(url, (client) => roleRights(client, role));
}

/** As `readRoleRights`, on a connection that there is. */
export async function roleRights(
  client: Pick<pg.ClientBase, 'query'>,
  role?: string,
): Promise<{ role: string; rights: RoleRights }> {
  const { rows } = await client.query<{ login: string }>('SELECT current_user AS login');
  const asked = role ?? rows[0]?.login ?? '';
  const rights = await rightsOf(client, asked);
  if (rights) return { role: asked, rights };
  const name = await quoted(client, asked);
  throw new StateError(
    `There is no role ${name}, which the service takes when its login is a superuser.`,
    `As an administrator: CREATE ROLE ${name}; then: npm run db:grant`,
  );
}

/**
 * Connects, works, and closes the connection whatever comes.
 * @param queryTimeoutMs after which a statement is given up; absent: never
 * @throws OperatorError when the database that the setting names cannot be reached
 */
export async function withClient<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
  setting = 'DATABASE_URL',
  queryTimeoutMs?: number,
): Promise<Result> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    application_name: 'tenantry',
    ...(queryTimeoutMs && { query_timeout: queryTimeoutMs }),
  });
  try {
    await client.connect();
  } catch (cause) {
    endUnconnected(client);
    throw connectionError(client, setting, cause);
  }
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The migrations in prisma/migrations that the database's own list does not hold as finished. */
export async function pendingMigrations(client: Pick<pg.ClientBase, 'query'>): Promise<string[]> {
  const known = readdirSync(path.join(findProjectRoot(), 'prisma', 'migrations'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
  const { rows: tables } = await client.query<{ exists: boolean }>(
    "SELECT to_regclass('_prisma_migrations') IS NOT NULL AS exists",
  );
  if (!tables[0]?.exists) return known;
  const { rows } = await client.query<{ name: string }>(
    'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  );
  const applied = new Set(rows.map(({ name }) => name));
  return known.filter((name) => !applied.has(name));
}
