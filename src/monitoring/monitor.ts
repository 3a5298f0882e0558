import type { StatementEvent } from '../tenancy/statement-event.ts';
import { NO_TENANT } from '../tenancy/tenant-scope.ts';
import { BoundedRegistry } from './bounded-registry.ts';
import { BYPASS_REASONS, type BypassReason, type CacheEvent, CacheStatistics } from './cache-statistics.ts';
import type { OperationEvent, ResolverEvent } from './monitor-events.ts';
import { RequestTiming } from './request-timing.ts';
import type { SlowPlans } from './slow-plans.ts';
import { SlowQueries, type SlowQuery } from './slow-queries.ts';
import { OperationStatistics, QueryStatistics, ResolverStatistics } from './statistics.ts';
import { TenantOperations } from './tenant-operations.ts';
import { endOperationSpan, traceStatement } from './tracing.ts';
import { UsageCounts } from './usage-counts.ts';

/** Clients name their operations as they like. */
export const MAX_OPERATIONS = 200;
/**
 * More than the schema has resolvers that are timed, and more than the code has statements and
 * namespaces.
 */
const MAX_RESOLVERS = 500;
const MAX_QUERIES = 200;
const MAX_CACHE_NAMESPACES = 50;
const MAX_ERRORS = 100;
const MAX_SLOW_QUERIES = 100;

/** The part of a pino logger that the monitoring needs. */
export interface MonitorLogger {
  warn(details: object, message: string): void;
}

export interface MonitorOptions {
  /** Operations that take longer are logged. */
  readonly slowOperationMs: number;
  /** SQL statements that take longer are logged and kept for the report. */
  readonly slowQueryMs: number;
  readonly logger: MonitorLogger;
  /** Where the plans of slow statements come from; without it they have none. */
  readonly plans?: Pick<SlowPlans, 'planOf'>;
}

/**
 * Collects how long things take in this process, from its start on. Every method is cheap enough
 * for every request, memory is bounded, and nothing throws. Tenants are told apart
 * for `operationsOf` only.
 */
export class Monitor {
  readonly since = new Date();
  readonly operations = new BoundedRegistry(MAX_OPERATIONS, (name) => new OperationStatistics(name));
  readonly resolvers = new BoundedRegistry(MAX_RESOLVERS, () => new ResolverStatistics());
  readonly queries = new BoundedRegistry(MAX_QUERIES, queryStatistics);
  readonly caches = new BoundedRegistry(MAX_CACHE_NAMESPACES, () => new CacheStatistics());
  /** Requests that were not looked up in the cache. */
  readonly bypasses = new Map<BypassReason, number>(BYPASS_REASONS.map((reason) => [reason, 0]));
  /** Answers with errors, by `<HTTP status> <code>`. */
  readonly errors = new BoundedRegistry(MAX_ERRORS, () => ({ count: 0 }));
  readonly slowQueries = new SlowQueries(MAX_SLOW_QUERIES);
  /** What each tenant costs. */
  readonly usage = new UsageCounts();
  readonly #tenants = new TenantOperations();

  constructor(private readonly options: MonitorOptions) {}

  /** @param timing the request's; its span is ended, and the log tells its statements */
  recordOperation(event: OperationEvent, timing?: RequestTiming): void {
    const { tenantId, durationMs, errors, cacheHit, points = 0 } = event;
    if (tenantId) this.usage.request(tenantId, cacheHit, points);
    const own = tenantId ? this.#tenants.entry(tenantId, event.name) : undefined;
    own?.record(durationMs, errors, cacheHit, timing);
    // By the name that its tenant's share of names allows, so that no tenant uses up the names of
    // all.
    this.operations.entry(own?.name ?? event.name).record(durationMs, errors, cacheHit, timing);
    if (durationMs >= this.options.slowOperationMs) this.#logSlow(event, timing);
    if (timing?.span) endOperationSpan(timing.span, event);
  }

  recordResolver({ coordinate, durationMs, failed }: ResolverEvent): void {
    this.resolvers.entry(coordinate).record(durationMs, failed);
  }

  /**
   * Give it to `TenantDatabase` as `onStatement`. What was sent for a request counts for that too.
   */
  readonly recordStatement = (event: StatementEvent): void => {
    const timing = event.request instanceof RequestTiming ? event.request : undefined;
    timing?.addStatement(event);
    if (event.tenantId && event.tenantId !== NO_TENANT.tenantId)
      this.usage.statement(event.tenantId, event.durationMs, event.rows);
    this.queries.entry(queryKey(event)).record(event.durationMs, event.rows, event.failed);
    if (event.durationMs >= this.options.slowQueryMs) this.#keepSlow(event, timing);
    if (timing?.span) traceStatement(timing.span, event);
  };

  recordCache(event: CacheEvent): void {
    this.caches.entry(event.namespace).record(event);
    const { kind, tenantId, bytes = 0 } = event;
    if (kind === 'fill' && tenantId) this.usage.kept(tenantId, bytes);
  }

  recordBypass(reason: BypassReason): void {
    this.bypasses.set(reason, (this.bypasses.get(reason) ?? 0) + 1);
  }

  /**
   * An answer with errors. @param code of the first one: one of a closed set @param tenantId
   * absent: of nobody's
   */
  recordError(status: number, code: string, tenantId?: string): void {
    this.errors.entry(`${status} ${code}`).count++;
    if (tenantId) this.usage.error(tenantId, code);
  }

  /** The operations of one tenant, by name. */
  operationsOf(tenantId: string): OperationStatistics[] {
    return this.#tenants.of(tenantId);
  }

  #logSlow({ name, tenantId, durationMs, errors, cacheHit }: OperationEvent, timing?: RequestTiming): void {
    const { statements, databaseMs, rows } = timing ?? {};
    const details = {
      requestId: timing?.requestId || undefined,
      operation: name,
      tenantId,
      durationMs,
      errors,
      cacheHit,
      statements,
      databaseMs,
      rows,
    };
    this.options.logger.warn(details, 'slow operation');
  }

  #keepSlow(event: StatementEvent, timing?: RequestTiming): void {
    const { durationMs, rows, action } = event;
    const kept = this.slowQueries.add({
      sql: event.sql,
      durationMs,
      rows,
      model: event.model ?? null,
      action,
      operation: timing?.operation ?? null,
      requestId: timing?.requestId || null,
      plan: null,
      at: new Date(),
    });
    const { requestId, sql, operation, model } = kept;
    this.options.logger.warn({ requestId, operation, model, action, durationMs, rows, sql }, 'slow SQL statement');
    void this.#addPlan(event, kept);
  }

  async #addPlan(event: StatementEvent, kept: SlowQuery): Promise<void> {
    const plan = (await this.options.plans?.planOf(event)) ?? null;
    if (!plan) return;
    kept.plan = plan;
    const { requestId, operation, model, action, durationMs } = kept;
    this.options.logger.warn({ requestId, operation, model, action, durationMs, plan }, 'plan of a slow SQL statement');
  }
}

/** Model names hold no dot. */
function queryKey({ model = '', action }: StatementEvent): string {
  return `${model}.${action}`;
}

/** The registry's own key for what is beyond the limit becomes an action without a model. */
function queryStatistics(key: string): QueryStatistics {
  const dot = key.indexOf('.');
  return new QueryStatistics(key.slice(0, Math.max(dot, 0)) || undefined, key.slice(dot + 1));
}
