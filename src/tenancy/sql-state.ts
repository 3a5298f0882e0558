import { Prisma } from '../generated/prisma/client.ts';

/** Too slow: waiting for a connection, or all statements together (Prisma's own code). */
const TRANSACTION_EXPIRED = 'P2028';

const UNIQUE_VIOLATION = '23505';
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';

/** Whether a unique key refused the row. */
export function isUniqueViolation(error: unknown): boolean {
  return sqlStateOf(error) === UNIQUE_VIOLATION;
}

/** Whether PostgreSQL rolled the transaction back for the sake of another one, so that it can be run again. */
export function isWriteConflict(error: unknown): boolean {
  return [SERIALIZATION_FAILURE, DEADLOCK_DETECTED].includes(sqlStateOf(error) ?? '');
}

/** Whether the transaction took longer than it may, and was rolled back. */
export function isTransactionExpired(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === TRANSACTION_EXPIRED;
}

/** What the driver reported; Prisma keeps it beside the error instead of as its cause. */
export function driverErrorOf(error: unknown): { readonly cause?: { readonly originalCode?: string } } | undefined {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return undefined;
  return error.meta?.driverAdapterError as { cause?: { originalCode?: string } } | undefined;
}

/** PostgreSQL's code of what went wrong, where it was PostgreSQL that said so. */
function sqlStateOf(error: unknown): string | undefined {
  return driverErrorOf(error)?.cause?.originalCode;
}
