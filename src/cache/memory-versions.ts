import { LRUCache } from 'lru-cache';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { CacheDependency } from './namespaces.ts';
import { freshEpoch, type VersionStore, type Versions } from './versions.ts';

/** A tenant that falls out begins a new epoch: its entries are lost, never wrong. */
const MAX_TENANTS = 100_000;

/** Versions within this process, for a service without Redis. */
export class MemoryVersions implements VersionStore {
  readonly #versions = new LRUCache<string, Versions>({ max: MAX_TENANTS });

  async read({ tenantId }: TenantScope): Promise<Versions> {
    let versions = this.#versions.get(tenantId);
    if (!versions) {
      versions = { epoch: freshEpoch() };
      this.#versions.set(tenantId, versions);
    }
    return versions;
  }

  async bump(scope: TenantScope, dependencies: readonly CacheDependency[]): Promise<void> {
    const versions = await this.read(scope);
    const bumped = Object.fromEntries(dependencies.map((name) => [name, (versions[name] ?? 0) + 1]));
    this.#versions.set(scope.tenantId, { ...versions, ...bumped });
  }
}
