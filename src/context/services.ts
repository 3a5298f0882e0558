import { AccountRepository } from '../accounts/account.repository.ts';
import type { DataCache } from '../cache/data/data-cache.ts';
import type { FastRedis } from '../cache/redis.ts';
import type { ResponseCache } from '../cache/response-cache.ts';
import type { Config } from '../config.ts';
import { DashboardRepository } from '../dashboard/dashboard.repository.ts';
import { DashboardService } from '../dashboard/dashboard.service.ts';
import { RateLimiter } from '../graphql/rate-limiter.ts';
import { IndexUsageRepository } from '../indexes/usage.repository.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import { ResourceMonitor } from '../monitoring/resources.ts';
import { StatisticsRepository } from '../statistics/statistics.repository.ts';
import { StatisticsService } from '../statistics/statistics.service.ts';
import { TenantRepository } from '../tenancy/tenant.repository.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { TransactionRepository } from '../transactions/transaction.repository.ts';

/** What lives as long as the process and serves every request. */
export interface Services {
  readonly config: Config;
  readonly monitor: Monitor;
  /** Whole answers. */
  readonly cache: ResponseCache;
  /** What answers are made of. */
  readonly data: DataCache;
  readonly database: TenantDatabase;
  readonly redis: FastRedis | undefined;
  readonly resources: ResourceMonitor;
  readonly indexUsage: IndexUsageRepository;
  readonly tenants: TenantRepository;
  readonly accounts: AccountRepository;
  readonly transactions: TransactionRepository;
  readonly dashboards: DashboardService;
  readonly statistics: StatisticsService;
  /** Complexity points. */
  readonly rateLimiter: RateLimiter;
  /** Answers computed anew on request. */
  readonly refreshLimiter: RateLimiter;
}

/** What services are made from. */
export type Foundation = Pick<Services, 'config' | 'database' | 'redis' | 'monitor' | 'cache' | 'data'>;

export function createServices(foundation: Foundation): Services {
  const { config, database, cache, redis } = foundation;
  return {
    ...foundation,
    resources: new ResourceMonitor({
      cacheMemoryBytes: () => cache.memoryBytes,
      redisMemoryBytes: async () => (await redis?.memoryBytes().catch(() => undefined)) ?? null,
      databaseConnections: () => database.connections.open,
    }),
    indexUsage: new IndexUsageRepository(database),
    tenants: new TenantRepository(database),
    accounts: new AccountRepository(database),
    transactions: new TransactionRepository(database),
    dashboards: new DashboardService(new DashboardRepository(database)),
    statistics: new StatisticsService(new StatisticsRepository(database)),
    rateLimiter: new RateLimiter(config.limits.pointsPerMinute),
    refreshLimiter: new RateLimiter(config.cache.refreshesPerMinute),
  };
}
