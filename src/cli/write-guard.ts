import type pg from 'pg';

import { StateError, UnavailableError } from '../errors.ts';

type Queryable = Pick<pg.ClientBase, 'query'>;

/** Prisma's own lock for migrations (`migrate deploy`, `migrate dev`). */
const MIGRATION_LOCK_KEY = 72_707_369;

/**
 * Whether nothing can be written: on a replica, and where the login or the database is set to read
 * only.
 */
export async function isReadOnly(client: Queryable): Promise<boolean> {
  const { rows } = await client.query<{ is: boolean }>(`SELECT current_setting('transaction_read_only') = 'on' AS is`);
  return rows[0]?.is ?? false;
}

/** @throws OperatorError on a replica, and where the login or the database is set to read only */
export async function refuseReadOnly(client: Queryable): Promise<void> {
  const { rows } = await client.query<{ replica: boolean; readOnly: boolean }>(
    `SELECT pg_is_in_recovery() AS replica, current_setting('transaction_read_only') = 'on' AS "readOnly"`,
  );
  if (rows[0]?.replica)
    throw new StateError(
      'This server is a read-only replica; nothing was changed.',
      'Give the DATABASE_URL of the primary server.',
    );
  if (rows[0]?.readOnly)
    throw new StateError(
      'This session is read-only (default_transaction_read_only is on); nothing was changed.',
      'Use a login or a database without that setting.',
    );
}

/**
 * Prisma's lock is looked at and not kept: a migration that waits for it would be waited for by
 * CREATE INDEX CONCURRENTLY, a deadlock.
 * @throws OperatorError while a migration runs
 */
export async function refuseDuringMigration(client: Queryable): Promise<void> {
  if (await isFree(client, String(MIGRATION_LOCK_KEY))) return;
  throw new UnavailableError(
    `Another session is migrating this database (it holds the advisory lock ${MIGRATION_LOCK_KEY}); nothing was changed.`,
    'Run it again when that has ended; "npx prisma migrate status" shows the state.',
  );
}

/**
 * Before all work, so that nobody waits for a refusal. @throws OperatorError that names the tables
 */
export async function refuseWithoutRights(client: Queryable, tables: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ login: string; lacking: string | null }>(
    `SELECT current_user AS login, string_agg(name, ', ' ORDER BY place) AS lacking
     FROM unnest($1::text[]) WITH ORDINALITY AS listed (name, place)
     WHERE NOT has_table_privilege(quote_ident(name), 'SELECT') OR NOT has_table_privilege(quote_ident(name), 'INSERT')`,
    [tables],
  );
  if (!rows[0]?.lacking) return;
  throw new StateError(
    `The login ${rows[0].login} may not read and write ${rows[0].lacking}; nothing was changed.`,
    'Give the DATABASE_URL of a login that owns the tables or is a member of the role that does, such as the one that migrates.',
  );
}

/** Whether nobody holds an advisory lock of this key, an expression. It is not held afterwards. */
export async function isFree(client: Queryable, key: string): Promise<boolean> {
  const { rows } = await client.query<{ free: boolean }>(
    `SELECT CASE WHEN pg_try_advisory_lock(${key}) THEN pg_advisory_unlock(${key}) ELSE false END AS free`,
  );
  return rows[0]?.free ?? false;
}
