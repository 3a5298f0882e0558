import { LRUCache } from 'lru-cache';
import { BoundedRegistry } from './bounded-registry.ts';
import { BYPASS_REASONS, type BypassReason, CacheStatistics } from './cache-statistics.ts';
import type { SlowPlan } from './slow-plans.ts';
import { SlowQueries } from './slow-queries.ts';
import { OperationStatistics, QueryStatistics, ResolverStatistics } from './statistics.ts';

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
/** Of 11 KB each at most. */
const MAX_PLANS = 200;

/** What is counted, of one process or of several together: no tenants, and bounded memory. */
export class Figures {
  /** When the first of the processes began to count. */
  since = new Date();
  readonly operations = new BoundedRegistry(MAX_OPERATIONS, (name) => new OperationStatistics(name));
  readonly resolvers = new BoundedRegistry(MAX_RESOLVERS, () => new ResolverStatistics());
  readonly queries = new BoundedRegistry(MAX_QUERIES, queryStatistics);
  readonly caches = new BoundedRegistry(MAX_CACHE_NAMESPACES, () => new CacheStatistics());
  /** Requests that were not looked up in the cache. */
  readonly bypasses = new Map<BypassReason, number>(BYPASS_REASONS.map((reason) => [reason, 0]));
  /** Answers with errors, by `<HTTP status> <code>`. */
  readonly errors = new BoundedRegistry(MAX_ERRORS, () => ({ count: 0 }));
  readonly slowQueries = new SlowQueries(MAX_SLOW_QUERIES);
  /** The last plan of a slow statement, by its text as `SlowQuery.sql` has it. */
  readonly plans = new LRUCache<string, SlowPlan>({ max: MAX_PLANS });
}

/** Model names hold no dot. */
export function queryKey({
  model = '',
  action,
}: {
  readonly model?: string | undefined;
  readonly action: string;
}): string {
  return `${model}.${action}`;
}

/** The registry's own key for what is beyond the limit becomes an action without a model. */
export function queryOfKey(key: string): { readonly model: string | undefined; readonly action: string } {
  const dot = key.indexOf('.');
  return { model: key.slice(0, Math.max(dot, 0)) || undefined, action: key.slice(dot + 1) };
}

function queryStatistics(key: string): QueryStatistics {
  const { model, action } = queryOfKey(key);
  return new QueryStatistics(model, action);
}
