import type { Latency, LatencyHistogram } from '../latency-histogram.ts';
import { shownCount } from '../limits.ts';
import { CACHE_TIERS, type CacheStatistics, type CacheTier, MISS_REASONS } from '../monitoring/cache-statistics.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import type { OperationStatistics, QueryStatistics, ResolverStatistics } from '../monitoring/statistics.ts';
import type {
  CachePerformance,
  CacheTierPerformance,
  OperationPerformance,
  PerformanceReport,
  QueryPerformance,
  ResolverPerformance,
} from './performance.type.ts';

/**
 * What an operator sees: this process, all tenants together.
 * @param wanted the lists to put together, the others are empty; all when absent
 */
export function serviceReport(monitor: Monitor, wanted?: ReadonlySet<string>): PerformanceReport {
  const made = <Row>(list: keyof PerformanceReport, make: () => Row[]) => (wanted?.has(list) === false ? [] : make());
  return {
    since: monitor.since,
    operations: made('operations', () => [...monitor.operations.values()].map(operationPerformance).sort(byTotalTime)),
    resolvers: made('resolvers', () => [...monitor.resolvers.entries()].map(resolverPerformance).sort(byTotalTime)),
    queries: made('queries', () => [...monitor.queries.values()].map(queryPerformance).sort(byTotalTime)),
    slowQueries: made('slowQueries', () => monitor.slowQueries.list()),
    cache: made('cache', () => [...monitor.caches.entries()].map(cachePerformance).sort(byNamespace)),
  };
}

/** What a tenant's own people see: nothing from which the doings of other tenants could be told. */
export function tenantReport(monitor: Monitor, tenantId: string): PerformanceReport {
  const operations = monitor.operationsOf(tenantId).map(operationPerformance).sort(byTotalTime);
  return { since: monitor.since, operations, resolvers: [], queries: [], slowQueries: [], cache: [] };
}

function operationPerformance(operation: OperationStatistics): OperationPerformance {
  const { error, cache_hit } = operation.durations;
  return {
    name: operation.name,
    latency: toGraphql(operation.latency()),
    errors: shownCount(error.count),
    cacheHits: shownCount(cache_hit.count),
    statements: operation.statements,
    databaseMs: operation.databaseMs,
  };
}

function resolverPerformance([coordinate, resolver]: [string, ResolverStatistics]): ResolverPerformance {
  return { coordinate, latency: latencyOf(resolver.durations), errors: shownCount(resolver.errors) };
}

function queryPerformance({ model, action, durations, rows }: QueryStatistics): QueryPerformance {
  return { model: model ?? null, action, latency: latencyOf(durations), rows };
}

function cachePerformance([namespace, cache]: [string, CacheStatistics]): CachePerformance {
  const hits = cache.hits.memory + cache.hits.redis;
  const { misses, missesBy } = cache;
  const lookups = hits + misses;
  return {
    namespace,
    hits: shownCount(hits),
    misses: shownCount(misses),
    missReasons: MISS_REASONS.map((reason) => ({ reason, count: shownCount(missesBy[reason]) })),
    hitRate: lookups && hits / lookups,
    joined: shownCount(cache.joined),
    tiers: CACHE_TIERS.map((tier) => tierPerformance(tier, cache)),
    invalidations: shownCount(cache.invalidations),
    errors: shownCount(cache.errors),
    get: latencyOf(cache.get),
    set: latencyOf(cache.set),
  };
}

function tierPerformance(tier: CacheTier, { hits, fills, filledBytes }: CacheStatistics): CacheTierPerformance {
  return { tier, hits: shownCount(hits[tier]), fills: shownCount(fills[tier]), filledBytes: filledBytes[tier] };
}

function latencyOf(histogram: LatencyHistogram): Latency {
  return toGraphql(histogram.latency());
}

function toGraphql(latency: Latency): Latency {
  return { ...latency, count: shownCount(latency.count) };
}

function byTotalTime({ latency: a }: { latency: Latency }, { latency: b }: { latency: Latency }): number {
  return b.count * b.mean - a.count * a.mean;
}

function byNamespace(a: CachePerformance, b: CachePerformance): number {
  return a.namespace < b.namespace ? -1 : 1;
}
