import { callerKey, Role } from '../context/caller.ts';
import type { RequestContext } from '../context/request-context.ts';
import { forbidden, rateLimited, unauthenticated } from '../errors.ts';
import type { Namespace } from './namespaces.ts';

const ROLES: readonly Role[] = [Role.ANALYST, Role.ADMIN];

/**
 * What `refresh: true` does before the answer is computed: everything kept of the namespace becomes old, so that the new
 * answer takes the place of every old one, under whatever selection it was kept.
 * @throws FORBIDDEN for other roles, RATE_LIMITED beyond CACHE_REFRESHES_PER_MINUTE
 */
export async function refresh(context: RequestContext, namespace: Namespace): Promise<void> {
  const { caller, scope, services, versions } = context;
  if (!caller) throw unauthenticated();
  if (!ROLES.includes(caller.role)) throw forbidden(ROLES);
  if (!services.refreshLimiter.spend(callerKey(caller), 1))
    throw rateLimited('Too many refreshes', services.refreshLimiter.allowance(callerKey(caller)).resetAtMs);
  await services.cache.invalidate(scope, [namespace]);
  versions.forget();
}
