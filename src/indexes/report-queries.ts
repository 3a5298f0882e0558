import { DashboardRepository } from '../dashboard/dashboard.repository.ts';
import { addDays, StatisticsPeriod } from '../statistics/calendar.ts';
import { StatisticsRepository } from '../statistics/statistics.repository.ts';
import { TenantRepository } from '../tenancy/tenant.repository.ts';
import type { QueryCase } from './query-case.ts';
import type { TenantSample } from './samples.ts';

const TENANT = 'tenants_pkey';
const DAYS = 'daily_totals_pkey';
const ACCOUNTS = 'account_totals_pkey';

export function reportQueries({ day }: TenantSample): QueryCase[] {
  const statistics = (period: StatisticsPeriod, from: string): QueryCase => ({
    name: `statistics ${period.toLowerCase()} from ${from}`,
    uses: [DAYS],
    call: ({ database }, scope) =>
      new StatisticsRepository(database).sums(
        scope,
        { period, from, to: day },
        { buckets: true, categories: true, totals: true },
      ),
  });
  return [
    {
      name: 'the tenant',
      uses: [TENANT],
      call: ({ database }, scope) => new TenantRepository(database).current(scope),
    },
    {
      name: 'dashboard',
      uses: [TENANT, ACCOUNTS, DAYS],
      call: ({ database }, scope) => new DashboardRepository(database).sums(scope, null, { accounts: true, days: 30 }),
    },
    {
      name: 'dashboard of a day',
      uses: [TENANT, ACCOUNTS, DAYS],
      call: ({ database }, scope) => new DashboardRepository(database).sums(scope, day, { accounts: true, days: 30 }),
    },
    statistics(StatisticsPeriod.DAILY, addDays(day, -29)),
    statistics(StatisticsPeriod.WEEKLY, addDays(day, -364)),
    statistics(StatisticsPeriod.YEARLY, addDays(day, -3650)),
  ];
}
