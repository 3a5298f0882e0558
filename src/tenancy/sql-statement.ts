import type { SearchLimits } from '../config/search-limits.ts';
import type { Prisma } from '../generated/prisma/client.ts';

/**
 * One SQL statement of a repository. Its text must be one of few, since each is prepared: values
 * never go into it.
 */
export interface SqlStatement {
  /** What it reads, for the timings: a Prisma model's name or a feature's. */
  readonly model: string;
  /** What it is for, for the timings. */
  readonly action: string;
  readonly query: Prisma.Sql;
  /**
   * Whether one plan is the best for all values, so that it is kept; else PostgreSQL decides
   * whether to plan it for the values it is sent with, which conditions of partial indexes need.
   * Planning costs as much as reading some hundred rows.
   */
  readonly planOnce?: boolean;
  /**
   * PostgreSQL stops it after this, if that is less than `statementTimeoutMs`. Outside of
   * transactions that write.
   */
  readonly timeoutMs?: number;
  /**
   * Whether it reads rows one by one, to find or to count some, which keeps a core of the database
   * busy: searches have few of the connections. Outside of transactions and snapshots: a snapshot
   * that may search has its turn as a whole.
   */
  readonly isSearch?: boolean;
}

/** For a statement that reads rows one by one. */
export function asSearch({ timeoutMs }: SearchLimits): Required<Pick<SqlStatement, 'timeoutMs' | 'isSearch'>> {
  return { timeoutMs, isSearch: true };
}
