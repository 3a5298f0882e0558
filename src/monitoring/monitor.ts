import type { StatementEvent } from '../tenancy/tenant-pool.ts';
import { BoundedRegistry } from './bounded-registry.ts';
import { currentRequestTiming, type RequestTiming } from './request-timing.ts';
import { SlowQueries } from './slow-queries.ts';
import {
  CacheStatistics,
  type CacheTier,
  OperationStatistics,
  QueryStatistics,
  ResolverStatistics,
} from './statistics.ts';
import { TenantOperations } from './tenant-operations.ts';
import { endOperationSpan, traceStatement } from './tracing.ts';

/** Clients name their operations as they like. */
const MAX_OPERATIONS = 200;
/** More than the schema has resolvers that are timed, and more than the code has statements and namespaces. */
const MAX_RESOLVERS = 500;
const MAX_QUERIES = 200;
const MAX_CACHE_NAMESPACES = 50;
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
}

export interface OperationEvent {
  /** The operation's name, or one of `UNNAMED`, `INVALID`. */
  readonly name: string;
  /** Null for callers without a tenant. */
  readonly tenantId: string | null;
  readonly durationMs: number;
  /** Errors in the answer. */
  readonly errors: number;
  readonly cacheHit: boolean;
}

export interface ResolverEvent {
  /** `Type.field`. */
  readonly coordinate: string;
  readonly durationMs: number;
  readonly failed: boolean;
}

/**
 * `get` and `set` are accesses to a store, with their durations; `hit` and `miss` the outcome of a whole lookup, one
 * for each; `error` a store that did not do as asked.
 */
export interface CacheEvent {
  readonly namespace: string;
  readonly kind: 'get' | 'set' | 'hit' | 'miss' | 'invalidation' | 'error';
  /** Of `get` and `set`. */
  readonly durationMs?: number;
  /** Of `hit`: where the answer was found; `memory` when absent. */
  readonly tier?: CacheTier;
}

/** Name for operations without one. No GraphQL name can be spelled like these. */
export const UNNAMED = '(anonymous)';
/** Name for requests that hold no operation of the schema. */
export const INVALID = '(invalid)';

/**
 * Collects how long things take in this process, from its start on. Every method is cheap enough for every request
 * (about 0.1 us), memory is bounded, and nothing throws. Tenants are told apart for `operationsOf` only.
 */
export class Monitor {
  readonly since = new Date();
  readonly operations = new BoundedRegistry(MAX_OPERATIONS, () => new OperationStatistics());
  readonly resolvers = new BoundedRegistry(MAX_RESOLVERS, () => new ResolverStatistics());
  readonly queries = new BoundedRegistry(MAX_QUERIES, queryStatistics);
  readonly caches = new BoundedRegistry(MAX_CACHE_NAMESPACES, () => new CacheStatistics());
  readonly slowQueries = new SlowQueries(MAX_SLOW_QUERIES);
  readonly #tenants = new TenantOperations();

  constructor(private readonly options: MonitorOptions) {}

  /** Called within the request's context, it also ends the request's span and tells its statements in the log. */
  recordOperation(event: OperationEvent): void {
    const { name, tenantId, durationMs, errors, cacheHit } = event;
    this.operations.entry(name).record(durationMs, errors, cacheHit);
    if (tenantId) this.#tenants.entry(tenantId, name).record(durationMs, errors, cacheHit);
    const timing = currentRequestTiming();
    if (durationMs >= this.options.slowOperationMs) this.#logSlow(event, timing);
    if (timing?.span) endOperationSpan(timing.span, event);
  }

  recordResolver({ coordinate, durationMs, failed }: ResolverEvent): void {
    this.resolvers.entry(coordinate).record(durationMs, failed);
  }

  /** Give it to `TenantDatabase` as `onStatement`: called within the request's context, it counts for the request too. */
  readonly recordStatement = (event: StatementEvent): void => {
    const timing = currentRequestTiming();
    timing?.addStatement(event);
    this.queries.entry(queryKey(event)).record(event.durationMs, event.rows, event.failed);
    if (event.durationMs >= this.options.slowQueryMs) this.#keepSlow(event, timing);
    if (timing?.span) traceStatement(timing.span, event);
  };

  recordCache({ namespace, kind, durationMs = 0, tier = 'memory' }: CacheEvent): void {
    const cache = this.caches.entry(namespace);
    if (kind === 'get' || kind === 'set') cache[kind].record(durationMs);
    else if (kind === 'hit') cache.hits[tier]++;
    else if (kind === 'miss') cache.misses++;
    else if (kind === 'invalidation') cache.invalidations++;
    else cache.errors++;
  }

  /** The operations of one tenant, by name. */
  operationsOf(tenantId: string): [string, OperationStatistics][] {
    return this.#tenants.of(tenantId);
  }

  #logSlow({ name, tenantId, durationMs, errors, cacheHit }: OperationEvent, timing?: RequestTiming): void {
    const { statements, databaseMs, rows } = timing ?? {};
    const details = { operation: name, tenantId, durationMs, errors, cacheHit, statements, databaseMs, rows };
    this.options.logger.warn(details, 'slow operation');
  }

  #keepSlow({ sql, action, durationMs, rows, ...event }: StatementEvent, timing?: RequestTiming): void {
    const model = event.model ?? null;
    const operation = timing?.operation ?? null;
    this.slowQueries.add({ sql, durationMs, rows, model, action, operation, plan: null, at: new Date() });
    this.options.logger.warn({ sql, durationMs, rows, model, action, operation }, 'slow SQL statement');
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
