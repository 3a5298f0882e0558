import DataLoader from 'dataloader';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { CurrentDay, TenantRepository } from './tenant.repository.ts';
import type { TenantRows } from './tenant.rows.ts';
import type { Tenant } from './tenant.type.ts';

export function createTenantLoaders(scope: TenantScope, rows: TenantRows, tenants: TenantRepository) {
  // A scope has one tenant: whoever asks for it shares the statement.
  const current = new DataLoader<string, Tenant | null>(async () => [await rows.current(scope)]);
  const day = new DataLoader<string, CurrentDay | null>(async () => [await tenants.day(scope)]);
  return {
    /** The scope's own tenant, read once in a request. */
    current: () => current.load(scope.tenantId),
    /** Its calendar day, likewise. */
    day: () => day.load(scope.tenantId),
  };
}
