import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { ExecutionCounts } from '../apollo/executor.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { ChangeFeed } from '../cache/change-feed/change-feed.ts';
import type { LatencyHistogram } from '../latency-histogram.ts';
import { CACHE_TIERS, type CacheStatistics, MISS_REASONS } from '../monitoring/cache-statistics.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import { OPERATION_RESULTS } from '../monitoring/statistics.ts';
import type { ConnectionFigures, QueueFigures } from '../tenancy/queue-figures.ts';
import { type MetricType, readWhenAsked, type Sample, type Together } from './read-when-asked.ts';
import { type SlugOf, tenantMetrics } from './tenant-metrics.ts';
import { addUp, dearest, type TenantTotals, TOP_TENANTS, tenantTotals } from './tenant-totals.ts';

/** Upper bounds of the histograms; Prometheus wants seconds. */
const BOUNDS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000];

export interface MetricsSources {
  readonly monitor: Monitor;
  readonly databaseConnections: () => { open: number; idle: number; waiting: number };
  readonly databaseQueue: () => ConnectionFigures;
  readonly admission: () => QueueFigures;
  readonly cacheMemoryBytes: () => number;
  /** Absent: the cache is off, which is nothing to be alerted of. */
  readonly changeFeed?: Pick<ChangeFeed, 'state' | 'trust'> | undefined;
  readonly audit: Pick<AuditLog, 'written' | 'dropped' | 'waiting'>;
  /** Absent: nothing is compiled. */
  readonly executions?: Readonly<ExecutionCounts> | undefined;
}

/**
 * Everything for Prometheus, read from the monitor when it is asked for: recording into
 * prom-client's own histograms would cost each request, and reading costs the scrape alone. No
 * label here holds a tenant (`tenant-metrics.ts` has those), and every label's values are bounded
 * by the monitor.
 */
export function createMetrics({
  monitor,
  databaseConnections,
  databaseQueue,
  admission,
  cacheMemoryBytes,
  changeFeed,
  audit,
  executions,
}: MetricsSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const add: Add = (type, name, help, samples, together = 'sum') =>
    registry.registerMetric(readWhenAsked(type, name, help, samples, together));
  addOperations(add, monitor);
  addErrors(add, monitor);
  addStatements(add, monitor);
  addCaches(add, monitor);
  if (changeFeed) addChangeFeed(add, changeFeed);
  addAudit(add, audit);
  if (executions) addExecutions(add, executions);
  add('gauge', 'tenantry_cache_memory_bytes', 'Size of the in-process cache tier.', () => [
    { labels: {}, value: cacheMemoryBytes() },
  ]);
  add('gauge', 'tenantry_database_connections', 'Connections open and idle; callers waiting for one.', () =>
    Object.entries(databaseConnections()).map(([state, value]) => ({ labels: { state }, value })),
  );
  addQueue(add, databaseQueue);
  addAdmission(add, admission);
  return { registry, tenants: () => tenantTotals(monitor.usage) };
}

/** The figures of one process. */
export interface Metrics {
  readonly registry: Registry;
  /** Of each tenant, apart from the registry: they are added up before they are ranked. */
  readonly tenants: () => TenantTotals;
}

/** What `/metrics` shows, of one process or of all workers. */
export interface ShownMetrics {
  /** In Prometheus' text format. */
  readonly text: string;
  /** Of the `TOP_TENANTS`, the dearest first. */
  readonly tenants: TenantTotals;
}

/** Takes part in what all workers show. @returns gives their figures together */
export type ShareMetrics = (own: Metrics) => () => Promise<ShownMetrics>;

/**
 * GET /metrics, in Prometheus' text format.
 * @param read absent: the figures of this process
 */
export function registerMetrics(
  app: FastifyInstance,
  own: Metrics,
  slugOf: SlugOf,
  read: () => Promise<ShownMetrics> = () => shownAlone(own),
): void {
  const make = async (): Promise<string> => {
    const { text, tenants } = await read();
    return `${text}\n${await tenantMetrics(tenants, slugOf)}`;
  };
  // Whoever asks meanwhile is sent the same: a scrape takes tens of milliseconds.
  let running: Promise<string> | undefined;
  app.get('/metrics', async (_request, reply) => {
    running ??= make().finally(() => {
      running = undefined;
    });
    return reply.type(own.registry.contentType).send(await running);
  });
}

