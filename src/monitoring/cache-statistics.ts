import { LatencyHistogram } from '../latency-histogram.ts';

/** Where entries are: in the process, or in the Redis behind it. */
export type CacheTier = 'memory' | 'redis';
export const CACHE_TIERS: readonly CacheTier[] = ['memory', 'redis'];

/**
 * Why a lookup found nothing to serve. `absent`: no entry; `old`: written over since; `broken`:
 * bytes that are no entry.
 */
export type MissReason = 'absent' | 'old' | 'expired' | 'broken';
export const MISS_REASONS: readonly MissReason[] = ['absent', 'old', 'expired', 'broken'];

/**
 * Why a request was not looked up. `off`: by the setting; `untrusted`: writes may have gone by
 * unseen; `unreachable`: Redis does not answer; `no-tenant`: no caller, or one without a tenant;
 * `mutation`; `refresh`: asked for; `momentary`: answers that are never kept; `unreadable`: no
 * operation that the cache could read.
 */
export const BYPASS_REASONS = [
  ...(['off', 'untrusted', 'unreachable', 'no-tenant'] as const),
  ...(['mutation', 'refresh', 'momentary', 'unreadable'] as const),
];
export type BypassReason = (typeof BYPASS_REASONS)[number];

/**
 * What computing a hit once more came to. `equal`; `differs`: under the same versions, so that the
 * cache was stale; no verdict: `changed`, since something was written or the versions are not
 * known, `momentary`, since its time was over, `failed`, and `skipped`, since others waited.
 */
export const CONSISTENCY_RESULTS = ['equal', 'differs', 'changed', 'momentary', 'failed', 'skipped'] as const;
export type ConsistencyResult = (typeof CONSISTENCY_RESULTS)[number];

/**
 * `get` and `set` are accesses to Redis; `hit` and `miss` the outcome of a whole lookup, one for
 * each; `joined` a miss that waited for the same load of another; `fill` an entry that was stored;
 * `invalidation` a bump of versions; `error` a store that did not do as asked.
 */
export interface CacheEvent {
  readonly namespace: string;
  readonly kind: 'get' | 'set' | 'hit' | 'miss' | 'joined' | 'fill' | 'invalidation' | 'error';
  /** Of `get` and `set`. */
  readonly durationMs?: number;
  /** Of `hit` and `fill`; `memory` when absent. */
  readonly tier?: CacheTier | undefined;
  /** Of `miss`; `absent` when absent. */
  readonly reason?: MissReason | undefined;
  /** Of `fill`: as they are stored, compressed or not. */
  readonly bytes?: number;
  /** Of `fill`: whose entry it is. */
  readonly tenantId?: string;
}

/** One cache namespace. */
export class CacheStatistics {
  readonly hits: Record<CacheTier, number> = { memory: 0, redis: 0 };
  readonly missesBy: Record<MissReason, number> = { absent: 0, old: 0, expired: 0, broken: 0 };
  readonly fills: Record<CacheTier, number> = { memory: 0, redis: 0 };
  readonly filledBytes: Record<CacheTier, number> = { memory: 0, redis: 0 };
  joined = 0;
  invalidations = 0;
  errors = 0;
  /** Of Redis: what lies in the process takes no time worth counting. */
  readonly get = new LatencyHistogram();
  readonly set = new LatencyHistogram();

  get misses(): number {
    return MISS_REASONS.reduce((sum, reason) => sum + this.missesBy[reason], 0);
  }

  record({ kind, durationMs = 0, tier = 'memory', reason = 'absent', bytes = 0 }: CacheEvent): void {
    if (kind === 'hit') this.hits[tier]++;
    else if (kind === 'get' || kind === 'set') this[kind].record(durationMs);
    else if (kind === 'miss') this.missesBy[reason]++;
    else if (kind === 'fill') this.#filled(tier, bytes);
    else if (kind === 'invalidation') this.invalidations++;
    else if (kind === 'joined') this.joined++;
    else this.errors++;
  }

  #filled(tier: CacheTier, bytes: number): void {
    this.fills[tier]++;
    this.filledBytes[tier] += bytes;
  }
}
