import { performance } from 'node:perf_hooks';
import type { TenantScope } from '../../tenancy/tenant-scope.ts';
import type { CacheDependency, FollowedTable, Namespace } from '../dependencies/dependencies.ts';
import type { Data, Found } from './data.ts';
import type { DataCache } from './data-cache.ts';
import { wholeValue } from './whole-value.ts';

/** What values of one kind have in common. */
export interface DataKind<Value> {
  /** Begins the key: `invalidateCache` invalidates the values by it. */
  readonly namespace: Namespace;
  /** Behind the namespace. */
  readonly name: string;
  /** Whose changes invalidate the values: all that are read for one. */
  readonly tables: readonly FollowedTable[];
  /** How long a value is kept at most. Freshness does not depend on it. */
  readonly ttlSeconds: number;
  /** When a value is another, whatever is written: milliseconds since 1970. */
  readonly endsAtMs?: (value: Value) => number;
}

/** What was done with the cache, for a log: never the values, nor whose they are. */
export interface CacheOperation {
  readonly operation: 'get' | 'set' | 'getOrSet' | 'invalidate';
  /** The kind of the value, such as `tenant:day`; of an invalidation what was invalidated. */
  readonly kind: string;
  /**
   * Whether a value was found, or computed for somebody else; null where none is looked for, or
   * where it failed.
   */
  readonly hit: boolean | null;
  /** With computing the value, and with failing. */
  readonly durationMs: number;
}

/** Tells the caches of this process and of all others. */
interface Invalidates {
  invalidate(scope: TenantScope, dependencies: readonly CacheDependency[]): Promise<void>;
}

/**
 * Keeps any data of a tenant: JSON values, with exact numbers. A value is found only while nothing
 * was changed that its kind names, in this process or in another. That is judged from before the
 * value is computed: one that was computed before a write is never found after it, so `set` takes
 * what computes a value and not the value. With a scope of a snapshot nothing is found and nothing
 * kept: a snapshot may be older than the last write.
 *
 * @example
 * const LARGEST: DataKind<string[]> = {
 *   namespace: 'accounts', name: 'largest', tables: ['bank_accounts'], ttlSeconds: 60,
 * };
 * const read = () => readLargest(scope, 'EUR');
 * const { value } = await tenantCache.getOrSet(scope, LARGEST, ['EUR'], read);
 */
export class TenantCache {
  /** @param watch called after every operation. Must not throw. */
  constructor(
    private readonly data: DataCache,
    private readonly answers: Invalidates,
    private readonly watch?: (operation: CacheOperation) => void,
  ) {}

  /**
   * What is kept, and when it was computed; undefined when nothing is, or what is has become old.
   * @param key tells values of the kind from one another
   */
  async get<Value>(
    scope: TenantScope,
    kind: DataKind<Value>,
    key: readonly string[],
  ): Promise<Found<Value> | undefined> {
    const done = this.#begin('get', nameOf(kind));
    let found: Found<Value> | undefined;
    try {
      found = await this.data.find(scope, dataOf(kind, key, neverLoads));
      return found;
    } finally {
      done(found !== undefined);
    }
  }

  /** Computes the value anew, and keeps it. */
  async set<Value>(
    scope: TenantScope,
    kind: DataKind<Value>,
    key: readonly string[],
    compute: () => Promise<Value>,
  ): Promise<Found<Value>> {
    const done = this.#begin('set', nameOf(kind));
    try {
      return await this.data.readAnew(scope, dataOf(kind, key, compute));
    } finally {
      done(null);
    }
  }

  /** What is kept, or else what is computed: once for all who ask for it at the same time. */
  async getOrSet<Value>(
    scope: TenantScope,
    kind: DataKind<Value>,
    key: readonly string[],
    compute: () => Promise<Value>,
  ): Promise<Found<Value>> {
    const done = this.#begin('getOrSet', nameOf(kind));
    let isComputed = false;
    const computes = () => {
      isComputed = true;
      return compute();
    };
    let hit: boolean | null = null;
    try {
      const found = await this.data.read(scope, dataOf(kind, key, computes));
      hit = !isComputed;
      return found;
    } finally {
      done(hit);
    }
  }

  /**
   * Invalidates whatever depends on these: values, reads of Prisma Client and whole answers.
   * @throws when neither Redis nor PostgreSQL can be told
   */
  async invalidate(scope: TenantScope, ...dependencies: readonly CacheDependency[]): Promise<void> {
    const done = this.#begin('invalidate', dependencies.join(' '));
    try {
      await this.answers.invalidate(scope, dependencies);
    } finally {
      done(null);
    }
  }

  #begin(operation: CacheOperation['operation'], kind: string): (hit: boolean | null) => void {
    const { watch } = this;
    if (!watch) return unwatched;
    const startedAtMs = performance.now();
    return (hit) => watch({ operation, kind, hit, durationMs: performance.now() - startedAtMs });
  }
}

function unwatched(): void {}

function nameOf({ namespace, name }: Pick<DataKind<never>, 'namespace' | 'name'>): string {
  return `${namespace}:${name}`;
}

function dataOf<Value>(
  { namespace, name, tables, ttlSeconds, endsAtMs }: DataKind<Value>,
  key: readonly string[],
  load: () => Promise<Value>,
): Data<Value> {
  const kept = { key: [namespace, name, ...key], tables, dependencies: [namespace], ttlSeconds };
  return { ...wholeValue(kept, load), ...(endsAtMs && { endsAtMs }) };
}

function neverLoads(): never {
  throw new Error('what is looked for is not loaded');
}
