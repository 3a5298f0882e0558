import { Prisma } from '../generated/prisma/client.ts';

/** Prisma's own code for a transaction that got no connection in time, or was not done in time. */
const TRANSACTION_TIMED_OUT = 'P2028';

const UNIQUE_VIOLATION = '23505';
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';

/** What the driver reported; Prisma keeps it beside its error instead of as the cause. */
interface DriverError extends Error {
  readonly cause?: { readonly originalCode?: string };
}

/** Whether a unique key refused the row. */
export function isUniqueViolation(error: unknown): boolean {
  return driverErrorOf(error)?.cause?.originalCode === UNIQUE_VIOLATION;
}

/** Whether PostgreSQL rolled the transaction back for the sake of another one, so that it can be run again. */
export function isWriteConflict(error: unknown): boolean {
  const state = driverErrorOf(error)?.cause?.originalCode;
  return state === SERIALIZATION_FAILURE || state === DEADLOCK_DETECTED;
}

/** Whether the transaction never began, because every connection was in use. */
export function isTransactionNotBegun(error: unknown): boolean {
  return isTransactionTimedOut(error) && error.meta?.timeout === undefined;
}

/** Whether the transaction took longer than it may, and was rolled back. */
export function isTransactionExpired(error: unknown): boolean {
  return isTransactionTimedOut(error) && error.meta?.timeout !== undefined;
}

export function driverErrorOf(error: unknown): DriverError | undefined {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return undefined;
  return error.meta?.driverAdapterError as DriverError | undefined;
}

function isTransactionTimedOut(error: unknown): error is Prisma.PrismaClientKnownRequestError {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === TRANSACTION_TIMED_OUT;
}
