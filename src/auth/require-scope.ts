import { forbidden, unauthenticated } from '../errors.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import { type Caller, ROLES, Role } from './caller.ts';

const TENANT_ROLES = ROLES.filter((role) => role !== Role.OPERATOR);

/**
 * The tenant whose data the request is about.
 * @throws unauthenticated() without a caller, forbidden() for an OPERATOR, who has no tenant
 */
export function requireScope({ caller }: { readonly caller: Caller | null }): TenantScope {
  if (!caller) throw unauthenticated();
  if (!caller.tenant) throw forbidden(TENANT_ROLES);
  return caller.tenant.scope;
}
