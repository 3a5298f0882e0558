import type pg from 'pg';
import { isFree, refuseReadOnly } from '../cli/write-guard.ts';
import type { Queryable } from '../database/read-indexes.ts';
import { OperatorError, StateError, UnavailableError } from '../errors.ts';

const INDEXES_LOCK = `hashtextextended('tenantry indexes', 0)`;

/**
 * Lets this command run once at a time. The lock belongs to the session, since CREATE INDEX
 * CONCURRENTLY cannot run in a transaction; it ends with the connection at the latest.
 * @throws OperatorError when it runs already
 */
export async function whileNobodyElseCreates<Result>(client: Queryable, work: () => Promise<Result>): Promise<Result> {
  if (!(await tryLock(client, INDEXES_LOCK))) throw creationUnderWay();
  try {
    return await work();
  } finally {
    await client.query(`SELECT pg_advisory_unlock(${INDEXES_LOCK})`);
  }
}

/**
 * @throws OperatorError while this command creates indexes: a migration and CREATE INDEX
 *   CONCURRENTLY wait for one another
 */
export async function refuseDuringCreation(client: Queryable): Promise<void> {
  if (!(await isFree(client, INDEXES_LOCK))) throw creationUnderWay();
}

function creationUnderWay(): OperatorError {
  return new UnavailableError(
    'Another session is just creating indexes in this database; nothing was changed.',
    'Run it again when that has ended; pg_locks shows who it is.',
  );
}

async function tryLock(client: Queryable, key: string): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(`SELECT pg_try_advisory_lock(${key}) AS locked`);
  return rows[0]?.locked ?? false;
}

/**
 * @throws OperatorError on a replica, in a read-only session, and for a login that owns not all of
 *   the tables
 */
export async function refuseUnchangeable(client: pg.ClientBase, tables: readonly string[]): Promise<void> {
  await refuseReadOnly(client);
  const { rows } = await client.query<{ login: string; foreign: string | null }>(OF_OTHERS, [tables]);
  const [state] = rows;
  if (state?.foreign)
    throw new StateError(
      `The login ${state.login} may not create indexes on ${state.foreign}: it does not own them.`,
      'Give the DATABASE_URL of the role that owns the tables, as for migrations.',
    );
}

const OF_OTHERS = `
  SELECT current_user AS login,
    (SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class
      WHERE relnamespace = current_schema()::regnamespace AND relname = ANY($1) AND NOT pg_has_role(relowner, 'USAGE')) AS foreign`;
