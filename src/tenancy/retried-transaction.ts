import { setTimeout as delay } from 'node:timers/promises';
import { clientError, ErrorCode, httpHead, timedOut, unavailable } from '../errors.ts';
import { driverErrorOf, isTransactionExpired, isTransactionNotBegun, isWriteConflict } from './sql-state.ts';
import type { TenantDatabase } from './tenant-database.ts';
import type { ScopedTransaction } from './tenant-prisma.ts';
import type { TenantScope } from './tenant-scope.ts';

/** Conflicts are rare, since locks are taken in one order: this many in a row mean that something else is wrong. */
const MAX_ATTEMPTS = 5;
/** Pauses are drawn from 0 to this, doubled at each attempt: those who met once do not meet again. */
const FIRST_PAUSE_MS = 10;

/**
 * Runs `work` in one transaction, and again when PostgreSQL rolled it back for a deadlock or a serialisation failure:
 * nothing of the attempt is left then. So `work` must do nothing but read and write in its transaction.
 * @throws SERVICE_UNAVAILABLE when all attempts ended so or no connection came free, TIMEOUT when it took too long
 */
export async function retriedTransaction<Result>(
  database: Pick<TenantDatabase, 'transaction'>,
  scope: TenantScope,
  work: (transaction: ScopedTransaction) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.transaction(scope, work);
    } catch (error) {
      if (!isWriteConflict(error)) throw explained(error);
      if (attempt === MAX_ATTEMPTS) throw contended(error);
      await delay(Math.random() * FIRST_PAUSE_MS * 2 ** attempt);
    }
  }
}

/** What tells the client more than Prisma's error does; else that error, with its cause where everybody looks for it. */
function explained(error: unknown): unknown {
  if (isTransactionNotBegun(error)) return unavailable(error);
  if (isTransactionExpired(error)) return timedOut(error);
  const cause = driverErrorOf(error);
  return cause && error instanceof Error ? new Error(error.message, { cause }) : error;
}

function contended(cause: unknown) {
  return clientError(
    ErrorCode.Unavailable,
    'Too many others are changing the same accounts; nothing was changed, try again shortly.',
    { http: httpHead(503, ['retry-after', '1']) },
    cause,
  );
}
