import { forbidden } from '../errors.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { Caller } from './caller.ts';
import { PERMISSIONS, requirePermission } from './permissions.ts';

/**
 * The tenant whose data the request is about.
 * @throws unauthenticated() without a caller, forbidden() for an OPERATOR, who has no tenant
 */
export function requireScope({ caller }: { readonly caller: Caller | null }): TenantScope {
  requirePermission(caller, 'readTenant');
  if (!caller.tenant) throw forbidden(PERMISSIONS.readTenant);
  return caller.tenant.scope;
}
