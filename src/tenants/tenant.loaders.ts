import DataLoader from 'dataloader';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { TenantRepository, TenantRow } from './tenant.repository.ts';

export function createTenantLoaders(scope: TenantScope, tenants: TenantRepository) {
  // A scope has one tenant: whoever asks for it shares the statement.
  const current = new DataLoader<string, TenantRow | null>(async () => [await tenants.current(scope)]);
  return {
    /** The scope's own tenant, read once in a request. */
    current: () => current.load(scope.tenantId),
  };
}
