import { setTimeout as delay } from 'node:timers/promises';
import { isWriteConflict } from '../database/sql-state.ts';
import { clientError, ErrorCode, httpHead } from '../errors.ts';
import type { TenantDatabase } from './tenant-database.ts';
import type { TenantScope } from './tenant-scope.ts';
import type { TenantTransaction } from './tenant-transaction.ts';

/**
 * Conflicts are rare, since locks are taken in one order: this many in a row mean that something
 * else is wrong.
 */
const MAX_ATTEMPTS = 5;
/**
 * Pauses are drawn from 0 to this, doubled at each attempt: those who met once do not meet again.
 */
const FIRST_PAUSE_MS = 10;

/**
 * Runs `work` in one transaction, and again when PostgreSQL rolled it back for a deadlock or a
 * serialisation failure: nothing of the attempt is left then. So `work` must do nothing but read
 * and write in its transaction.
 * @throws SERVICE_UNAVAILABLE when all attempts ended so
 */
export async function retriedTransaction<Result>(
  database: Pick<TenantDatabase, 'write'>,
  scope: TenantScope,
  work: (transaction: TenantTransaction) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.write(scope, work);
    } catch (error) {
      if (!isWriteConflict(error)) throw error;
      if (attempt === MAX_ATTEMPTS) throw contended(error);
      await delay(Math.random() * FIRST_PAUSE_MS * 2 ** attempt);
    }
  }
}

function contended(cause: unknown) {
  return clientError(
    ErrorCode.Unavailable,
    'Too many others are changing the same accounts; nothing was changed, try again shortly.',
    { http: httpHead(503, ['retry-after', '1']) },
    cause,
  );
}
