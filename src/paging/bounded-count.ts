import { Prisma } from '../generated/prisma/client.ts';

const { sql, raw } = Prisma;

/** How many rows there are; at least so many when `isExact` is false. */
export interface Count {
  readonly count: number;
  readonly isExact: boolean;
}

/** What a count that reads rows may take. */
export interface CountLimits {
  /** Counted no further than this. */
  readonly rows: number;
  /** PostgreSQL stops a count that takes longer. */
  readonly timeoutMs: number;
}

/** A person reads no more digits; PostgreSQL reads so many rows in some milliseconds. */
export const DEFAULT_COUNT_LIMITS: CountLimits = { rows: 10_000, timeoutMs: 1_000 };

/**
 * How many rows there are, one more than the limit at most. The limit is a number and no parameter, of which PostgreSQL expects a
 * tenth of all rows.
 * @param source table, and what its rows must satisfy
 */
export function boundedCount(
  { table, where }: { readonly table: Prisma.Sql; readonly where: Prisma.Sql },
  { rows }: CountLimits,
): Prisma.Sql {
  return sql`(SELECT count(*)::integer FROM (SELECT FROM ${table} WHERE ${where} ${raw(`LIMIT ${rows + 1}`)}) counted)`;
}

/** What `boundedCount` found. */
export function countWithin(found: number, { rows }: CountLimits): Count {
  return found > rows ? { count: rows, isExact: false } : exactly(found);
}

export function exactly(count: number): Count {
  return { count, isExact: true };
}
