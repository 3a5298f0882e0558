import { Prisma } from '../generated/prisma/client.ts';
import { shownCountOf } from '../tenancy/sql-text.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { BookedRange, KeptCount } from './transaction.filter.ts';

const { sql, empty } = Prisma;

/**
 * Days at each end of a range whose movements are counted one by one: a day's movements need not
 * lie between two instants, as where a date line was moved. Three dates are more than any clock was
 * ever set.
 */
const EDGE_DAYS = 3;
/** Holds all movements of those days, by any clock. */
const EDGE = sql`interval '5 days'`;
const SHORT_MS = 12 * 86_400_000;

/** Whether the ends of a range may meet: then all of it is counted one by one. */
export function isShort({ from, to }: BookedRange): boolean {
  return from !== null && to !== null && Date.parse(to) - Date.parse(from) < SHORT_MS;
}

/**
 * How many movements there are in a range that is not short: on whole days by the totals kept
 * ready, at its ends one by one.
 * @param where what the movements satisfy, the range included
 */
export function countFromTotals(
  { tenantId }: TenantScope,
  { category, booked: { from, to } }: KeptCount,
  where: Prisma.Sql,
): Prisma.Sql {
  const day = sql`(booked_at AT TIME ZONE time_zone)::date`;
  const localDay = (instant: string) => sql`(${instant}::timestamptz AT TIME ZONE time_zone)::date`;
  const first = from === null ? undefined : sql`${localDay(from)} + ${EDGE_DAYS}::integer`;
  const last = to === null ? undefined : sql`${localDay(to)} - ${EDGE_DAYS}::integer`;
  const edge = (bound: Prisma.Sql) => sql` + (SELECT count(*) FROM transactions WHERE ${where} AND ${bound})`;
  const count = sql`(SELECT coalesce(sum(transaction_count), 0) FROM daily_totals WHERE tenant_id = ${tenantId}::uuid
        ${category === null ? empty : sql`AND category = ${category}`}
        ${first ? sql`AND day >= ${first}` : empty} ${last ? sql`AND day <= ${last}` : empty})
      ${first ? edge(sql`booked_at < ${from}::timestamptz + ${EDGE} AND ${day} < ${first}`) : empty}
      ${last ? edge(sql`booked_at > ${to}::timestamptz - ${EDGE} AND ${day} > ${last}`) : empty}`;
  return sql`SELECT ${shownCountOf(count)} AS count FROM tenants WHERE id = ${tenantId}::uuid`;
}
