import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { TenantRepository, TenantRow } from './tenant.repository.ts';

export function createTenantLoaders(scope: TenantScope, tenants: TenantRepository) {
  let current: Promise<TenantRow | null> | undefined;
  return {
    /** The scope's own tenant, read once in a request. */
    current: () => {
      current ??= tenants.current(scope);
      return current;
    },
  };
}
