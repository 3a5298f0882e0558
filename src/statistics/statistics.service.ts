import { badUserInput } from '../errors.ts';
import { checkedDay } from '../graphql/input-checks.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import {
  addPeriods,
  type Bucket,
  bucketsBetween,
  DEFAULT_PERIODS,
  StatisticsPeriod,
  startOfPeriod,
} from './calendar.ts';
import { cashFlows, compareText, groupBy } from './cash-flow.ts';
import type { StatisticsParts, StatisticsRange, StatisticsRepository, StatisticsRow } from './statistics.repository.ts';
import type { CategoryCashFlow, Statistics, StatisticsBucket } from './statistics.type.ts';

/** A leap year of days. */
export const MAX_BUCKETS = 366;

export interface StatisticsArguments {
  readonly period: StatisticsPeriod;
  readonly from?: string | null | undefined;
  readonly to?: string | null | undefined;
}

/**
 * The range that the arguments mean.
 * @param today the tenant's calendar day, read only when `to` is absent
 * @throws BAD_USER_INPUT for days that do not exist, a range that ends before it begins, and more than 366 buckets
 */
export async function statisticsRange(
  args: StatisticsArguments,
  today: () => Promise<string>,
): Promise<StatisticsRange & { buckets: Bucket[] }> {
  const { period } = args;
  const to = args.to == null ? await today() : checkedDay('to', args.to);
  const from = args.from == null ? firstDayByDefault(period, to) : checkedDay('from', args.from);
  if (from > to) throw badUserInput('from', `on or before to, ${to}`, from);
  const buckets = bucketsBetween(period, from, to, MAX_BUCKETS);
  if (!buckets)
    throw badUserInput(
      'from',
      `such that at most ${MAX_BUCKETS} ${period} buckets lie between it and to, ${to}; take a longer period`,
      from,
    );
  return { period, from, to, buckets };
}

export class StatisticsService {
  constructor(private readonly repository: StatisticsRepository) {}

  async statistics(
    scope: TenantScope,
    range: StatisticsRange & { buckets: Bucket[] },
    parts: StatisticsParts,
  ): Promise<Statistics> {
    const generatedAt = new Date().toISOString();
    const rows = groupBy(await this.repository.sums(scope, range, parts), ({ part }) => part);
    return {
      period: range.period,
      from: range.from,
      to: range.to,
      generatedAt,
      totals: cashFlows(rows.get('total') ?? []),
      buckets: parts.buckets ? bucketsOf(range.buckets, rows.get('bucket') ?? []) : [],
      byCategory: categoriesOf(rows.get('category') ?? []),
    };
  }
}

/** The current period counts as one: "the last 26 weeks" begin 25 Mondays before this week's. */
function firstDayByDefault(period: StatisticsPeriod, to: string): string {
  return addPeriods(period, startOfPeriod(period, to), 1 - DEFAULT_PERIODS[period]);
}

function bucketsOf(buckets: readonly Bucket[], rows: readonly StatisticsRow[]): StatisticsBucket[] {
  const byPeriod = groupBy(rows, ({ bucket }) => bucket);
  return buckets.map(({ period, start, end }) => ({ start, end, flows: cashFlows(byPeriod.get(period) ?? []) }));
}

function categoriesOf(rows: readonly StatisticsRow[]): CategoryCashFlow[] {
  return [...groupBy(rows, ({ category }) => category || null)]
    .sort(([a], [b]) => Number(a === null) - Number(b === null) || compareText(a ?? '', b ?? ''))
    .map(([category, flows]) => ({ category, flows: cashFlows(flows) }));
}
