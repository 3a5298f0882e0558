/** What the verdict on a table goes by; counts since PostgreSQL's statistics were last reset. */
export interface JudgedTable {
  readonly table: string;
  /** As PostgreSQL estimates it. */
  readonly rows: number;
  readonly deadRows: number;
  /** So many dead rows make autovacuum come by, with the table's own settings. */
  readonly vacuumAtDeadRows: number;
  readonly sequentialScans: number;
  /** Rows that these scans read, and that index scans fetched. */
  readonly sequentialRows: number;
  readonly indexRows: number;
  /** RFC 3339; null: never. */
  readonly lastVacuum: string | null;
  readonly lastAnalyze: string | null;
}

/** Autovacuum looks at every database once a minute, and a large table takes it some more. */
const VACUUM_WITHIN_MS = 3_600_000;
/** Of fewer rows autovacuum makes no statistics by default, and the planner needs none. */
const ANALYZED_FROM_ROWS = 50;
/** Smaller tables are read as fast without an index. */
const LARGE_TABLE_ROWS = 10_000;
/** Indexes that are built, backups and migrations read the whole table some times as well. */
const MANY_SCANS = 100;
const MOST = 0.5;

/**
 * What to think of a table, and what to do about it; `fine` when nothing.
 * @param nowMs as `Date.now()`
 */
export function tableVerdict(table: JudgedTable, nowMs: number): string {
  return [upkeep(table, nowMs), reading(table)].filter((found) => found !== null).join('; ') || 'fine';
}

/** VACUUM (ANALYZE) does both: the second is not told beside the first. */
function upkeep(judged: JudgedTable, nowMs: number): string | null {
  const { table, rows, deadRows, vacuumAtDeadRows, lastVacuum, lastAnalyze } = judged;
  const isLongAgo = lastVacuum === null || nowMs - Date.parse(lastVacuum) > VACUUM_WITHIN_MS;
  if (deadRows > vacuumAtDeadRows && isLongAgo) return `vacuum is behind: VACUUM (ANALYZE) ${table}`;
  if (lastAnalyze === null && rows >= ANALYZED_FROM_ROWS) return `never analyzed: ANALYZE ${table}`;
  return null;
}

function reading({ rows, sequentialScans, sequentialRows, indexRows }: JudgedTable): string | null {
  if (rows < LARGE_TABLE_ROWS || sequentialScans < MANY_SCANS) return null;
  const share = sequentialRows / Math.max(1, sequentialRows + indexRows);
  if (share <= MOST) return null;
  const percent = Math.floor(share * 100);
  return `${percent}% of the rows read come from sequential scans: npm run indexes:advise says what is missing`;
}
