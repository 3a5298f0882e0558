import type { SearchLimits } from '../config/search-limits.ts';
import { shownCountOf } from '../database/sql-text.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { shownCount } from '../limits.ts';
import { type Count, countWithin } from '../paging/bounded-count.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { KeptCount } from './transaction.filter.ts';

const { sql, empty, raw } = Prisma;

/**
 * No clock was ever set by more than a day, nor twice within these: how it ran for so long before
 * or after an instant is told by what it shows at either end.
 */
const DAYS = sql`interval '72 hours'`;
/** Instants of transactions are kept to it. */
const TICK = sql`interval '1 millisecond'`;

/** What the statement of `countFromTotals` answers. */
export interface CountedParts {
  /** On whole days, by the totals kept ready. */
  readonly kept: number;
  /** Of the other days, row by row and no further than to the limit. */
  readonly counted: number;
}

/**
 * How many transactions there are in a range: on its whole days by the totals kept ready, those of
 * the days at its ends row by row. A day's transactions need not lie between two instants, as where
 * a date line was moved: whole are the days that no instant outside of the range can have.
 * @param where what the transactions satisfy, the range included
 */
export function countFromTotals(
  { tenantId }: TenantScope,
  { category, booked: { from, to } }: KeptCount,
  where: Prisma.Sql,
  { rows }: SearchLimits,
): Prisma.Sql {
  const day = sql`(booked_at AT TIME ZONE time_zone)::date`;
  const edges = [
    ...(from === null ? [] : [sql`booked_at < before_whole AND ${day} < first_whole`]),
    ...(to === null ? [] : [sql`booked_at >= after_whole AND ${day} >= first_after`]),
  ].map((edge) => sql`SELECT FROM transactions WHERE ${where} AND ${edge}`);
  const counted = edges.length
    ? sql`(SELECT count(*)::integer FROM (${Prisma.join(edges, ' UNION ALL ')} ${raw(`LIMIT ${rows + 1}`)}) edges)`
    : sql`0`;
  const days = sql`WHERE tenant_id = ${tenantId}::uuid ${category === null ? empty : sql`AND category = ${category}`}
        ${from === null ? empty : sql`AND day >= first_whole`} ${to === null ? empty : sql`AND day < first_after`}`;
  // Folded transactions are in the totals, and in no list.
  return sql`SELECT ${shownCountOf(sql`((SELECT coalesce(sum(transaction_count), 0) FROM daily_totals ${days})
        - (SELECT coalesce(sum(transaction_count), 0) FROM folded_totals ${days}))`)} AS kept,
      ${counted} AS counted
    FROM (SELECT time_zone FROM tenants WHERE id = ${tenantId}::uuid) tenant
      ${from === null ? empty : firstWhole(from)} ${to === null ? empty : firstAfter(to, from !== null)}`;
}

/** Whether a range begins or ends within a day, whose transactions are counted row by row. */
export function cutsDays({ booked: { from, to } }: KeptCount): boolean {
  return from !== null || to !== null;
}

/** Both parts together. */
export function countOfParts({ kept, counted }: CountedParts, limits: SearchLimits): Count {
  const { count, isExact } = countWithin(counted, limits);
  return { count: shownCount(kept + count), isExact };
}

/**
 * `first_whole`: the first day that no instant before the range has; `before_whole`: what is booked
 * then or later has that day or a later one.
 */
function firstWhole(from: string): Prisma.Sql {
  return sql`CROSS JOIN LATERAL ${clocks(sql`${from}::timestamptz`)} clocks_from
      CROSS JOIN LATERAL (SELECT (clocks_from.latest + interval '1 day' - ${TICK})::date AS first_whole OFFSET 0) first_day
      CROSS JOIN LATERAL (SELECT ${from}::timestamptz + (first_whole - clocks_from.earliest) AS before_whole OFFSET 0) first_instant`;
}

/**
 * `first_after`: the day of some instant after the range, or later where the range has no whole
 * day; `after_whole`: what is booked earlier has an earlier day.
 */
function firstAfter(to: string, hasFirst: boolean): Prisma.Sql {
  const day = sql`(clocks_to.earliest + ${TICK})::date`;
  return sql`CROSS JOIN LATERAL ${clocks(sql`${to}::timestamptz`)} clocks_to
      CROSS JOIN LATERAL (SELECT ${hasFirst ? sql`greatest(${day}, first_whole)` : day} AS first_after OFFSET 0) last_day
      CROSS JOIN LATERAL (SELECT ${to}::timestamptz - (clocks_to.latest - first_after) AS after_whole OFFSET 0) last_instant`;
}

/**
 * The latest local time that the tenant's clocks may have shown until an instant, and the earliest
 * that they show from then on: where they are set back about it, these are two.
 */
function clocks(at: Prisma.Sql): Prisma.Sql {
  const shown = sql`${at} AT TIME ZONE time_zone`;
  const before = sql`(${at} - ${DAYS}) AT TIME ZONE time_zone + ${DAYS}`;
  const after = sql`(${at} + ${DAYS}) AT TIME ZONE time_zone - ${DAYS}`;
  return sql`(SELECT greatest(${shown}, ${before}) AS latest, least(${shown}, ${after}) AS earliest OFFSET 0)`;
}
