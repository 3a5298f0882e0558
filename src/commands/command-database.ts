import pg from 'pg';
import { refuseDuringMigration, refuseReadOnly, refuseWithoutRights } from '../cli/write-guard.ts';
import { connectionError, firstCause, NO_SUCH_DATABASE } from '../database/connection-error.ts';
import { pendingMigrations } from '../database/database-state.ts';
import { migrate } from '../database/migrate.ts';
import { endUnconnected } from '../database/missing-password.mjs';
import { SET_TEXT_FORMATS } from '../database/session-settings.ts';
import { acquireEmbeddedPostgres } from '../embedded/index.mjs';
import { OperatorError, StateError } from '../errors.ts';
import { settingOf } from '../setting.mjs';

const CONNECT_TIMEOUT_MS = 10_000;

/** Tables that only a fully migrated database has. */
const EXPECTED_TABLES = ['tenants', 'bank_accounts', 'transactions', 'daily_totals', 'account_totals'];

/** The database a command works on. */
export interface CommandDatabase {
  readonly url: string;
  /** A connection of the command's own. */
  readonly client: pg.Client;
  /** Closes the connection, and stops the embedded database when nobody else uses it. */
  close(): Promise<void>;
}

export interface CommandDatabaseOptions {
  /** As in `npm run <command>`: the connection's name in pg_stat_activity. */
  readonly command: string;
  /** What `databaseUrl` finds when absent; empty: the embedded database. */
  readonly url?: string | undefined;
  /**
   * Tables that the command adds rows to, none when it writes by functions of the database; absent
   * when it only reads.
   */
  readonly writes?: readonly string[];
  /** Told what takes long. */
  readonly log?: (line: string) => void;
  /** How the embedded database is had; for tests. */
  readonly acquireEmbedded?: typeof acquireEmbeddedPostgres;
}

/**
 * The URL of the database that commands work on; undefined: the embedded one. They keep locks and
 * temporary tables, which a pooler that shares sessions loses, and so they take the direct way
 * where there is one.
 */
export function databaseUrl(): string | undefined {
  return settingOf(process.env, 'DATABASE_DIRECT_URL') ?? settingOf(process.env, 'DATABASE_URL');
}

/**
 * Of the embedded database: what a command did to a new, empty one would look as if it had been
 * done to the service's.
 * @throws OperatorError in production
 */
export function refuseInProduction(): void {
  if (settingOf(process.env, 'NODE_ENV') !== 'production') return;
  throw new OperatorError(
    'DATABASE_URL is not set, and with NODE_ENV=production no command works on the embedded database.',
    "Set DATABASE_URL to the service's database, for commands that of tenantry_migrate; or unset NODE_ENV.",
  );
}

/**
 * Opens the database that `databaseUrl` names, else the embedded one, which is started for as long
 * as it is needed and migrated when it is not (it is this clone's own; another one is its
 * operator's to migrate).
 * @throws OperatorError when none is named in production, or it cannot be reached, is not migrated, or cannot be written by a
 *   command that writes
 */
export async function openCommandDatabase({
  command,
  url = databaseUrl(),
  writes,
  log = (line) => process.stderr.write(`${line}\n`),
  acquireEmbedded = acquireEmbeddedPostgres,
}: CommandDatabaseOptions): Promise<CommandDatabase> {
  if (!url) refuseInProduction();
  const server = url ? { url, release: async () => {} } : await acquireEmbedded({ log });
  try {
    const client = await connect(server.url, command);
    const close = async () => {
      await client.end();
      await server.release();
    };
    try {
      await (url ? refuseUnmigrated(client) : migrateOwn(client, server.url, log));
      if (writes) await refuseUnwritable(client, writes);
      return { url: server.url, client, close };
    } catch (error) {
      await client.end();
      throw error;
    }
  } catch (error) {
    await server.release();
    throw error;
  }
}

async function migrateOwn(client: pg.Client, url: string, log: (line: string) => void): Promise<void> {
  if ((await pendingMigrations(client)).length === 0) return;
  log('migrating the embedded database');
  await migrate(url);
}

async function refuseUnwritable(client: pg.Client, tables: readonly string[]): Promise<void> {
  await refuseReadOnly(client);
  await refuseDuringMigration(client);
  await refuseWithoutRights(client, tables);
}

/**
 * A connection of a command's own, to be ended by it.
 * @throws OperatorError when it cannot be had
 */
export async function connect(url: string, command: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: `tenantry ${command}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
  // A lost connection rejects the statement under way; without a listener it would end the process
  // as well.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(SET_TEXT_FORMATS);
    return client;
  } catch (cause) {
    endUnconnected(client);
    throw connectionError(client, settingNamed(url), cause);
  }
}

function settingNamed(url: string): string {
  return url === settingOf(process.env, 'DATABASE_DIRECT_URL') ? 'DATABASE_DIRECT_URL' : 'DATABASE_URL';
}

async function refuseUnmigrated(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(quote_ident(name)) IS NULL',
    [EXPECTED_TABLES],
  );
  if (rows.length === 0) return;
  throw new StateError(
    `The database is not migrated: it has no table ${rows.map(({ name }) => name).join(', ')}.`,
    'Run: npm run db:migrate',
  );
}

/** Whether what `connect` threw says that the server has no such database. */
export function isMissingDatabase(error: unknown): boolean {
  return error instanceof OperatorError && firstCause(error.cause).code === NO_SUCH_DATABASE;
}