async function shownAlone({ registry, tenants }: Metrics): Promise<ShownMetrics> {
  return { text: await registry.metrics(), tenants: dearest(addUp([tenants()]), TOP_TENANTS) };
}

type Add = (
  type: MetricType,
  name: string,
  help: string,
  samples: () => Sample[] | Promise<Sample[]>,
  together?: Together,
) => void;

function addOperations(add: Add, { operations }: Monitor): void {
  const name = 'tenantry_operation_duration_seconds';
  add('histogram', name, 'GraphQL operations by name and by how they ended.', () =>
    [...operations.entries()].flatMap(([operation, { durations }]) =>
      OPERATION_RESULTS.flatMap((result) => histogramSamples(name, { operation, result }, durations[result])),
    ),
  );
}

function addErrors(add: Add, { errors }: Monitor): void {
  add('counter', 'tenantry_errors_total', "Answers with errors, by HTTP status and the first error's code.", () =>
    [...errors.entries()].map(([key, { count }]) => {
      const [status = '', code = ''] = key.split(' ');
      return { labels: { status, code }, value: count };
    }),
  );
}

function addStatements(add: Add, { queries }: Monitor): void {
  const name = 'tenantry_sql_statement_duration_seconds';
  const each = () => [...queries.values()].map((query) => ({ ...query, labels: labelsOf(query) }));
  add('histogram', name, 'SQL statements by what they read or write.', () =>
    each().flatMap(({ labels, durations }) => histogramSamples(name, labels, durations)),
  );
  add('counter', 'tenantry_sql_rows_total', 'Rows that SQL statements returned or changed.', () =>
    each().map(({ labels, rows }) => ({ labels, value: rows })),
  );
  add('counter', 'tenantry_sql_failures_total', 'SQL statements that failed.', () =>
    each().map(({ labels, failures }) => ({ labels, value: failures })),
  );
}

/** Of requests that are not worked on yet. */
function addAdmission(add: Add, queue: () => QueueFigures): void {
  const prefix = 'tenantry_request_queue';
  add('gauge', `${prefix}_length`, 'Requests that wait to be worked on.', () => [
    { labels: {}, value: queue().length },
  ]);
  add(
    'gauge',
    `${prefix}_tenants`,
    'Tenants of which requests wait to be worked on; strangers and operators are none.',
    () => [{ labels: {}, value: queue().tenants }],
  );
  const waits = `${prefix}_wait_seconds`;
  add('histogram', waits, 'How long requests waited that had to, and were worked on.', () =>
    histogramSamples(waits, {}, queue().waits),
  );
  add(
    'counter',
    'tenantry_request_refusals_total',
    'Requests refused before anything was done for them, by reason.',
    () => Object.entries(queue().refusals).map(([reason, value]) => ({ labels: { reason }, value })),
  );
}

/** Busy and unreachable are two things: docs/performance.md. */
function addQueue(add: Add, queue: () => ConnectionFigures): void {
  const prefix = 'tenantry_database_queue';
  add('gauge', `${prefix}_length`, 'Statements and transactions that wait for a connection, or to search.', () => [
    { labels: {}, value: queue().length },
  ]);
  add(
    'gauge',
    `${prefix}_tenants`,
    'Tenants of which some wait for a connection, or to search; the service itself is none.',
    () => [{ labels: {}, value: queue().tenants }],
  );
  const waits = `${prefix}_wait_seconds`;
  add('histogram', waits, 'How long those waited who had to, and got a connection; searches for their turn, too.', () =>
    histogramSamples(waits, {}, queue().waits),
  );
  add('counter', 'tenantry_database_refusals_total', 'Those who got no connection, by reason.', () =>
    Object.entries(queue().refusals).map(([reason, value]) => ({ labels: { reason }, value })),
  );
}

function labelsOf({ model, action }: { model: string | undefined; action: string }) {
  return { model: model ?? '', action };
}

