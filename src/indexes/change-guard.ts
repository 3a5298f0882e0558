import type pg from 'pg';

import { OperatorError } from '../errors.ts';
import type { Queryable } from './inspect.ts';

/** Prisma's own lock for migrations (`migrate deploy`, `migrate dev`). */
const MIGRATION_LOCK_KEY = 72_707_369;
const INDEXES_LOCK = `hashtextextended('tenantry indexes', 0)`;

/**
 * Lets this command run once at a time. The lock belongs to the session, since CREATE INDEX CONCURRENTLY cannot run in
 * a transaction; it ends with the connection at the latest.
 * @throws OperatorError when it runs already
 */
export async function whileNobodyElseCreates<Result>(client: Queryable, work: () => Promise<Result>): Promise<Result> {
  if (!(await tryLock(client, INDEXES_LOCK)))
    throw new OperatorError(
      'Another session is just creating indexes in this database.',
      'Run it again when that has ended; pg_locks shows who it is.',
    );
  try {
    return await work();
  } finally {
    await client.query(`SELECT pg_advisory_unlock(${INDEXES_LOCK})`);
  }
}

/**
 * Prisma's lock is looked at and not kept: a migration that waits for it would be waited for by CREATE INDEX
 * CONCURRENTLY, a deadlock.
 * @throws OperatorError while a migration runs
 */
export async function refuseDuringMigration(client: Queryable): Promise<void> {
  if (!(await tryLock(client, String(MIGRATION_LOCK_KEY))))
    throw new OperatorError(
      `Another session is migrating this database (it holds the advisory lock ${MIGRATION_LOCK_KEY}).`,
      'Run it again when that has ended; "npx prisma migrate status" shows the state.',
    );
  await client.query(`SELECT pg_advisory_unlock(${MIGRATION_LOCK_KEY})`);
}

async function tryLock(client: Queryable, key: string): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(`SELECT pg_try_advisory_lock(${key}) AS locked`);
  return rows[0]?.locked ?? false;
}

/** @throws OperatorError on a replica, on a read-only session, and for a login that owns not all of the tables */
export async function refuseUnchangeable(client: pg.ClientBase, tables: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ replica: boolean; readOnly: boolean; login: string; foreign: string | null }>(
    CAN_CHANGE,
    [tables],
  );
  const [state] = rows;
  if (state?.replica)
    throw new OperatorError('This server is a read-only replica.', 'Give the DATABASE_URL of the primary server.');
  if (state?.readOnly)
    throw new OperatorError(
      'This session is read-only (default_transaction_read_only is on).',
      'Use a login or a database without that setting.',
    );
  if (state?.foreign)
    throw new OperatorError(
      `The login ${state.login} may not create indexes on ${state.foreign}: it does not own them.`,
      'Give the DATABASE_URL of the role that owns the tables, as for migrations.',
    );
}

const CAN_CHANGE = `
  SELECT pg_is_in_recovery() AS replica, current_setting('transaction_read_only') = 'on' AS "readOnly", current_user AS login,
    (SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class
      WHERE relnamespace = current_schema()::regnamespace AND relname = ANY($1) AND NOT pg_has_role(relowner, 'USAGE')) AS foreign`;
