import { randomUUID } from 'node:crypto';
import type { Namespace } from '../cache/dependencies/dependencies.ts';
import { BrokenRules, type UserError } from '../graphql/user-error.type.ts';
import { retriedTransaction } from '../tenancy/retried-transaction.ts';
import type { TenantDatabase, WriteOptions } from '../tenancy/tenant-database.ts';
import type { TenantTransaction } from '../tenancy/tenant-transaction.ts';
import type { RequestContext } from './request-context.ts';

/** What a mutation did: either a result, or the rules that kept it from doing anything. */
export type Written<Result> =
  | { readonly result: Result; readonly userErrors: readonly [] }
  | { readonly result: null; readonly userErrors: readonly UserError[] };

/**
 * The way of every mutation: one transaction, committed when `work` resolves and rolled back when
 * it throws. `BrokenRules` become the payload's `userErrors`.
 * @param dependents whose answers are old after the write; also when it was done by an earlier
 *   request of the same idempotency key, whose process may have died before it could say so
 */
export async function runWrite<Result>(
  context: RequestContext,
  dependents: readonly Namespace[],
  work: (transaction: TenantTransaction) => Promise<Result>,
): Promise<Written<Result>> {
  const { scope, services } = context;
  const { cache, database } = services;
  const writeId = randomUUID();
  try {
    const result = await retriedTransaction(carrying({ writeId, draft: context.draft }, database), scope, work);
    await cache.written(scope, dependents, writeId, true);
    context.forgetRead();
    return { result, userErrors: [] };
  } catch (error) {
    if (error instanceof BrokenRules) return { result: null, userErrors: error.userErrors };
    // A connection that was lost at the COMMIT leaves open whether it was done.
    await cache.written(scope, dependents, writeId, false);
    context.forgetRead();
    throw error;
  }
}

/**
 * The database, with the write's id and its audit line in each of its transactions: what is bumped
 * here is then not bumped again.
 */
function carrying(options: WriteOptions, database: TenantDatabase): Pick<TenantDatabase, 'write'> {
  return { write: (scope, work) => database.write(scope, work, options) };
}
