import type { ChangeFeed } from '../cache/change-feed/change-feed.ts';
import type { TrustTerm } from '../cache/versions/trust.ts';
import type { Versions } from '../cache/versions/versions.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';

/** How often all versions are read all the same: a signal may be lost. */
const CHECK_MS = 30_000;

/** Told a tenant's versions after each signal. */
export interface Watcher {
  judge(now: Versions): void;
}

interface Watch {
  readonly scope: TenantScope;
  readonly watchers: Set<Watcher>;
  isReading: boolean;
  /** Whether they may be others than those that were read last. */
  isDue: boolean;
}

/**
 * Reads the versions of the tenants that have subscribers, each when it was bumped: once for all
 * its subscribers, and by one listener of the process.
 */
export class TenantWatches {
  readonly #watches = new Map<string, Watch>();
  #stopListening: (() => void) | undefined;
  #term: TrustTerm | undefined;
  #checkedMs = performance.now();

  constructor(private readonly feed: Pick<ChangeFeed, 'versions' | 'trust'>) {}

  add(scope: TenantScope, watcher: Watcher): void {
    this.#stopListening ??= this.feed.versions.listen((tenantId) => this.#signal(tenantId));
    const { tenantId } = scope;
    const watch = this.#watches.get(tenantId) ?? { scope, watchers: new Set(), isReading: false, isDue: false };
    this.#watches.set(tenantId, watch);
    watch.watchers.add(watcher);
  }

  remove({ tenantId }: TenantScope, watcher: Watcher): void {
    const watch = this.#watches.get(tenantId);
    watch?.watchers.delete(watcher);
    if (watch?.watchers.size === 0) this.#watches.delete(tenantId);
  }

  /** Has a tenant's watchers told of the versions now. */
  check({ tenantId }: TenantScope): void {
    const watch = this.#watches.get(tenantId);
    if (watch) this.#check(watch);
  }

  /** How many subscribers a tenant has. */
  count({ tenantId }: TenantScope): number {
    return this.#watches.get(tenantId)?.watchers.size ?? 0;
  }

  /**
   * To be called some times a second. What could not be read is read again. Versions that are
   * trusted anew may be others: what was written meanwhile was signalled to nobody.
   */
  tick(): void {
    const { term } = this.feed.trust;
    const isAnew = term !== undefined && term !== this.#term;
    if (term) this.#term = term;
    const isOld = performance.now() - this.#checkedMs >= CHECK_MS;
    if (isOld) this.#checkedMs = performance.now();
    for (const watch of this.#watches.values()) if (isAnew || isOld || watch.isDue) this.#check(watch);
  }

  stop(): void {
    this.#stopListening?.();
  }

  #signal(tenantId: string | null): void {
    if (tenantId === null) for (const watch of this.#watches.values()) this.#check(watch);
    else {
      const watch = this.#watches.get(tenantId);
      if (watch) this.#check(watch);
    }
  }

  #check(watch: Watch): void {
    watch.isDue = true;
    if (!watch.isReading) void this.#read(watch);
  }

  async #read(watch: Watch): Promise<void> {
    watch.isReading = true;
    try {
      while (watch.isDue) {
        watch.isDue = false;
        const now = await this.feed.versions.read(watch.scope);
        for (const watcher of watch.watchers) watcher.judge(now);
      }
    } catch {
      watch.isDue = true; // told by who failed; the next tick reads again
    } finally {
      watch.isReading = false;
    }
  }
}
