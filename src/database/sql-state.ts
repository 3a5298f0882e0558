/** Of a statement that PostgreSQL stopped: here only ever for its time. */
export const QUERY_CANCELED = '57014';
/** Of a write on a server or in a session that only reads, as after a failover on the old primary. */
export const READ_ONLY = '25006';
const INSUFFICIENT_PRIVILEGE = '42501';
const UNDEFINED_TABLE = '42P01';
const FOREIGN_KEY_VIOLATION = '23503';
const UNIQUE_VIOLATION = '23505';
const CHECK_VIOLATION = '23514';
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
const OF_THE_VALUES = /^(?:22|23|P0)/;

/** Whether a unique key refused the row. */
export function isUniqueViolation(error: unknown): boolean {
  return sqlStateOf(error) === UNIQUE_VIOLATION;
}

/** Whether the row refers to one that is not there. */
export function isForeignKeyViolation(error: unknown): boolean {
  return sqlStateOf(error) === FOREIGN_KEY_VIOLATION;
}

/**
 * Whether PostgreSQL rolled the transaction back for the sake of another one, so that it can be run
 * again.
 */
export function isWriteConflict(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === SERIALIZATION_FAILURE || state === DEADLOCK_DETECTED;
}

/**
 * Whether the values that were given are the reason: data, constraints, triggers. The same
 * statement with other values may succeed.
 */
export function isOfTheValues(error: unknown): boolean {
  return OF_THE_VALUES.test(String(sqlStateOf(error)));
}

/** Whether PostgreSQL stopped the statement. */
export function isQueryCanceled(error: unknown): boolean {
  return sqlStateOf(error) === QUERY_CANCELED;
}

/** Whether the session takes no writes. */
export function isReadOnly(error: unknown): boolean {
  return sqlStateOf(error) === READ_ONLY;
}

/** Whether the login may not do it, or the table is not there, as before a migration. */
export function isOutOfReach(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === INSUFFICIENT_PRIVILEGE || state === UNDEFINED_TABLE;
}

/** @returns the detail of the error by which this constraint refused a row; undefined for others */
export function refusalOf(error: unknown, constraint: string): string | undefined {
  if (sqlStateOf(error) !== CHECK_VIOLATION) return undefined;
  const refused = error as { readonly constraint?: string; readonly detail?: string };
  return refused.constraint === constraint ? refused.detail : undefined;
}

/** Of the driver's error, or of the one within Prisma's, whose own code says less. */
export function sqlStateOf(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  const { code, meta } = error as {
    code?: unknown;
    meta?: { driverAdapterError?: { cause?: { originalCode?: unknown } } };
  };
  return meta?.driverAdapterError?.cause?.originalCode ?? code;
}
