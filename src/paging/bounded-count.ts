import type { SearchLimits } from '../config/search-limits.ts';
import { Prisma } from '../generated/prisma/client.ts';

const { sql, raw } = Prisma;

/** How many rows there are; at least so many when `isExact` is false. */
export interface Count {
  readonly count: number;
  readonly isExact: boolean;
}

/**
 * Counts to rows + 1. The limit is a literal: for a parameter the planner assumes a tenth of all
 * rows.
 * @param source table, and what its rows must satisfy
 */
export function boundedCount(
  { table, where }: { readonly table: Prisma.Sql; readonly where: Prisma.Sql },
  { rows }: SearchLimits,
): Prisma.Sql {
  return sql`(SELECT count(*)::integer FROM (SELECT FROM ${table} WHERE ${where} ${raw(`LIMIT ${rows + 1}`)}) counted)`;
}

/** What `boundedCount` found. */
export function countWithin(found: number, { rows }: SearchLimits): Count {
  return found > rows ? { count: rows, isExact: false } : exactly(found);
}

export function exactly(count: number): Count {
  return { count, isExact: true };
}