function addExecutions(add: Add, counts: Readonly<ExecutionCounts>): void {
  add('counter', 'tenantry_executions_total', 'Operations by what executed them.', () => [
    { labels: { executor: 'jit' }, value: counts.jit },
    { labels: { executor: 'graphql-js' }, value: counts.graphqlJs },
  ]);
  add('counter', 'tenantry_compilations_total', 'Queries that came again, by whether they could be compiled.', () => [
    { labels: { result: 'compiled' }, value: counts.compiled },
    { labels: { result: 'refused' }, value: counts.notCompiled },
  ]);
}

function addCaches(add: Add, { caches, bypasses }: Monitor): void {
  const each = (samplesOf: (namespace: string, cache: CacheStatistics) => Sample[]) => () =>
    [...caches.entries()].flatMap(([namespace, cache]) => samplesOf(namespace, cache));
  add('counter', 'tenantry_cache_events_total', 'What lookups, loads and bumps came to.', each(eventSamples));
  add(
    'counter',
    'tenantry_cache_misses_total',
    'Lookups that found nothing current, by reason.',
    each((namespace, { missesBy }) =>
      MISS_REASONS.map((reason) => ({ labels: { namespace, reason }, value: missesBy[reason] })),
    ),
  );
  add(
    'counter',
    'tenantry_cache_filled_bytes_total',
    'Bytes of the entries that were stored.',
    each((namespace, { filledBytes }) =>
      CACHE_TIERS.map((tier) => ({ labels: { namespace, tier }, value: filledBytes[tier] })),
    ),
  );
  const name = 'tenantry_cache_access_duration_seconds';
  add(
    'histogram',
    name,
    'Reads from and writes to Redis.',
    each((namespace, { get, set }) => [
      ...histogramSamples(name, { namespace, access: 'get' }, get),
      ...histogramSamples(name, { namespace, access: 'set' }, set),
    ]),
  );
  add('counter', 'tenantry_cache_bypasses_total', 'Requests that were not looked up, by reason.', () =>
    [...bypasses].map(([reason, value]) => ({ labels: { reason }, value })),
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

function addAudit(add: Add, audit: MetricsSources['audit']): void {
  add('counter', 'tenantry_audit_lines_total', 'Audit lines written off the way of requests, and lost.', () => [
    { labels: { result: 'written' }, value: audit.written },
    { labels: { result: 'lost' }, value: audit.dropped },
  ]);
  add('gauge', 'tenantry_audit_lines_waiting', 'Audit lines that are to be written.', () => [
    { labels: {}, value: audit.waiting },
  ]);
}

/** How this process learns of writes past it: docs/cache.md. */
function addChangeFeed(add: Add, { state, trust }: NonNullable<MetricsSources['changeFeed']>): void {
  const one = (type: MetricType, name: string, help: string, value: () => number, together?: Together) =>
    add(type, `tenantry_cache_${name}`, help, () => [{ labels: {}, value: value() }], together);
  const trusted = 'Whether answers are taken from the cache (1) or, for safety, not (0); 0 when one worker does not.';
  one('gauge', 'trusted', trusted, () => Number(trust.isValid), 'min');
  one('gauge', 'relay', 'Whether this process relays the outbox.', () => Number(state.role === 'relay'));
  one(
    'gauge',
    'outbox_lag_seconds',
    'From the last poll of the outbox until all it saw was in the versions.',
    () => state.lagMs / 1000,
    'max',
  );
  one('counter', 'outbox_rows_total', 'Rows of the outbox that this process read.', () => state.rowsRead);
  one('counter', 'outbox_elections_total', 'How often this process became the outbox relay.', () => state.elections);
  one('counter', 'terms_total', 'How often a term began: all that was kept was taken for old.', () => state.terms);
}

/** Nothing for a histogram that was never recorded into. */
function histogramSamples(name: string, labels: Sample['labels'], durations: LatencyHistogram): Sample[] {
  if (durations.count === 0) return [];
  const counts = durations.countsUpTo(BOUNDS_MS);
  const bucket = (le: string, value: number) => ({ metricName: `${name}_bucket`, labels: { ...labels, le }, value });
  return [
    ...BOUNDS_MS.map((boundMs, index) => bucket(String(boundMs / 1000), counts[index] ?? 0)),
    bucket('+Inf', durations.count),
    { metricName: `${name}_sum`, labels, value: durations.sumMs / 1000 },
    { metricName: `${name}_count`, labels, value: durations.count },
  ];
}
