import type { Budget } from '../budget/budget.ts';
import type { DataCache } from '../cache/data/data-cache.ts';
import type { TenantCache } from '../cache/data/tenant-cache.ts';
import type { FastRedis } from '../cache/redis/redis.ts';
import type { ResponseCache } from '../cache/response/response-cache.ts';
import type { Config } from '../config/config.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { TenantSizes } from '../tenancy/tenant-sizes.ts';

/**
 * What lives as long as the process and serves every request. Each feature declares its own here,
 * in its `*.services.ts`; `app/services.ts` makes all of them.
 */
export interface Services {
  readonly config: Config;
  readonly monitor: Monitor;
  /** Whole answers. */
  readonly cache: ResponseCache;
  /** What answers are made of. */
  readonly data: DataCache;
  /** Any other data of a tenant. */
  readonly tenantCache: TenantCache;
  readonly database: TenantDatabase;
  readonly redis: FastRedis | undefined;
  /** For prices. */
  readonly tenantSizes: TenantSizes;
  /** Complexity points. */
  readonly budget: Budget;
  /** Answers computed anew on request. */
  readonly refreshes: Budget;
  /** The loaders of one request, keyed within one tenant. */
  readonly createLoaders: (scope: TenantScope) => Loaders;
}

/**
 * Every loader of one request; features declare theirs where they declare their services. Never
 * kept beyond the request: a loader remembers what it read.
 */
// biome-ignore lint/suspicious/noEmptyInterface: features add to it
export interface Loaders {}
