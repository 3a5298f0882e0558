import { createAccountLoaders } from '../accounts/account.loaders.ts';
import { createTenantLoaders } from '../tenancy/tenant.loaders.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import { createTransactionLoaders } from '../transactions/transaction.loaders.ts';
import type { Services } from './services.ts';

/**
 * Every loader of one request, keyed within one tenant. Never kept beyond the request: a loader
 * remembers what it read.
 */
export function createLoaders(scope: TenantScope, services: Services) {
  return {
    tenants: createTenantLoaders(scope, services.tenants),
    accounts: createAccountLoaders(scope, services.accounts),
    transactions: createTransactionLoaders(scope, services.transactions),
  };
}

export type Loaders = ReturnType<typeof createLoaders>;
