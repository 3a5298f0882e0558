import { StatisticsPeriod } from '../calendar.ts';
import { shownCountOf } from '../database/sql-text.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { MAX_SUMS } from '../graphql/max-sums.ts';
import { groupBy } from '../group-by.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { FlowRow } from './cash-flow.ts';

const { sql, empty, raw } = Prisma;

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

export type StatisticsPart = 'bucket' | 'category' | 'total';

/** A sum over one period, over one category (the empty text: none), or over the whole range. */
export interface StatisticsRow extends FlowRow {
  readonly part: StatisticsPart;
  readonly bucket: string | null;
  readonly category: string | null;
}

/** Some sums of a range, one part at least. */
export interface AskedSums {
  readonly range: StatisticsRange;
  readonly parts: ReadonlySet<string>;
}

/** Sums, and what the statement saw, as PostgreSQL prints it. */
export interface StatisticsSums {
  readonly snapshot: string;
  readonly rows: readonly StatisticsRow[];
}

/** A row of the statement: of which of the sums that were asked for, from 1. */
interface AskedRow extends StatisticsRow {
  readonly asked: number;
}

/** Ahead of the sums. */
interface SnapshotRow {
  readonly asked: number;
  readonly part: 'snapshot';
  /** The snapshot, for want of a column of its own: with one, each row would carry it. */
  readonly currency: string;
}

export class StatisticsRepository {
  constructor(private readonly database: TenantDatabase) {}

  /**
   * The wanted sums over the daily totals of each range, in one statement, which is one snapshot;
   * of a range that has more than `MAX_SUMS`, one more than these.
   */
  async sums(scope: TenantScope, asked: readonly AskedSums[]): Promise<StatisticsSums[]> {
    const none = sql`NULL::text`;
    const selects = asked.map((each, index) => sumsOf(scope, each, index + 1));
    const [first, ...rows] = await this.database.select<AskedRow | SnapshotRow>(scope, {
      model: 'Statistics',
      action: 'sums',
      planOnce: asked.length === 1, // what is asked for together differs from request to request
      query: sql`SELECT 0 AS asked, 'snapshot' AS part, ${none} AS bucket, ${none} AS category,
          pg_current_snapshot()::text AS currency, 0 AS count, ${none} AS inflow, ${none} AS outflow
        UNION ALL ${Prisma.join(selects, ' UNION ALL ')}`,
    });
    const snapshot = first?.currency ?? '';
    const byAsked = groupBy(rows as AskedRow[], (row) => row.asked);
    // What is kept is the same, whatever was asked for together with it.
    return asked.map((_, index) => ({
      snapshot,
      rows: (byAsked.get(index + 1) ?? []).map(({ asked: _, ...row }) => row),
    }));
  }
}

function sumsOf(
  { tenantId }: TenantScope,
  { range: { period, from, to }, parts }: AskedSums,
  number: number,
): Prisma.Sql {
  const [buckets, categories] = [parts.has('bucket'), parts.has('category')];
  const sets = [
    ...(buckets ? [sql`(bucket, currency)`] : []),
    ...(categories ? [sql`(category, currency)`] : []),
    ...(parts.has('total') ? [sql`(currency)`] : []),
  ];
  // What no set groups by can neither be selected nor asked for.
  const none = sql`NULL::text`;
  return sql`(SELECT ${raw(String(number))} AS asked, CASE ${buckets ? sql`WHEN grouping(bucket) = 0 THEN 'bucket'` : empty}
        ${categories ? sql`WHEN grouping(category) = 0 THEN 'category'` : empty} WHEN true THEN 'total' END,
      ${buckets ? sql`to_char(bucket, 'YYYY-MM-DD')` : none}, ${categories ? sql`category` : none}, currency, ${shownCountOf(sql`sum(transaction_count)`)}, sum(inflow)::text, sum(outflow)::text
    FROM (
      SELECT date_trunc(${UNITS[period]}, day::timestamp) AS bucket, category, currency, transaction_count, inflow, outflow
      FROM daily_totals WHERE tenant_id = ${tenantId}::uuid AND day BETWEEN ${from}::date AND ${to}::date
    ) days
    GROUP BY GROUPING SETS (${Prisma.join(sets)}) HAVING sum(transaction_count) <> 0 ${raw(`LIMIT ${MAX_SUMS + 1}`)})`;
}
