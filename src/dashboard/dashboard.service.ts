import { AccountStatus, AccountType } from '../generated/prisma/enums.ts';
import { addDays, daysBetween } from '../statistics/calendar.ts';
import { cashFlows, compareText, groupBy } from '../statistics/cash-flow.ts';
import type { CurrencyAmount } from '../statistics/cash-flow.type.ts';
import { sumOf } from '../statistics/money.ts';
import type { AccountTotalRow } from './dashboard.repository.ts';
import type { FoundSums } from './dashboard.sums.ts';
import type { AccountGroup, Dashboard, DashboardActivity } from './dashboard.type.ts';

const TYPE_ORDER = Object.values(AccountType) as readonly string[];
const STATUS_ORDER = Object.values(AccountStatus) as readonly string[];

/** The dashboard that sums make. */
export function dashboardOf({ date, createdAtMs, value }: FoundSums): Dashboard {
  const accounts = value.accounts ?? [];
  return {
    date,
    generatedAt: new Date(createdAtMs).toISOString(),
    overview: {
      totalAccounts: countOf(accounts),
      activeAccounts: countOf(accounts.filter(({ status }) => status === AccountStatus.ACTIVE)),
      balances: balancesOf(accounts),
    },
    accountsByType: groupsOf(accounts, 'accountType', inOrderOf(TYPE_ORDER)),
    accountsByStatus: groupsOf(accounts, 'status', inOrderOf(STATUS_ORDER)),
    accountsByBank: groupsOf(accounts, 'bankName', compareText),
    dailyFlows: value.flows,
  };
}

/** The activity of the days that end on the dashboard's date. */
export function activityOf({ date, dailyFlows }: Dashboard, days: number): DashboardActivity {
  const first = addDays(date, 1 - days);
  const flows = dailyFlows.filter(({ day }) => day >= first);
  const byDay = groupBy(flows, ({ day }) => day);
  return {
    totals: cashFlows(flows),
    series: daysBetween(first, date).map((day) => ({ date: day, flows: cashFlows(byDay.get(day) ?? []) })),
  };
}

function groupsOf(
  accounts: readonly AccountTotalRow[],
  property: 'accountType' | 'status' | 'bankName',
  compare: (a: string, b: string) => number,
): AccountGroup[] {
  return [...groupBy(accounts, (account): string => account[property])]
    .sort(([a], [b]) => compare(a, b))
    .map(([key, members]) => ({ key, count: countOf(members), balances: balancesOf(members) }));
}

function countOf(accounts: readonly AccountTotalRow[]): number {
  return accounts.reduce((sum, { count }) => sum + count, 0);
}

function balancesOf(accounts: readonly AccountTotalRow[]): CurrencyAmount[] {
  return [...groupBy(accounts, ({ currency }) => currency)]
    .map(([currency, members]) => ({ currency, amount: sumOf(members.map(({ balance }) => balance)) }))
    .sort((a, b) => compareText(a.currency, b.currency));
}

function inOrderOf(order: readonly string[]): (a: string, b: string) => number {
  return (a, b) => order.indexOf(a) - order.indexOf(b);
}
