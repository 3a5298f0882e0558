import type { ServiceMinute } from '../deployment/minute.repository.ts';
import type { ServiceProcess } from '../deployment/own-process.ts';
import type { Latency, LatencyHistogram } from '../latency-histogram.ts';
import { shownCount } from '../limits.ts';
import { CACHE_TIERS, type CacheStatistics, type CacheTier, MISS_REASONS } from '../monitoring/cache-statistics.ts';
import { type Figures, queryOfKey } from '../monitoring/figures.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import type { OperationStatistics, QueryStatistics, ResolverStatistics } from '../monitoring/statistics.ts';
import type { BypassCount, HttpErrorCount } from './counts.type.ts';
import type { OperationPerformance, OperationQuery } from './operation.type.ts';
import type {
  CachePerformance,
  CacheTierPerformance,
  PerformanceReport,
  QueryPerformance,
  ResolverPerformance,
} from './performance.type.ts';
import type { PerformanceMinute } from './performance-minute.type.ts';

/**
 * What an operator sees: one process or several, all tenants together.
 * @param processes that the figures are of
 * @param wanted the lists to put together, the others are empty; all when absent
 */
export function serviceReport(
  figures: Figures,
  processes: readonly ServiceProcess[] = [],
  wanted?: ReadonlySet<string>,
): PerformanceReport {
  const made = <Row>(list: keyof PerformanceReport, make: () => Row[]) => (wanted?.has(list) === false ? [] : make());
  const operations = () =>
    [...figures.operations.values()].map((operation) => operationPerformance(operation, figures));
  return {
    since: figures.since,
    operations: made('operations', () => operations().sort(byTotalTime)),
    resolvers: made('resolvers', () => [...figures.resolvers.entries()].map(resolverPerformance).sort(byTotalTime)),
    queries: made('queries', () => [...figures.queries.values()].map(queryPerformance).sort(byTotalTime)),
    slowQueries: made('slowQueries', () => figures.slowQueries.list()),
    cache: made('cache', () => [...figures.caches.entries()].map(cachePerformance).sort(byNamespace)),
    errors: made('errors', () => [...figures.errors.entries()].map(errorCount).sort(byCount)),
    bypasses: made('bypasses', () => [...figures.bypasses].flatMap(bypassCount).sort(byCount)),
    processes: made('processes', () => [...processes]),
  };
}

/** What a tenant's own people see: nothing from which the doings of other tenants could be told. */
export function tenantReport(monitor: Monitor, tenantId: string): PerformanceReport {
  const operations = monitor
    .operationsOf(tenantId)
    .map((operation) => operationPerformance(operation))
    .sort(byTotalTime);
  const ofAllTenants = {
    resolvers: [],
    queries: [],
    slowQueries: [],
    cache: [],
    errors: [],
    bypasses: [],
    processes: [],
  };
  return { since: monitor.since, operations, ...ofAllTenants };
}

export function minuteReport(minute: ServiceMinute): PerformanceMinute {
  const { start, untrusted, statements, databaseMs, latency, hitLatency, ...counts } = minute;
  const shown = Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, shownCount(count)]));
  return {
    ...{ start, untrusted, statements, databaseMs },
    ...(shown as typeof counts),
    ...{ latency: latencyOf(latency), hitLatency: latencyOf(hitLatency) },
  };
}

/** @param figures where the plans of its statements are; absent: it shows no statements */
function operationPerformance(operation: OperationStatistics, figures?: Figures): OperationPerformance {
  const { error, cache_hit } = operation.durations;
  return {
    name: operation.name,
    latency: toGraphql(operation.latency()),
    errors: shownCount(error.count),
    cacheHits: shownCount(cache_hit.count),
    statements: operation.statements,
    databaseMs: operation.databaseMs,
    queries: figures ? operationQueries(operation, figures) : [],
  };
}

function operationQueries(operation: OperationStatistics, { plans }: Figures): OperationQuery[] {
  const byTime = operation.queries().sort(([, a], [, b]) => b.totalMs - a.totalMs);
  return byTime.map(([key, { count, totalMs, maxMs, sql }]) => {
    const { model = null, action } = queryOfKey(key);
    const { text: plan = null, advice = null } = (sql && plans.peek(sql)) || {};
    return { model, action, count: shownCount(count), meanMs: count && totalMs / count, maxMs, sql, plan, advice };
  });
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

function errorCount([key, { count }]: [string, { count: number }]): HttpErrorCount {
  const [status, code] = key.split(' ');
  return { status: code ? Number(status) : 0, code: code ?? key, count: shownCount(count) };
}

function bypassCount([reason, count]: [string, number]): BypassCount[] {
  return count > 0 ? [{ reason, count: shownCount(count) }] : [];
}

function byCount({ count: a }: { count: number }, { count: b }: { count: number }): number {
  return b - a;
}

function byTotalTime({ latency: a }: { latency: Latency }, { latency: b }: { latency: Latency }): number {
  return b.count * b.mean - a.count * a.mean;
}

function byNamespace(a: CachePerformance, b: CachePerformance): number {
  return a.namespace < b.namespace ? -1 : 1;
}
