import { randomBytes } from 'node:crypto';
import path from 'node:path';

import pg from 'pg';
import { counted } from '../../../src/counted.ts';
import { pendingMigrations } from '../../../src/database/database-state.ts';
import { migrate } from '../../../src/database/migrate.ts';
import { SERVICE_ROLE } from '../../../src/database/service-rights.ts';
import { acquireEmbeddedPostgres } from '../../../src/embedded/index.mjs';
import { findProjectRoot } from '../../../src/embedded/project-root.mjs';
import { OperatorError } from '../../../src/errors.ts';
import type { Cleanup } from './cleanup.ts';
import { parentOf } from './process-usage.ts';

/** Where everything lies that the bench keeps from run to run. */
export const BENCH_DIRECTORY = path.join(findProjectRoot(), '.tenantry', 'bench');

/** As an operator would set up a small server; the defaults are those of a machine of 2005. */
const SERVER_SETTINGS = {
  shared_buffers: '512MB',
  effective_cache_size: '2GB',
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  random_page_cost: '1.1',
  max_connections: '200',
};

export interface BenchDatabase {
  /** As the owner, who sees all tenants. */
  readonly url: string;
  /** As a login that row-level security holds. */
  readonly serviceUrl: string;
  /** A connection as the owner. */
  readonly client: pg.Client;
  /** For example "PostgreSQL 18.4". */
  readonly version: string;
  /** Its first process; NaN where it runs on another machine. */
  readonly pid: number;
}

export interface OpenOptions {
  readonly cleanup: Cleanup;
  readonly log: (line: string) => void;
  /** Whether what is there is thrown away first. */
  readonly fresh?: boolean;
  /** Whether it is thrown away at the end. */
  readonly temporary?: boolean;
  /** A server to use; absent: the one of DATABASE_URL, else an embedded one. */
  readonly server?: string;
}

/**
 * A database of the bench's own, made and migrated when it is not there yet: on the server that
 * DATABASE_URL names, or on an embedded one under .tenantry/bench. The login that goes with it has
 * its name.
 */
export async function openBenchDatabase(name: string, options: OpenOptions): Promise<BenchDatabase> {
  const { cleanup, log, fresh, temporary } = options;
  const server = options.server ?? (await openServer(cleanup, log));
  const url = withPath(server, name);
  await onServer(server, async (client) => {
    if (fresh || temporary) await client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
    const { rows } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rows.length === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  });
  if (temporary) cleanup.add(() => onServer(server, (client) => drop(client, name)));
  const client = await connect(url);
  cleanup.add(() => client.end());
  const pending = await pendingMigrations(client);
  if (pending.length > 0) {
    log(`applying ${counted(pending.length, 'migration')} to ${name}`);
    await migrate(url);
  }
  const serviceUrl = await giveLogin(client, url, name);
  return { url, serviceUrl, client, version: await versionOf(client), pid: await postmasterOf(client) };
}

async function openServer(cleanup: Cleanup, log: (line: string) => void): Promise<string> {
  const given = process.env.DATABASE_URL?.trim();
  if (given) return given;
  const directory = path.join(BENCH_DIRECTORY, 'postgres');
  const { url, release } = await acquireEmbeddedPostgres({ directory, settings: SERVER_SETTINGS, log });
  cleanup.add(release);
  return url;
}

async function onServer(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = await connect(url);
  try {
    await work(client);
  } catch (cause) {
    throw new OperatorError(
      `The bench cannot make its database on the server of DATABASE_URL: ${(cause as Error).message}`,
      'Give DATABASE_URL a login that may create databases and roles, or unset it to use the embedded PostgreSQL.',
      { cause },
    );
  } finally {
    await client.end();
  }
}

async function drop(client: pg.Client, name: string): Promise<void> {
  await client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
  await client.query(`DROP ROLE IF EXISTS ${pg.escapeIdentifier(name)}`);
}

/**
 * A login that row-level security holds, as production demands. Its password is new at each run, so
 * that none has to be kept.
 * @returns the database's address as that login
 */
export async function giveLogin(client: pg.Client, databaseUrl: string, name: string): Promise<string> {
  const login = pg.escapeIdentifier(name);
  const password = randomBytes(18).toString('hex');
  const { rows } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [name]);
  if (rows.length === 0) await client.query(`CREATE ROLE ${login} IN ROLE ${SERVICE_ROLE}`);
  await client.query(`ALTER ROLE ${login} LOGIN PASSWORD '${password}'`);
  const url = new URL(databaseUrl);
  url.username = name;
  url.password = password;
  return url.href;
}

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString, application_name: 'tenantry bench' });
  // A lost connection rejects the statement under way; without a listener it would end the process
  // as well.
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function versionOf(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
  return `PostgreSQL ${rows[0]?.server_version.split(' ')[0]}`;
}

async function postmasterOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return parentOf(rows[0]?.pid ?? Number.NaN, 'postgres');
}

function withPath(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
