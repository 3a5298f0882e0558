import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { ExecutionCounts } from '../apollo/executor.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { ChangeFeed } from '../cache/change-feed/change-feed.ts';
import type { CheckResults, HealthChecks } from '../http/health.ts';
import type { LiveFigures } from '../live/live-figures.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import { OPERATION_RESULTS } from '../monitoring/statistics.ts';
import type { WarmUpCounts } from '../warm-up/warm-up-counts.ts';
import { addCaches, addChangeFeed } from './cache-metrics.ts';
import {
  addBuild,
  addDatabase,
  addReadiness,
  addRedis,
  type BuildInfo,
  type WatchedDatabase,
  type WatchedRedis,
} from './dependency-metrics.ts';
import { histogramSamples } from './histogram-samples.ts';
import { addAdmission, addQueue } from './queue-metrics.ts';
import { type Add, readWhenAsked, type Sample } from './read-when-asked.ts';
import { addSubscriptions } from './subscription-metrics.ts';
import { type SlugOf, tenantMetrics } from './tenant-metrics.ts';
import { addUp, dearest, type TenantTotals, TOP_TENANTS, tenantTotals } from './tenant-totals.ts';
import { addWarmUp } from './warm-up-metrics.ts';

export interface MetricsSources {
  readonly monitor: Monitor;
  readonly build: BuildInfo;
  readonly database: WatchedDatabase;
  /** Absent without REDIS_URL. */
  readonly redis?: WatchedRedis | undefined;
  readonly health: Pick<HealthChecks, 'database' | 'redis'>;
  /** What the checks of readiness found. */
  readonly readiness: () => Promise<CheckResults>;
  readonly cacheMemoryBytes: () => number;
  /** Absent: the cache is off, which is nothing to be alerted of. */
  readonly changeFeed?: Pick<ChangeFeed, 'state' | 'trust'> | undefined;
  readonly audit: Pick<AuditLog, 'written' | 'dropped' | 'waiting'>;
  readonly warmUps: WarmUpCounts;
  readonly subscriptions: LiveFigures;
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
  build,
  database,
  redis,
  health,
  readiness,
  cacheMemoryBytes,
  changeFeed,
  audit,
  warmUps,
  executions,
  subscriptions,
}: MetricsSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const add: Add = (type, name, help, samples, together = 'sum') =>
    registry.registerMetric(readWhenAsked(type, name, help, samples, together));
  addBuild(add, build);
  addOperations(add, monitor);
  addAnswers(add, monitor);
  addStatements(add, monitor);
  addCaches(add, monitor);
  if (changeFeed) addChangeFeed(add, changeFeed);
  addAudit(add, audit);
  addWarmUp(add, warmUps);
  addSubscriptions(add, subscriptions);
  if (executions) addExecutions(add, executions);
  add(
    'gauge',
    'tenantry_cache_memory_bytes',
    'Bytes of the entries within the process, of CACHE_MEMORY_BYTES at most.',
    () => [{ labels: {}, value: cacheMemoryBytes() }],
  );
  addDatabase(add, database, health.database);
  addReadiness(add, readiness);
  if (redis && health.redis) addRedis(add, redis, health.redis);
  addQueue(add, () => database.queue);
  addAdmission(add, () => database.admission);
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

/** What `/metrics` answers with, in Prometheus' text format. */
export interface MetricsPage {
  readonly contentType: string;
  readonly text: () => Promise<string>;
}

/** @param read absent: the figures of this process */
export function metricsPage(
  own: Metrics,
  slugOf: SlugOf,
  read: () => Promise<ShownMetrics> = () => shownAlone(own),
): MetricsPage {
  const make = async (): Promise<string> => {
    const { text, tenants } = await read();
    return `${text}\n${await tenantMetrics(tenants, slugOf)}`;
  };
  // Whoever asks meanwhile is sent the same: a scrape takes tens of milliseconds.
  let running: Promise<string> | undefined;
  return {
    contentType: own.registry.contentType,
    text() {
      running ??= make().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

/** GET /metrics. */
export function registerMetrics(app: FastifyInstance, { contentType, text }: MetricsPage): void {
  app.get('/metrics', async (_request, reply) => reply.type(contentType).send(await text()));
}

async function shownAlone({ registry, tenants }: Metrics): Promise<ShownMetrics> {
  return { text: await registry.metrics(), tenants: dearest(addUp([tenants()]), TOP_TENANTS) };
}

function addOperations(add: Add, { operations }: Monitor): void {
  const name = 'tenantry_operation_duration_seconds';
  add(
    'histogram',
    name,
    'Time of GraphQL operations, by name and result: ok, error, or cache_hit (from the response cache).',
    () =>
      [...operations.entries()].flatMap(([operation, { durations }]) =>
        OPERATION_RESULTS.flatMap((result) => histogramSamples(name, { operation, result }, durations[result])),
      ),
  );
}

/** Of GraphQL, and of whatever was refused ahead of it. */
function addAnswers(add: Add, { answers, errors }: Monitor): void {
  const withErrors = (): Sample[] =>
    [...errors.entries()].map(([key, { count }]) => {
      const [status = '', code = ''] = key.split(' ');
      return { labels: { status, code }, value: count };
    });
  add(
    'counter',
    'tenantry_http_requests_total',
    "Requests answered, by HTTP status and the first error's code, or OK.",
    () => [
      ...Object.entries(answers).map(([status, value]) => ({ labels: { status, code: 'OK' }, value })),
      ...withErrors(),
    ],
  );
  add(
    'counter',
    'tenantry_errors_total',
    "Answers with errors, by HTTP status and the first error's code.",
    withErrors,
  );
}

function addStatements(add: Add, { queries }: Monitor): void {
  const name = 'tenantry_sql_statement_duration_seconds';
  const each = () => [...queries.values()].map((query) => ({ ...query, labels: labelsOf(query) }));
  add('histogram', name, 'Time of SQL statements, by model and action: what they read or write.', () =>
    each().flatMap(({ labels, durations }) => histogramSamples(name, labels, durations)),
  );
  add('counter', 'tenantry_sql_rows_total', 'Rows that SQL statements returned or changed.', () =>
    each().map(({ labels, rows }) => ({ labels, value: rows })),
  );
  add('counter', 'tenantry_sql_failures_total', 'SQL statements that failed.', () =>
    each().map(({ labels, failures }) => ({ labels, value: failures })),
  );
}

function labelsOf({ model, action }: { model: string | undefined; action: string }) {
  return { model: model ?? '', action };
}

function addExecutions(add: Add, counts: Readonly<ExecutionCounts>): void {
  add('counter', 'tenantry_executions_total', 'Operations that were executed, by jit (compiled) or graphql-js.', () => [
    { labels: { executor: 'jit' }, value: counts.jit },
    { labels: { executor: 'graphql-js' }, value: counts.graphqlJs },
  ]);
  add('counter', 'tenantry_compilations_total', 'Queries that came again, by whether they could be compiled.', () => [
    { labels: { result: 'compiled' }, value: counts.compiled },
    { labels: { result: 'refused' }, value: counts.notCompiled },
  ]);
}

function addAudit(add: Add, audit: MetricsSources['audit']): void {
  add(
    'counter',
    'tenantry_audit_lines_total',
    'Audit lines that were written in the background, and lost: dropped, since too many waited.',
    () => [
      { labels: { result: 'written' }, value: audit.written },
      { labels: { result: 'lost' }, value: audit.dropped },
    ],
  );
  add('gauge', 'tenantry_audit_lines_waiting', 'Audit lines that wait to be written.', () => [
    { labels: {}, value: audit.waiting },
  ]);
}
