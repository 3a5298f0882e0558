import type { Logger } from 'pino';
import { AccountLists } from '../accounts/account.lists.ts';
import { createAccountLoaders } from '../accounts/account.loaders.ts';
import { AccountRepository } from '../accounts/account.repository.ts';
import { AccountRows } from '../accounts/account.rows.ts';
import { AuditRepository } from '../audit/audit.repository.ts';
import { Budget } from '../budget/budget.ts';
import { keptReads } from '../cache/data/kept-reads.ts';
import { dataLayout } from '../cache/data/layout.ts';
import { type CacheOperation, TenantCache } from '../cache/data/tenant-cache.ts';
import { closeAll } from '../close-all.ts';
import { loadersOnDemand } from '../context/loaders-on-demand.ts';
import type { Services } from '../context/services.ts';
import { AskedDashboards } from '../dashboard/asked-dashboards.ts';
import { createDashboardLoaders } from '../dashboard/dashboard.loaders.ts';
import { DashboardReader } from '../dashboard/dashboard.reader.ts';
import { DashboardRepository } from '../dashboard/dashboard.repository.ts';
import { Deployment } from '../deployment/deployment.ts';
import { OwnProcess } from '../deployment/own-process.ts';
import { IndexUsageRepository } from '../indexes/usage.repository.ts';
import { createModelLoaders } from '../models/model.loaders.ts';
import { ModelRepository } from '../models/model.repository.ts';
import { type Examine, Findings } from '../performance/findings.ts';
import { ResourceMonitor } from '../performance/resources.ts';
import { createStatisticsLoaders } from '../statistics/statistics.loaders.ts';
import { StatisticsRepository } from '../statistics/statistics.repository.ts';
import { StatisticsService } from '../statistics/statistics.service.ts';
import { TenantSizes } from '../tenancy/tenant-sizes.ts';
import { createTenantLoaders } from '../tenants/tenant.loaders.ts';
import { TenantRepository } from '../tenants/tenant.repository.ts';
import { TenantRows } from '../tenants/tenant.rows.ts';
import { createTransactionLoaders } from '../transactions/transaction.loaders.ts';
import { TransactionRepository } from '../transactions/transaction.repository.ts';
import { createCaches } from './create-cache.ts';
import type { Runtime } from './runtime.ts';

/** What services are made from. */
export interface Foundation extends Omit<Runtime, 'close'>, Pick<Services, 'audit'> {
  /** As of `CacheableOperations`: what is kept is for deployments with the same one. */
  readonly schemaHash: string;
  /** What is wrong now. Absent: nobody looks. */
  readonly examine?: Examine | undefined;
}

export function createServices(foundation: Foundation): Services {
  const { config, logger, monitor, database, redis, changeFeed, audit, schemaHash, examine } = foundation;
  const layout = dataLayout(schemaHash, database.schema);
  const { cache, data } = createCaches({ config, monitor, changeFeed, redis, layout });
  database.keepReadsIn(keptReads(data));
  const { searches } = config.limits;
  const statistics = new StatisticsRepository(database);
  const accounts = new AccountRepository(database, searches);
  const accountRows = new AccountRows(database, config.cache.ttlSeconds.accounts);
  const tenantRows = new TenantRows(database, config.cache.ttlSeconds.other);
  const tenantCache = new TenantCache(data, cache, cacheLog(logger));
  const resources = new ResourceMonitor({
    cacheMemoryBytes: () => cache.memoryBytes,
    redisMemoryBytes: async () => (await redis?.memoryBytes().catch(() => undefined)) ?? null,
    databaseConnections: () => database.connections.open,
  });
  const services: Services = {
    ...{ config, monitor, cache, data, tenantCache, database, redis, audit },
    resources,
    deployment: new Deployment(ownProcess(foundation, resources), monitor, database, logger),
    findings: new Findings(examine),
    indexUsage: new IndexUsageRepository(database),
    auditLines: new AuditRepository(database, searches),
    tenants: new TenantRepository(database),
    tenantSizes: new TenantSizes(database),
    accounts,
    accountLists: new AccountLists(accounts, data, config.cache.ttlSeconds.accounts),
    transactions: new TransactionRepository(database, searches),
    dashboards: new DashboardReader(new DashboardRepository(database), data, tenantCache, config.cache.ttlSeconds),
    askedDashboards: new AskedDashboards(config.warmUp.tenants),
    models: new ModelRepository(database, searches),
    statistics: new StatisticsService(data, config.cache.ttlSeconds.statistics),
    budget: new Budget(
      {
        name: 'points',
        perCaller: config.limits.pointsPerMinute,
        anonymous: config.limits.anonymousPointsPerMinute,
        perTenant: config.limits.tenantPointsPerMinute,
        takesOwn: true,
      },
      redis,
    ),
    refreshes: new Budget(
      {
        name: 'refreshes',
        perCaller: config.cache.refreshesPerMinute,
        anonymous: 0,
        perTenant: config.cache.tenantRefreshesPerMinute,
        takesOwn: false,
      },
      redis,
    ),
    createLoaders: loadersOnDemand({
      tenants: (scope) => createTenantLoaders(scope, tenantRows, services.tenants),
      accounts: (scope) => createAccountLoaders(scope, accounts, accountRows),
      transactions: (scope) => createTransactionLoaders(scope, services.transactions),
      dashboards: (scope) => createDashboardLoaders(scope, services.dashboards),
      models: (scope) => createModelLoaders(scope, services.models),
      statistics: (scope) => createStatisticsLoaders(scope, statistics),
    }),
  };
  return services;
}

function ownProcess({ config, database, changeFeed }: Foundation, resources: ResourceMonitor): OwnProcess {
  const { state, trust } = changeFeed;
  return new OwnProcess(() => {
    const { rssBytes, cpuPercent, eventLoopDelayMs, databaseConnections } = resources.ofProcess();
    return {
      cacheTrusted: config.cache.enabled ? trust.isValid : null,
      isRelay: state.role === 'relay',
      outboxLagMs: state.role === 'relay' || state.role === 'alone' ? state.lagMs : null,
      memoryBytes: rssBytes,
      cpu: cpuPercent / 100,
      eventLoopP99Ms: eventLoopDelayMs,
      databaseConnections,
      databaseQueueLength: database.queue.length,
      requestQueueLength: database.admission.length,
    };
  });
}

/** Ends what they do by themselves; what they were made from is closed by who opened it. */
export function closeServices({ resources, budget, refreshes }: Services): Promise<void> {
  return closeAll(
    () => resources.close(),
    () => budget.close(),
    () => refreshes.close(),
  );
}

/** A line for each operation; undefined where nobody reads it. */
function cacheLog(logger: Logger): ((operation: CacheOperation) => void) | undefined {
  if (!logger.isLevelEnabled('debug')) return undefined;
  return (operation) => logger.debug(operation, 'cache operation');
}
