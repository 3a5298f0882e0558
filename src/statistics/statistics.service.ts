import type { GraphQLError } from 'graphql';
import type { Found } from '../cache/data/data.ts';
import type { DataCache } from '../cache/data/data-cache.ts';
import { momentOf } from '../cache/data/moment.ts';
import { withNames } from '../cache/data/parts.ts';
import { statisticsPart } from '../cache/dependencies/dependencies.ts';
import {
  addPeriods,
  type Bucket,
  bucketsBetween,
  DEFAULT_PERIODS,
  notBeforeFirst,
  StatisticsPeriod,
  startOfPeriod,
} from '../calendar.ts';
import { badUserInput } from '../errors.ts';
import { checkedDay } from '../graphql/input-checks.ts';
import { MAX_SUMS, tooManySums } from '../graphql/max-sums.ts';
import { groupBy } from '../group-by.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import { cashFlows, compareText } from './cash-flow.ts';
import type { LoadSums } from './statistics.loaders.ts';
import type { StatisticsPart, StatisticsRange, StatisticsRow } from './statistics.repository.ts';
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
 * @throws BAD_USER_INPUT for days that do not exist, a range that ends before it begins, and more
 *   than 366 buckets
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

export interface StatisticsRead {
  /** For sums that are not kept. */
  readonly loadSums: LoadSums;
  /** How old they may be when a write has made them old. */
  readonly maxStalenessMs: number;
  /** Told how many were read for this reader. */
  readonly onRead: (sums: number) => void;
}

export interface FoundStatistics {
  readonly statistics: Statistics;
  readonly isOld: boolean;
}

/** The sums of a range, as far as they were read. */
type KeptSums = Partial<Record<StatisticsPart, readonly StatisticsRow[]>>;

/**
 * Statistics, kept under `statistics:{period}:{from}:{to}` for operations that select different
 * parts of them.
 */
export class StatisticsService {
  constructor(
    private readonly data: DataCache,
    private readonly ttlSeconds: number,
  ) {}

  /** @throws QUERY_TOO_COMPLEX for more than `MAX_SUMS` */
  async statistics(
    scope: TenantScope,
    range: StatisticsRange & { buckets: Bucket[] },
    parts: readonly StatisticsPart[],
    how: StatisticsRead,
  ): Promise<FoundStatistics> {
    const { period, from, to } = range;
    const { value, createdAtMs, isOld } = await this.#sums(scope, range, parts, how);
    const statistics = {
      period,
      from,
      to,
      generatedAt: new Date(createdAtMs).toISOString(),
      totals: cashFlows(value.total ?? []),
      buckets: parts.includes('bucket') ? bucketsOf(range.buckets, value.bucket ?? []) : [],
      byCategory: categoriesOf(value.category ?? []),
    };
    return { statistics, isOld };
  }

  async #sums(
    scope: TenantScope,
    range: StatisticsRange,
    parts: readonly StatisticsPart[],
    { loadSums, maxStalenessMs, onRead }: StatisticsRead,
  ): Promise<Found<KeptSums>> {
    if (parts.length === 0) return { value: {}, createdAtMs: Date.now(), isOld: false };
    const kept = {
      key: ['statistics', range.period.toLowerCase(), range.from, range.to],
      tables: ['daily_totals'],
      dependencies: ['statistics', statisticsPart(range.period), 'tenant'],
      ttlSeconds: this.ttlSeconds,
    } as const;
    const load = async (parts: ReadonlySet<string>) => {
      const { snapshot, rows } = await loadSums({ range, parts });
      onRead(rows.length);
      if (rows.length > MAX_SUMS) throw tooMany();
      const sums: KeptSums = Object.fromEntries(groupBy(rows, ({ part }) => part));
      return { moment: momentOf(snapshot), sums };
    };
    const { value, ...found } = await this.data.read(scope, {
      ...withNames(kept, parts, load),
      ageing: { maxStalenessMs, momentOf: ({ value }) => value.moment },
    });
    return { ...found, value: value.value.sums };
  }
}

/** The current period counts as one: "the last 26 weeks" begin 25 Mondays before this week's. */
function firstDayByDefault(period: StatisticsPeriod, to: string): string {
  return notBeforeFirst(addPeriods(period, startOfPeriod(period, to), 1 - DEFAULT_PERIODS[period]));
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

function tooMany(): GraphQLError {
  return tooManySums(
    'These statistics have',
    'bucket, category and currency',
    'Take a shorter range or a longer period, or leave out byCategory',
  );
}
