import { HISTOGRAM_LAYOUT, type HistogramParts } from '../latency-histogram.ts';
import { BYPASS_REASONS, CACHE_TIERS, MISS_REASONS } from './cache-statistics.ts';
import type { Figures } from './figures.ts';
import { CACHE_COUNTS, type CacheParts, isSnapshot, type OperationParts, type Snapshot } from './snapshot.ts';
import { OPERATION_RESULTS, type OperationResult } from './statistics.ts';

/**
 * Processes of other releases may write another one: theirs are not read. The number is raised with
 * every change of `Snapshot`, and of `ProcessState`, which lies beside it.
 */
const FORMAT = `1, histograms ${HISTOGRAM_LAYOUT}`;

/** @param texts false leaves out SQL and plans, of which there may be megabytes */
export function snapshotOf(figures: Figures, { texts: hasTexts = true } = {}): Snapshot {
  const places = new Map<string, number>();
  const placeOf = (sql: string) => {
    const place = places.get(sql) ?? places.size;
    places.set(sql, place);
    return place;
  };
  const snapshot: Omit<Snapshot, 'texts'> = {
    format: FORMAT,
    since: figures.since.toISOString(),
    operations: [...figures.operations.values()].map((operation) => ({
      name: operation.name,
      durations: partsOf(operation.durations),
      statements: operation.statements,
      databaseMs: operation.databaseMs,
      queries: operation.queries().map(([key, { count, totalMs, maxMs, sql }]) => {
        return { key, count, totalMs, maxMs, sql: sql !== null && hasTexts ? placeOf(sql) : null };
      }),
    })),
    resolvers: [...figures.resolvers.entries()].map(([name, { durations, errors }]) => {
      return { name, durations: durations.parts(), errors };
    }),
    queries: [...figures.queries.entries()].map(([key, { durations, rows, failures }]) => {
      return { key, durations: durations.parts(), rows, failures };
    }),
    caches: [...figures.caches.entries()].map(([name, cache]) => {
      const { hits, missesBy, fills, filledBytes, joined, invalidations, errors } = cache;
      const counts = { hits, missesBy, fills, filledBytes, joined, invalidations, errors };
      return { name, ...counts, get: cache.get.parts(), set: cache.set.parts() };
    }),
    bypasses: Object.fromEntries(figures.bypasses),
    errors: [...figures.errors.entries()].map(([key, { count }]) => [key, count] as const),
    slowQueries: hasTexts
      ? figures.slowQueries.list().map((query) => ({ ...query, sql: placeOf(query.sql), at: query.at.toISOString() }))
      : [],
    plans: hasTexts ? [...figures.plans.entries()].map(([sql, plan]) => [placeOf(sql), plan] as const) : [],
  };
  return { ...snapshot, texts: [...places.keys()] };
}

function partsOf(durations: Readonly<Record<OperationResult, { parts(): HistogramParts }>>) {
  const { ok, error, cache_hit } = durations;
  return { ok: ok.parts(), error: error.parts(), cache_hit: cache_hit.parts() };
}

/**
 * Reads what another process wrote.
 * @param json of what `snapshotOf` gives
 * @returns null for one of another format
 * @throws SyntaxError, TypeError for one of this format that is damaged
 */
export function parseSnapshot(json: string): Snapshot | null {
  const snapshot: unknown = JSON.parse(json);
  if ((snapshot as Partial<Snapshot> | null)?.format !== FORMAT) return null;
  if (!isSnapshot(snapshot)) throw new TypeError('these are no figures of a process');
  return snapshot;
}

/** Adds what a process counted. */
export function addSnapshot(figures: Figures, snapshot: Snapshot): void {
  const since = new Date(snapshot.since);
  if (since < figures.since) figures.since = since;
  const text = (place: number | null) => (place === null ? null : (snapshot.texts[place] ?? null));
  for (const operation of snapshot.operations) addOperation(figures, operation, text);
  for (const { name, durations, errors } of snapshot.resolvers) {
    const resolver = figures.resolvers.entry(name);
    resolver.durations.addParts(durations);
    resolver.errors += errors;
  }
  for (const { key, durations, rows, failures } of snapshot.queries) {
    const query = figures.queries.entry(key);
    query.durations.addParts(durations);
    query.rows += rows;
    query.failures += failures;
  }
  for (const cache of snapshot.caches) addCache(figures, cache);
  for (const reason of BYPASS_REASONS)
    figures.bypasses.set(reason, (figures.bypasses.get(reason) ?? 0) + (snapshot.bypasses[reason] ?? 0));
  for (const [key, count] of snapshot.errors) figures.errors.entry(key).count += count;
  figures.slowQueries.merge(
    snapshot.slowQueries.map((query) => ({ ...query, sql: text(query.sql) ?? '', at: new Date(query.at) })),
  );
  for (const [sql, plan] of snapshot.plans) figures.plans.set(text(sql) ?? '', plan);
}

function addOperation(figures: Figures, parts: OperationParts, text: (place: number | null) => string | null): void {
  const operation = figures.operations.entry(parts.name);
  for (const result of OPERATION_RESULTS) operation.durations[result].addParts(parts.durations[result]);
  operation.statements += parts.statements;
  operation.databaseMs += parts.databaseMs;
  operation.addQueries(parts.queries.map(({ key, sql, ...sums }) => [key, { ...sums, sql: text(sql) }]));
}

function addCache(figures: Figures, parts: CacheParts): void {
  const cache = figures.caches.entry(parts.name);
  for (const tier of CACHE_TIERS)
    for (const record of ['hits', 'fills', 'filledBytes'] as const) cache[record][tier] += parts[record][tier] ?? 0;
  for (const reason of MISS_REASONS) cache.missesBy[reason] += parts.missesBy[reason] ?? 0;
  for (const count of CACHE_COUNTS) cache[count] += parts[count];
  cache.get.addParts(parts.get);
  cache.set.addParts(parts.set);
}
