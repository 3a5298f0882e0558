import type { createTenantLoaders } from './tenant.loaders.ts';
import type { TenantRepository } from './tenant.repository.ts';

declare module '../context/services.ts' {
  interface Services {
    readonly tenants: TenantRepository;
  }
  interface Loaders {
    readonly tenants: ReturnType<typeof createTenantLoaders>;
  }
}
