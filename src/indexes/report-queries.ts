import { ALL_ACCOUNT_COLUMNS } from '../accounts/account.repository.ts';
import { addDays, StatisticsPeriod } from '../calendar.ts';
import type { DashboardParts, ListPart } from '../dashboard/dashboard.parts.ts';
import { DashboardRepository } from '../dashboard/dashboard.repository.ts';
import { StatisticsRepository } from '../statistics/statistics.repository.ts';
import { TenantRepository } from '../tenants/tenant.repository.ts';
import { TenantRows } from '../tenants/tenant.rows.ts';
import { ALL_TRANSACTION_COLUMNS } from '../transactions/transaction.repository.ts';
import type { QueryCase } from './query-case.ts';
import type { TenantSample } from './samples.ts';

const TENANT = 'tenants_pkey';
const DAYS = 'daily_totals_pkey';
const ACCOUNTS = 'account_totals_pkey';

const BALANCE = 'bank_accounts_tenant_balance_idx';
const BOOKED = 'transactions_tenant_booked_idx';

const NOTHING: DashboardParts = { accounts: false, banks: false, days: 0, topAccounts: null, recentTransactions: null };
const SUMS: DashboardParts = { ...NOTHING, accounts: true, banks: true, days: 30 };
const LARGEST: ListPart = { limit: 5, columns: [...ALL_ACCOUNT_COLUMNS] };
const NEWEST: ListPart = { limit: 10, columns: [...ALL_TRANSACTION_COLUMNS] };

function dashboard(name: string, date: string | null, parts: DashboardParts, uses: readonly string[]): QueryCase {
  return { name, uses, call: ({ database }, scope) => new DashboardRepository(database).parts(scope, date, parts) };
}

export function reportQueries({ day }: TenantSample): QueryCase[] {
  const statistics = (period: StatisticsPeriod, from: string): QueryCase => ({
    name: `statistics ${period.toLowerCase()} from ${from}`,
    uses: [DAYS],
    call: ({ database }, scope) =>
      new StatisticsRepository(database).sums(scope, [
        { range: { period, from, to: day }, parts: new Set(['bucket', 'category', 'total']) },
      ]),
  });
  return [
    {
      name: 'the tenant',
      uses: [TENANT],
      call: ({ database }, scope) => new TenantRows(database, 1).current(scope),
    },
    {
      name: "the tenant's day",
      uses: [TENANT],
      call: ({ database }, scope) => new TenantRepository(database).day(scope),
    },
    dashboard('dashboard', null, SUMS, [TENANT, ACCOUNTS, DAYS]),
    dashboard('dashboard without its banks', null, { ...SUMS, banks: false }, [TENANT, ACCOUNTS, DAYS]),
    dashboard('dashboard of a day', day, SUMS, [TENANT, ACCOUNTS, DAYS]),
    dashboard('accounts of a dashboard', null, { ...SUMS, banks: false, days: 0 }, [TENANT, ACCOUNTS]),
    dashboard('activity of a dashboard', null, { ...NOTHING, days: 30 }, [TENANT, DAYS]),
    dashboard('largest accounts', null, { ...NOTHING, topAccounts: LARGEST }, [TENANT, BALANCE]),
    dashboard('newest transactions', null, { ...NOTHING, recentTransactions: NEWEST }, [TENANT, BOOKED]),
    statistics(StatisticsPeriod.DAILY, addDays(day, -29)),
    statistics(StatisticsPeriod.WEEKLY, addDays(day, -364)),
    statistics(StatisticsPeriod.YEARLY, addDays(day, -3650)),
  ];
}
