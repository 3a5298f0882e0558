import { addDays, daysBetween, notBeforeFirst } from '../calendar.ts';
import { AccountStatus, AccountType } from '../generated/prisma/enums.ts';
import { groupBy } from '../group-by.ts';
import { shownCount } from '../limits.ts';
import { cashFlows, compareText, type FlowRow } from '../statistics/cash-flow.ts';
import type { CurrencyAmount } from '../statistics/cash-flow.type.ts';
import { sumOf } from '../statistics/money.ts';
import type { FoundDashboard } from './dashboard.reader.ts';
import type { AccountTotal, DailyFlowText } from './dashboard.repository.ts';
import type { AccountGroup, Dashboard, DashboardActivity } from './dashboard.type.ts';

const TYPE_ORDER = Object.values(AccountType) as readonly string[];
const STATUS_ORDER = Object.values(AccountStatus) as readonly string[];

/** Accounts of one kind. */
interface AccountKind {
  readonly accountType: AccountType;
  readonly status: AccountStatus;
  readonly bankName: string | null;
  readonly currency: string;
  readonly count: number;
  readonly balance: string;
}

type GroupingProperty = 'accountType' | 'status' | 'bankName';
type Comparison = (a: string, b: string) => number;

/**
 * The dashboard that a value makes, without its lists. @param selected the names of its fields that
 * are asked for; the others stay empty
 */
export function dashboardOf({ date, createdAtMs, value }: FoundDashboard, selected: ReadonlySet<string>): Dashboard {
  const kinds = value.accounts.map(kindOf);
  const groups = (field: string, property: GroupingProperty, compare: Comparison) =>
    selected.has(field) ? groupsOf(kinds, property, compare) : [];
  return {
    date,
    generatedAt: new Date(createdAtMs).toISOString(),
    overview: {
      totalAccounts: countOf(kinds),
      activeAccounts: countOf(kinds.filter(({ status }) => status === AccountStatus.ACTIVE)),
      balances: balancesOf(kinds),
    },
    accountsByType: groups('accountsByType', 'accountType', inOrderOf(TYPE_ORDER)),
    accountsByStatus: groups('accountsByStatus', 'status', inOrderOf(STATUS_ORDER)),
    accountsByBank: groups('accountsByBank', 'bankName', compareText),
    dailyFlows: value.flows,
  };
}

/** The activity of the days that end on the dashboard's date. */
export function activityOf({ date, dailyFlows }: Dashboard, days: number): DashboardActivity {
  const byDaysAgo = flowsByDaysAgo(dailyFlows, days);
  const inCalendar = daysBetween(notBeforeFirst(addDays(date, 1 - days)), date);
  const series = inCalendar.map((day, index) => ({
    date: day,
    flows: cashFlows(byDaysAgo[inCalendar.length - 1 - index] ?? []),
  }));
  return { totals: cashFlows(byDaysAgo.flat()), series };
}

function flowsByDaysAgo(text: DailyFlowText, days: number): FlowRow[][] {
  const byDaysAgo: FlowRow[][] = Array.from({ length: days }, () => []);
  for (const flow of text ? text.split(',') : []) {
    const [daysAgo, currency = '', count, inflow = '', outflow = ''] = flow.split(' ');
    byDaysAgo[Number(daysAgo)]?.push({ currency, count: Number(count), inflow, outflow });
  }
  return byDaysAgo;
}

function kindOf([accountType, status, bankName, currency, count, balance]: AccountTotal): AccountKind {
  return { accountType, status, bankName, currency, count, balance };
}

function groupsOf(kinds: readonly AccountKind[], property: GroupingProperty, compare: Comparison): AccountGroup[] {
  return [...groupBy(kinds, (kind): string => kind[property] ?? '')]
    .sort(([a], [b]) => compare(a, b))
    .map(([key, members]) => ({ key, count: countOf(members), balances: balancesOf(members) }));
}

function countOf(kinds: readonly AccountKind[]): number {
  return shownCount(kinds.reduce((sum, { count }) => sum + count, 0));
}

function balancesOf(kinds: readonly AccountKind[]): CurrencyAmount[] {
  return [...groupBy(kinds, ({ currency }) => currency)]
    .map(([currency, members]) => ({ currency, amount: sumOf(members.map(({ balance }) => balance)) }))
    .sort((a, b) => compareText(a.currency, b.currency));
}

function inOrderOf(order: readonly string[]): Comparison {
  return (a, b) => order.indexOf(a) - order.indexOf(b);
}
