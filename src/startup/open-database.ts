import type { DatabaseAccess } from '../app/runtime.ts';
import { closeAllAfter } from '../close-all.ts';
import type { Config } from '../config/config.ts';
import { counted } from '../counted.ts';
import {
  type DatabaseState,
  reachDatabase,
  readDatabaseFaults,
  readDatabaseState,
  readRoleRights,
} from '../database/database-state.ts';
import { type DatabaseFault, faultLine, remedyOf } from '../database/faults.ts';
import { migrate } from '../database/migrate.ts';
import { type RoleRights, reportOf } from '../database/role-rights.ts';
import { SERVICE_ROLE } from '../database/service-rights.ts';
import { acquireEmbeddedPostgres } from '../embedded/index.mjs';
import { OperatorError, StateError } from '../errors.ts';
import { refuseForgetfulPooler } from './pooler.ts';
import { type DatabaseWait, isPassing, whenDatabaseIsThere } from './wait-for-database.ts';

/** A database that the service may use: reachable, migrated, and held to row-level security. */
export interface OpenedDatabase extends DatabaseAccess {
  readonly embedded: boolean;
  /** What it lacks all the same, in development. */
  readonly faults: readonly DatabaseFault[];
  /** Stops the embedded PostgreSQL when nobody else uses it. */
  release(): Promise<void>;
}

export interface OpenOptions {
  /** Whether the embedded PostgreSQL is started again when it dies. True when absent. */
  readonly isKeptRunning?: boolean;
}

/**
 * Finds the database of the settings, waiting for it where it may come later, or starts the
 * embedded one. In development it is migrated; production refuses one that is not, a login that
 * sees through row-level security, and a database that lacks a trigger, policy, function or key
 * that the design needs; in development that is said, since nobody else can fix it.
 */
export async function openDatabase(
  { database, lifecycle, production }: Config,
  say: (line: string) => void,
  { isKeptRunning = true }: OpenOptions = {},
): Promise<OpenedDatabase> {
  const { url, release } = database.url
    ? { url: database.url, release: async () => {} }
    : await acquireEmbeddedPostgres({ log: say, isKeptRunning });
  const directUrl = database.directUrl ?? url;
  try {
    const wait = { timeoutMs: lifecycle.startupTimeoutMs, say };
    const state = await whenDatabaseIsThere(() => readDatabaseState(url), wait);
    if (database.url && database.directUrl) await awaitDirect(database.directUrl, wait);
    if (database.url) await refuseForgetfulPooler(url);
    if (production) refuseUnfit(state);
    if (state.pendingMigrations.length) {
      say(`applying ${counted(state.pendingMigrations.length, 'migration')} to the database`);
      await migrate(directUrl);
    }
    const faults = await readDatabaseFaults(url);
    if (production) refuseFaulty(faults);
    for (const fault of faults) say(`warning: ${faultLine(fault)}`);
    const { role, rights } = await readRoleRights(url, state.bypassesRowSecurity ? SERVICE_ROLE : undefined);
    if (production) refuseLacking(role, rights);
    for (const line of reportOf(rights)) say(`warning: ${line}`);
    const takeServiceRole = state.bypassesRowSecurity;
    return { url, directUrl, embedded: !database.url, takeServiceRole, faults, release };
  } catch (error) {
    return await closeAllAfter(error, release);
  }
}

/**
 * The service can do without for a while: the outbox is read as soon as it is there, and
 * answers come from PostgreSQL meanwhile.
 * @throws OperatorError for what no waiting helps
 */
async function awaitDirect(url: string, wait: DatabaseWait): Promise<void> {
  try {
    await whenDatabaseIsThere(() => reachDatabase(url, 'DATABASE_DIRECT_URL'), wait);
  } catch (error) {
    if (!isPassing(error)) throw error;
    wait.say(
      `warning: DATABASE_DIRECT_URL leads nowhere yet; nothing is cached until it does: ${(error as Error).message}`,
    );
  }
}

function refuseUnfit({ pendingMigrations, bypassesRowSecurity }: DatabaseState): void {
  refuseUnmigrated(pendingMigrations);
  if (bypassesRowSecurity) refuseBypassing();
}

/** @throws OperatorError when there are some */
export function refuseUnmigrated(pendingMigrations: readonly string[]): void {
  if (pendingMigrations.length)
    throw new StateError(
      `The database lacks ${counted(pendingMigrations.length, 'migration')}: ${pendingMigrations.join(', ')}.`,
      'Run "npx prisma migrate deploy" with the DATABASE_URL of a role that owns the tables, then start again.',
    );
}

/** Of a login that sees through row-level security. @throws OperatorError */
export function refuseBypassing(): never {
  throw new OperatorError(
    'The login of DATABASE_URL is a superuser or has BYPASSRLS: row-level security does not hold it.',
    "Give DATABASE_URL a login of its own, for example: ALTER ROLE tenantry_app LOGIN PASSWORD '…';",
  );
}

/** @throws OperatorError when the role lacks a right that the service needs */
export function refuseLacking(role: string, rights: RoleRights): void {
  const { lacks } = rights;
  if (lacks.length === 0) return;
  throw new StateError(
    `The login of DATABASE_URL, ${rights.role}, lacks ${lacks.map(({ what }) => what).join('; ')}.`,
    `With the DATABASE_URL of the owner of the tables: npm run db:grant -- --role ${shellWord(role)}`,
  );
}

function refuseFaulty(faults: readonly DatabaseFault[]): void {
  if (faults.length === 0) return;
  throw new StateError(
    `The database lacks what totals, isolation and the cache rely on: ${faults.map(({ object, fault }) => `${object} ${fault}`).join('; ')}.`,
    `${remedyOf(faults)} Then "npm run statistics:check", and start again.`,
  );
}

/** As a POSIX shell takes it: in quotes where it needs them. */
function shellWord(text: string): string {
  return /^[\w-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
