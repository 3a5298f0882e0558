import { AccountRepository } from '../accounts/account.repository.ts';
import type { Config } from '../config.ts';
import { DashboardRepository } from '../dashboard/dashboard.repository.ts';
import { DashboardService } from '../dashboard/dashboard.service.ts';
import { RateLimiter } from '../graphql/rate-limiter.ts';
import { StatisticsRepository } from '../statistics/statistics.repository.ts';
import { StatisticsService } from '../statistics/statistics.service.ts';
import { TenantRepository } from '../tenancy/tenant.repository.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { TransactionRepository } from '../transactions/transaction.repository.ts';

/** What lives as long as the process and serves every request. */
export interface Services {
  readonly config: Config;
  readonly database: TenantDatabase;
  readonly tenants: TenantRepository;
  readonly accounts: AccountRepository;
  readonly transactions: TransactionRepository;
  readonly dashboards: DashboardService;
  readonly statistics: StatisticsService;
  readonly rateLimiter: RateLimiter;
}

export function createServices(config: Config, database: TenantDatabase): Services {
  return {
    config,
    database,
    tenants: new TenantRepository(database),
    accounts: new AccountRepository(database),
    transactions: new TransactionRepository(database),
    dashboards: new DashboardService(new DashboardRepository(database)),
    statistics: new StatisticsService(new StatisticsRepository(database)),
    rateLimiter: new RateLimiter(config.limits.pointsPerMinute),
  };
}
