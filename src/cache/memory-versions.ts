import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { CacheDependency } from './namespaces.ts';
import { freshEpoch, type VersionStore, type Versions } from './versions.ts';

/** A tenant that falls out begins a new epoch: its entries are lost, never wrong. */
const MAX_TENANTS = 100_000;
/** Longer than a write takes from its begin until its rows were followed; those that are forgotten are bumped twice. */
const WRITE_REMEMBERED_MS = 60_000;
const MAX_WRITES = 100_000;

/** Versions within this process, for a service without Redis. */
export class MemoryVersions implements VersionStore {
  readonly #versions = new LRUCache<string, Versions>({ max: MAX_TENANTS });
  readonly #ownWrites = new LRUCache<string, true>({ max: MAX_WRITES, ttl: WRITE_REMEMBERED_MS });

  read({ tenantId }: TenantScope): Versions {
    return this.#current(tenantId);
  }

  held({ tenantId }: TenantScope): Versions {
    return this.#current(tenantId);
  }

  /** Nothing is awaited between reading and writing: two bumps at once would undo one another. */
  async bump({ tenantId }: TenantScope, dependencies: readonly CacheDependency[]): Promise<void> {
    const versions = this.#current(tenantId);
    const bumped = Object.fromEntries(dependencies.map((name) => [name, (versions[name] ?? 0) + 1]));
    this.#versions.set(tenantId, { ...versions, ...bumped });
  }

  beginWrite(): string {
    const writeId = randomUUID();
    this.#ownWrites.set(writeId, true);
    return writeId;
  }

  abandonWrite(writeId: string): void {
    this.#ownWrites.delete(writeId);
  }

  /** Whether this process bumps for the write itself. */
  isOwnWrite(writeId: string | null): boolean {
    return writeId !== null && this.#ownWrites.has(writeId);
  }

  /** Every tenant begins a new epoch. */
  forgetAll(): void {
    this.#versions.clear();
  }

  #current(tenantId: string): Versions {
    let versions = this.#versions.get(tenantId);
    if (!versions) {
      versions = { epoch: freshEpoch() };
      this.#versions.set(tenantId, versions);
    }
    return versions;
  }
}
