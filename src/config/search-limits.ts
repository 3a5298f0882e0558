/** What a statement may take that reads rows one by one, to count them or to find a page. */
export interface SearchLimits {
  /** Counted no further than this. */
  readonly rows: number;
  /** PostgreSQL stops a count or a search that takes longer. */
  readonly timeoutMs: number;
}

/** A person reads no more digits; PostgreSQL reads so many rows in some milliseconds. */
export const DEFAULT_SEARCH_LIMITS: SearchLimits = { rows: 10_000, timeoutMs: 1_000 };

/**
 * A millisecond of a statement that takes long. Half of it, in points of a microsecond: such a
 * statement shares its CPU with others.
 */
export const DATABASE_MS_POINTS = 500;

/** The price of a count or a search at most: the time limit ends it. */
export function maxScanPoints({ timeoutMs }: SearchLimits): number {
  return timeoutMs * DATABASE_MS_POINTS;
}

/** What one operation may cost: a search of the largest tenant with its count, and a page. */
export function defaultOperationPoints(limits: SearchLimits): number {
  return 2.5 * maxScanPoints(limits);
}
