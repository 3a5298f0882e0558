import { LRUCache } from 'lru-cache';
import type { TenantScope } from '../../tenancy/tenant-scope.ts';
import type { CacheDependency } from '../dependencies/dependencies.ts';
import { type ChangeListener, ChangeSignals } from './change-signals.ts';
import { freshEpoch, type VersionStore, type Versions } from './versions.ts';

/** A tenant that falls out begins a new epoch: its entries are lost, never wrong. */
const MAX_TENANTS = 100_000;
/**
 * The API's bump and the change feed's meet within milliseconds; what is forgotten is bumped twice.
 */
const MARK_TTL_MS = 60_000;
const MAX_MARKS = 100_000;

/** Versions within this process, for a service without Redis. */
export class MemoryVersions implements VersionStore {
  readonly #versions = new LRUCache<string, Versions>({ max: MAX_TENANTS });
  readonly #signals = new ChangeSignals();
  /** The dependencies that were bumped for a write. */
  readonly #marks = new LRUCache<string, ReadonlySet<CacheDependency>>({ max: MAX_MARKS, ttl: MARK_TTL_MS });

  read({ tenantId }: TenantScope): Versions {
    return this.#current(tenantId);
  }

  leased({ tenantId }: TenantScope): Versions {
    return this.#current(tenantId);
  }

  /**
   * Nothing is awaited between reading and writing: two bumps at once would undo one another. The
   * API and the change feed both bump for a write of the API's; who comes second finds its mark,
   * and does the rest.
   */
  async bump({ tenantId }: TenantScope, dependencies: readonly CacheDependency[], writeId?: string): Promise<void> {
    const versions = this.#current(tenantId);
    const left = writeId === undefined ? dependencies : this.#unmarked(`${tenantId} ${writeId}`, dependencies);
    const bumped = Object.fromEntries(left.map((name) => [name, (versions[name] ?? 0) + 1]));
    if (left.length === 0) return;
    this.#versions.set(tenantId, { ...versions, ...bumped });
    this.#signals.tell(tenantId);
  }

  #unmarked(write: string, dependencies: readonly CacheDependency[]): readonly CacheDependency[] {
    const marked = this.#marks.get(write);
    const left = marked ? dependencies.filter((name) => !marked.has(name)) : dependencies;
    if (left.length > 0) this.#marks.set(write, new Set([...(marked ?? []), ...left]));
    return left;
  }

  /** Every tenant begins a new epoch. */
  forgetAll(): void {
    this.#versions.clear();
    this.#signals.tell(null);
  }

  listen(listener: ChangeListener): () => void {
    return this.#signals.listen(listener);
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
