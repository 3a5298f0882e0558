import type { ChangeFeed } from '../cache/change-feed/change-feed.ts';
import { CACHE_TIERS, type CacheStatistics, MISS_REASONS } from '../monitoring/cache-statistics.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import { histogramSamples } from './histogram-samples.ts';
import type { Add, MetricType, Sample, Together } from './read-when-asked.ts';

export function addCaches(add: Add, { caches, bypasses, consistency }: Monitor): void {
  const each = (samplesOf: (namespace: string, cache: CacheStatistics) => Sample[]) => () =>
    [...caches.entries()].flatMap(([namespace, cache]) => samplesOf(namespace, cache));
  const events =
    'Events by namespace and result. Lookups: hit, miss, joined (a miss that waited for the load of another). ' +
    'Also entries stored (fill), namespaces invalidated (invalidation) and failures of the store (error).';
  add('counter', 'tenantry_cache_events_total', events, each(eventSamples));
  add(
    'counter',
    'tenantry_cache_misses_total',
    'Misses by reason: absent (no entry), old (written over since), expired, broken (bytes that are no entry).',
    each((namespace, { missesBy }) =>
      MISS_REASONS.map((reason) => ({ labels: { namespace, reason }, value: missesBy[reason] })),
    ),
  );
  add(
    'counter',
    'tenantry_cache_filled_bytes_total',
    'Bytes of the entries that were stored, by tier: memory (within the process) or redis.',
    each((namespace, { filledBytes }) =>
      CACHE_TIERS.map((tier) => ({ labels: { namespace, tier }, value: filledBytes[tier] })),
    ),
  );
  const name = 'tenantry_cache_access_duration_seconds';
  add(
    'histogram',
    name,
    'Time of reads (get) and writes (set) of entries in Redis.',
    each((namespace, { get, set }) => [
      ...histogramSamples(name, { namespace, access: 'get' }, get),
      ...histogramSamples(name, { namespace, access: 'set' }, set),
    ]),
  );
  add(
    'counter',
    'tenantry_cache_bypasses_total',
    'Requests that were not looked up in the cache, by reason, such as mutation, refresh or untrusted.',
    () => [...bypasses].map(([reason, value]) => ({ labels: { reason }, value })),
  );
  const checks =
    'Answers from the cache that were computed once more, by what came of it; differs: the cache was stale.';
  add('counter', 'tenantry_cache_consistency_checks_total', checks, () =>
    [...consistency].map(([result, value]) => ({ labels: { result }, value })),
  );
}

function eventSamples(namespace: string, cache: CacheStatistics): Sample[] {
  const sample = (result: string, value: number, tier = '') => ({ labels: { namespace, tier, result }, value });
  return [
    ...CACHE_TIERS.map((tier) => sample('hit', cache.hits[tier], tier)),
    ...CACHE_TIERS.map((tier) => sample('fill', cache.fills[tier], tier)),
    sample('miss', cache.misses),
    sample('joined', cache.joined),
    sample('invalidation', cache.invalidations),
    sample('error', cache.errors),
  ];
}

/** How this process learns of writes past it: docs/cache.md. */
export function addChangeFeed(add: Add, { state, trust }: Pick<ChangeFeed, 'state' | 'trust'>): void {
  const one = (type: MetricType, name: string, help: string, value: () => number, together?: Together) =>
    add(type, `tenantry_cache_${name}`, help, () => [{ labels: {}, value: value() }], together);
  const trusted = 'Whether answers are taken from the cache (1) or, for safety, not (0); 0 when one worker does not.';
  one('gauge', 'trusted', trusted, () => Number(trust.isValid), 'min');
  one('gauge', 'relay', '1 in the process that reads the outbox for all of them (the relay), else 0.', () =>
    Number(state.role === 'relay'),
  );
  one(
    'gauge',
    'outbox_lag_seconds',
    'Seconds from a poll of the outbox until all it saw was invalidated: how late writes past the API show.',
    () => state.lagMs / 1000,
    'max',
  );
  one('counter', 'outbox_rows_total', 'Rows of the outbox that this process read.', () => state.rowsRead);
  one('counter', 'outbox_elections_total', 'How often this process became the outbox relay.', () => state.elections);
  one(
    'counter',
    'terms_total',
    'How often this process began a leadership term, with which the whole cache is dropped.',
    () => state.terms,
  );
}
