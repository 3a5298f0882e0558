import { AccountLists } from '../accounts/account.lists.ts';
import { AccountRepository } from '../accounts/account.repository.ts';
import { AuditRepository } from '../audit/audit.repository.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import { Budget } from '../budget/budget.ts';
import type { DataCache } from '../cache/data/data-cache.ts';
import type { FastRedis } from '../cache/redis.ts';
import type { ResponseCache } from '../cache/response-cache.ts';
import type { Config } from '../config.ts';
import { DashboardReader } from '../dashboard/dashboard.reader.ts';
import { DashboardRepository } from '../dashboard/dashboard.repository.ts';
import { IndexUsageRepository } from '../indexes/usage.repository.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import { ResourceMonitor } from '../monitoring/resources.ts';
import { StatisticsRepository } from '../statistics/statistics.repository.ts';
import { StatisticsService } from '../statistics/statistics.service.ts';
import { TenantRepository } from '../tenancy/tenant.repository.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { TenantSizes } from '../tenancy/tenant-sizes.ts';
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
  /** Who did what. */
  readonly audit: AuditLog;
  readonly resources: ResourceMonitor;
  readonly indexUsage: IndexUsageRepository;
  readonly auditLines: AuditRepository;
  readonly tenants: TenantRepository;
  /** For prices. */
  readonly tenantSizes: TenantSizes;
  readonly accounts: AccountRepository;
  readonly accountLists: AccountLists;
  readonly transactions: TransactionRepository;
  readonly dashboards: DashboardReader;
  readonly statistics: StatisticsService;
  /** Complexity points. */
  readonly budget: Budget;
  /** Answers computed anew on request. */
  readonly refreshes: Budget;
}

/** What services are made from. */
export type Foundation = Pick<Services, 'config' | 'database' | 'redis' | 'monitor' | 'cache' | 'data' | 'audit'>;

export function createServices(foundation: Foundation): Services {
  const { config, database, cache, data, redis } = foundation;
  const { searches } = config.limits;
  const accounts = new AccountRepository(database, searches);
  return {
    ...foundation,
    resources: new ResourceMonitor({
      cacheMemoryBytes: () => cache.memoryBytes,
      redisMemoryBytes: async () => (await redis?.memoryBytes().catch(() => undefined)) ?? null,
      databaseConnections: () => database.connections.open,
    }),
    indexUsage: new IndexUsageRepository(database),
    auditLines: new AuditRepository(database, searches),
    tenants: new TenantRepository(database),
    tenantSizes: new TenantSizes(database),
    accounts,
    accountLists: new AccountLists(accounts, data, config.cache.ttlSeconds.accounts),
    transactions: new TransactionRepository(database, searches),
    dashboards: new DashboardReader(new DashboardRepository(database), data, config.cache.ttlSeconds),
    statistics: new StatisticsService(new StatisticsRepository(database), data, config.cache.ttlSeconds.statistics),
    budget: new Budget(
      {
        name: 'points',
        perCaller: config.limits.pointsPerMinute,
        perTenant: config.limits.tenantPointsPerMinute,
        takesOwn: true,
      },
      redis,
    ),
    refreshes: new Budget(
      {
        name: 'refreshes',
        perCaller: config.cache.refreshesPerMinute,
        perTenant: config.cache.tenantRefreshesPerMinute,
        takesOwn: false,
      },
      redis,
    ),
  };
}
