import type { GraphQLError } from 'graphql';
import { requirePermission, roleFor } from '../auth/permissions.ts';
import type { Refusal } from '../budget/budget.ts';
import type { Namespace } from '../cache/dependencies/dependencies.ts';
import { rateLimited } from '../errors.ts';
import { errorCodeOf } from '../graphql/format-error.ts';
import { AuditOutcome } from '../tenancy/audit-line.ts';
import type { RequestContext } from './request-context.ts';

/** The argument `refresh`. */
export const REFRESH = {
  defaultValue: false,
  description: `Whether to compute the answer anew. true needs ${roleFor('refreshAnswers')}.`,
};

/**
 * What `refresh: true` does before the answer is computed: everything kept of the namespace becomes
 * old, so that the new answer takes the place of every old one, under whatever selection it was
 * kept.
 * @throws FORBIDDEN for other roles, RATE_LIMITED beyond CACHE_REFRESHES_PER_MINUTE and
 *   CACHE_TENANT_REFRESHES_PER_MINUTE
 */
export async function refresh(context: RequestContext, namespace: Namespace): Promise<void> {
  const subject = { ...context.auditSubject, action: 'refresh', key: namespace };
  try {
    await invalidateFor(context, namespace);
    context.services.audit.add(subject, AuditOutcome.DONE);
  } catch (error) {
    context.services.audit.add(subject, AuditOutcome.FAILED, [errorCodeOf(error)]);
    throw error;
  }
}

async function invalidateFor(context: RequestContext, namespace: Namespace): Promise<void> {
  const { caller, scope, services } = context;
  requirePermission(caller, 'refreshAnswers');
  const refusal = await services.refreshes.spend(caller, 1);
  if (refusal) throw tooMany(refusal);
  await services.tenantCache.invalidate(scope, namespace);
  // What other fields of the request have read, or read at this moment, is older.
  context.forgetRead();
}

function tooMany({ of, allowance: { limit, remaining, resetAtMs } }: Refusal): GraphQLError {
  const where = of === 'tenant' ? ' in the tenant' : '';
  const what = `Too many refreshes${where}: ${remaining} of ${limit} in a minute are left, and without refresh the answer is as fresh`;
  return rateLimited(what, resetAtMs, { of, remaining, limit });
}
