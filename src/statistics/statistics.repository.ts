import { Prisma } from '../generated/prisma/client.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import { StatisticsPeriod } from './calendar.ts';
import type { FlowRow } from './cash-flow.ts';

const { sql, empty } = Prisma;

/** The unit of PostgreSQL's date_trunc; its weeks start on Monday too. */
const UNITS: Readonly<Record<StatisticsPeriod, Prisma.Sql>> = {
  DAILY: sql`'day'`,
  WEEKLY: sql`'week'`,
  MONTHLY: sql`'month'`,
  QUARTERLY: sql`'quarter'`,
  YEARLY: sql`'year'`,
};

export interface StatisticsRange {
  readonly period: StatisticsPeriod;
  readonly from: string;
  readonly to: string;
}

/** Which sums are read. */
export interface StatisticsParts {
  readonly buckets: boolean;
  readonly categories: boolean;
  readonly totals: boolean;
}

/** A sum over one period, over one category (the empty text: none), or over the whole range. */
export interface StatisticsRow extends FlowRow {
  readonly part: 'bucket' | 'category' | 'total';
  readonly bucket: string | null;
  readonly category: string | null;
}

export class StatisticsRepository {
  constructor(private readonly database: TenantDatabase) {}

  /** The wanted sums over the daily totals of a range, in one statement. */
  async sums(
    scope: TenantScope,
    { period, from, to }: StatisticsRange,
    parts: StatisticsParts,
  ): Promise<StatisticsRow[]> {
    const sets = [
      ...(parts.buckets ? [sql`(bucket, currency)`] : []),
      ...(parts.categories ? [sql`(category, currency)`] : []),
      ...(parts.totals ? [sql`(currency)`] : []),
    ];
    if (!sets.length) return [];
    // What no set groups by can neither be selected nor asked for.
    const none = sql`NULL::text`;
    return this.database.select<StatisticsRow>(scope, {
      model: 'Statistics',
      action: 'sums',
      planOnce: true,
      query: sql`SELECT CASE ${parts.buckets ? sql`WHEN grouping(bucket) = 0 THEN 'bucket'` : empty}
            ${parts.categories ? sql`WHEN grouping(category) = 0 THEN 'category'` : empty} WHEN true THEN 'total' END AS part,
          ${parts.buckets ? sql`to_char(bucket, 'YYYY-MM-DD')` : none} AS bucket, ${parts.categories ? sql`category` : none} AS category,
          currency, sum(transaction_count)::integer AS count, sum(inflow)::text AS inflow, sum(outflow)::text AS outflow
        FROM (
          SELECT date_trunc(${UNITS[period]}, day::timestamp) AS bucket, category, currency, transaction_count, inflow, outflow
          FROM daily_totals WHERE tenant_id = ${scope.tenantId}::uuid AND day BETWEEN ${from}::date AND ${to}::date
        ) days
        GROUP BY GROUPING SETS (${Prisma.join(sets)}) HAVING sum(transaction_count) <> 0`,
    });
  }
}
