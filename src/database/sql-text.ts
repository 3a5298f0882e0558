import { Prisma } from '../generated/prisma/client.ts';
import { MAX_INTEGER } from '../limits.ts';

const { sql } = Prisma;

const LAST_INTEGER = Prisma.raw(String(MAX_INTEGER));

/**
 * An instant as RFC 3339 text in UTC. Made by SQL: parsing PostgreSQL's own form into a Date and
 * printing that again costs more than all else on a list (docs/performance.md).
 */
export function instantText(column: Prisma.Sql): Prisma.Sql {
  return sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/**
 * Only the wanted columns of a table's catalogue of columns, each under its property's name; the id
 * always.
 */
export function selectList(columns: Readonly<Record<string, Prisma.Sql>>, wanted: ReadonlySet<string>): Prisma.Sql {
  return selectOnly(columns, new Set([...wanted, 'id']));
}

/** The same without the id, unless it is wanted or nothing else is. */
export function selectOnly(columns: Readonly<Record<string, Prisma.Sql>>, wanted: ReadonlySet<string>): Prisma.Sql {
  const found = Object.entries(columns).filter(([name]) => wanted.has(name));
  const named = found.length > 0 ? found : [['id', sql`id`] as const];
  return Prisma.join(named.map(([name, column]) => sql`${column} AS ${Prisma.raw(`"${name}"`)}`));
}

/**
 * A number of rows as it is shown: the whole answer would fail of one that is no integer to
 * PostgreSQL.
 */
export function shownCountOf(count: Prisma.Sql): Prisma.Sql {
  return sql`least(${count}, ${LAST_INTEGER})::integer`;
}

/** A day of 25 hours, and one that is lived through twice, as where a date line was moved. */
const LONGEST_DAY = sql`interval '50 hours'`;

/**
 * When the date of a time zone is next another than at an instant, in milliseconds since 1970: its
 * midnight, or where the clocks are set across midnight, in either direction, the moment at which
 * they are. A local time is never asked for its instant, since of a midnight that happens twice
 * PostgreSQL tells the second.
 */
export function endOfDayMs(timeZone: Prisma.Sql, at: Prisma.Sql = sql`now()`): Prisma.Sql {
  const local = sql`(${at} AT TIME ZONE ${timeZone})`;
  const midnight = sql`(${local}::date + 1)::timestamp`;
  const midnightIfClocksRunOn = sql`extract(epoch FROM ${at}) + extract(epoch FROM ${midnight} - ${local})`;
  return sql`(1000 * CASE WHEN (to_timestamp((${midnightIfClocksRunOn})::float8) AT TIME ZONE ${timeZone}) = ${midnight}
      THEN ${midnightIfClocksRunOn} ELSE ${nextDateSeconds(timeZone, at)} END)::float8`;
}

/**
 * The same in seconds and by search, which takes a millisecond: on two days of a year. Minutes
 * first, since no clock was ever set twice within one. The series come in order.
 */
function nextDateSeconds(timeZone: Prisma.Sql, at: Prisma.Sql): Prisma.Sql {
  const isAnother = (instant: Prisma.Sql) =>
    sql`${instant} > ${at} AND (${instant} AT TIME ZONE ${timeZone})::date <> (${at} AT TIME ZONE ${timeZone})::date`;
  return sql`(SELECT extract(epoch FROM second)
      FROM (SELECT minute
          FROM generate_series(date_trunc('minute', ${at}), ${at} + ${LONGEST_DAY}, interval '1 minute') minute
          WHERE ${isAnother(sql`minute`)} LIMIT 1) of_minute,
        generate_series(minute - interval '59 seconds', minute, interval '1 second') second
      WHERE ${isAnother(sql`second`)} LIMIT 1)`;
}
