import type { Namespace } from '../cache/namespaces.ts';
import { BrokenRules, type UserError } from '../graphql/user-error.type.ts';
import { retriedTransaction } from '../tenancy/retried-transaction.ts';
import type { ScopedTransaction } from '../tenancy/tenant-prisma.ts';
import type { RequestContext } from './request-context.ts';

/** What a mutation did: either a result, or the rules that kept it from doing anything. */
export type Written<Result> =
  | { readonly result: Result; readonly userErrors: readonly [] }
  | { readonly result: null; readonly userErrors: readonly UserError[] };

/**
 * The way of every mutation: one transaction, committed when `work` resolves and rolled back when it throws.
 * `BrokenRules` become the payload's `userErrors`.
 * @param dependents whose answers are old after the write; also when it was done by an earlier request of the same
 *   idempotency key, whose process may have died before it could say so
 */
export async function runWrite<Result>(
  context: RequestContext,
  dependents: readonly Namespace[],
  work: (transaction: ScopedTransaction) => Promise<Result>,
): Promise<Written<Result>> {
  const { scope, services } = context;
  try {
    const result = await retriedTransaction(services.database, scope, work);
    context.forgetLoaded();
    await services.cache.invalidate(scope, dependents);
    return { result, userErrors: [] };
  } catch (error) {
    if (error instanceof BrokenRules) return { result: null, userErrors: error.userErrors };
    // A connection that was lost at the COMMIT leaves open whether it was done.
    await services.cache.invalidate(scope, dependents);
    throw error;
  }
}
