import { Prisma } from '../generated/prisma/client.ts';

const { sql } = Prisma;

/**
 * An instant as RFC 3339 text in UTC. Made by SQL: parsing PostgreSQL's own form into a Date and printing that again
 * costs more than all else on a list (measured, docs/decisions.md).
 */
export function instantText(column: Prisma.Sql): Prisma.Sql {
  return sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** Only the wanted columns of a table's catalogue of columns, each under its property's name; the id always. */
export function selectList(columns: Readonly<Record<string, Prisma.Sql>>, wanted: ReadonlySet<string>): Prisma.Sql {
  return selectOnly(columns, new Set([...wanted, 'id']));
}

/** The same without the id, unless it is wanted or nothing else is. */
export function selectOnly(columns: Readonly<Record<string, Prisma.Sql>>, wanted: ReadonlySet<string>): Prisma.Sql {
  const found = Object.entries(columns).filter(([name]) => wanted.has(name));
  const named = found.length > 0 ? found : [['id', sql`id`] as const];
  return Prisma.join(named.map(([name, column]) => sql`${column} AS ${Prisma.raw(`"${name}"`)}`));
}

/** The next midnight of a time zone, in milliseconds since 1970. */
export function endOfDayMs(timeZone: Prisma.Sql): Prisma.Sql {
  return sql`(extract(epoch FROM ((now() AT TIME ZONE ${timeZone})::date + 1)::timestamp AT TIME ZONE ${timeZone}) * 1000)::float8`;
}
