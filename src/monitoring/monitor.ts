import type { StatementEvent } from '../tenancy/statement-event.ts';
import { NO_TENANT } from '../tenancy/tenant-scope.ts';
import { type BypassReason, type CacheEvent, CONSISTENCY_RESULTS, type ConsistencyResult } from './cache-statistics.ts';
import { Figures, queryKey } from './figures.ts';
import type { OperationEvent, RequestOutcome, ResolverEvent } from './monitor-events.ts';
import { RecentLatencies } from './recent-latencies.ts';
import { inTenths, RequestTiming } from './request-timing.ts';
import type { SlowPlans } from './slow-plans.ts';
import type { SlowQuery } from './slow-queries.ts';
import { traceStatement } from './statement-span.ts';
import type { OperationStatistics } from './statistics.ts';
import { TenantOperations } from './tenant-operations.ts';
import { UsageCounts } from './usage-counts.ts';

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
export class Monitor extends Figures {
  /** Hits that were computed once more. */
  readonly consistency = new Map<ConsistencyResult, number>(CONSISTENCY_RESULTS.map((result) => [result, 0]));
  /** Answers without errors, by HTTP status. */
  readonly answers = { 200: 0, 304: 0 };
  /** Requests by what became of them; each is counted once, when its answer is sent. */
  readonly outcomes: Record<RequestOutcome, number> = { hit: 0, miss: 0, bypass: 0, refused: 0 };
  /** What each tenant costs. */
  readonly usage = new UsageCounts();
  /** Times of answers, for whoever takes them by the minute. */
  readonly lately = new RecentLatencies();
  readonly #tenants = new TenantOperations();

  constructor(private readonly options: MonitorOptions) {
    super();
  }

  /** @param timing the request's, of which the log tells the statements */
  recordOperation(event: OperationEvent, timing?: RequestTiming): void {
    if (timing?.isOwn) return;
    const { tenantId, durationMs, errors, cacheHit, points = 0 } = event;
    if (tenantId) this.usage.request(tenantId, cacheHit, points);
    if (tenantId) this.lately.record(durationMs, cacheHit);
    const own = tenantId ? this.#tenants.entry(tenantId, event.name) : undefined;
    own?.record(durationMs, errors, cacheHit, timing);
    // By the name that its tenant's share of names allows, so that no tenant uses up the names of
    // all.
    const operation = this.operations.entry(own?.name ?? event.name);
    operation.record(durationMs, errors, cacheHit, timing);
    if (timing?.sent) operation.addQueries(timing.sent);
    if (durationMs >= this.options.slowOperationMs) this.#logSlow(event, timing);
  }

  recordResolver({ coordinate, durationMs, failed }: ResolverEvent): void {
    this.resolvers.entry(coordinate).record(durationMs, failed);
  }

  /**
   * Give it to `TenantDatabase` as `onStatement`. What was sent for a request counts for that too.
   */
  readonly recordStatement = (event: StatementEvent): void => {
    const timing = event.request instanceof RequestTiming ? event.request : undefined;
    const key = timing?.isOwn ? `${queryKey(event)} (own)` : queryKey(event);
    timing?.addStatement(event, key);
    if (event.tenantId && event.tenantId !== NO_TENANT.tenantId && !timing?.isOwn)
      this.usage.statement(event.tenantId, event.durationMs, event.rows);
    this.queries.entry(key).record(event.durationMs, event.rows, event.failed);
    const isSlow = event.durationMs >= this.options.slowQueryMs;
    if (isSlow) this.#keepSlow(event, timing);
    if (timing?.trace) traceStatement(timing.trace, event, isSlow);
  };

  recordCache(event: CacheEvent): void {
    this.caches.entry(event.namespace).record(event);
    const { kind, tenantId, bytes = 0 } = event;
    if (kind === 'fill' && tenantId) this.usage.kept(tenantId, bytes);
  }

  recordConsistency(result: ConsistencyResult): void {
    this.consistency.set(result, (this.consistency.get(result) ?? 0) + 1);
  }

  /**
   * An answer is sent.
   * @param outcome null: of an operator, whose own requests count for no tenant's figures
   * @param status absent: it has errors, and is told to `recordError`
   */
  recordAnswer(outcome: RequestOutcome | null, status?: 200 | 304): void {
    if (outcome) this.outcomes[outcome]++;
    if (status) this.answers[status]++;
  }

  recordBypass(reason: BypassReason): void {
    this.bypasses.set(reason, (this.bypasses.get(reason) ?? 0) + 1);
  }

  /**
   * An answer with errors.
   * @param code of the first one: one of a closed set
   * @param tenantId absent: of nobody's
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
    const { statements, rows } = timing ?? {};
    const sent = timing && { statements, databaseMs: inTenths(timing.databaseMs), rows };
    const took = { durationMs: inTenths(durationMs), errors, cacheHit };
    const details = { ...timing?.ids, operation: name, tenantId, ...took, ...sent };
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
      advice: null,
      at: new Date(),
    });
    const { sql, operation, model } = kept;
    const details = { ...timing?.ids, operation, model, action, durationMs: inTenths(durationMs), rows, sql };
    this.options.logger.warn(details, 'slow SQL statement');
    void this.#addPlan(event, kept, timing);
  }

  async #addPlan(event: StatementEvent, kept: SlowQuery, timing?: RequestTiming): Promise<void> {
    const plan = (await this.options.plans?.planOf(event)) ?? null;
    if (!plan) return;
    kept.plan = plan.text;
    kept.advice = plan.advice;
    this.plans.set(kept.sql, plan);
    const { operation, model, action, durationMs } = kept;
    const took = { durationMs: inTenths(durationMs), plan: plan.text, advice: plan.advice };
    const details = { ...timing?.ids, operation, model, action, ...took };
    this.options.logger.warn(details, 'plan of a slow SQL statement');
  }
}
