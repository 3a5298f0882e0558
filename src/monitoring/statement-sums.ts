import { shortSql } from './slow-queries.ts';

/** Of `StatementSums`, as plain values. */
export type CountedStatements = Pick<StatementSums, 'count' | 'totalMs' | 'maxMs' | 'sql'>;

/** The SQL statements of one kind, of one request or of all of an operation. */
export class StatementSums {
  count = 0;
  totalMs = 0;
  maxMs = 0;
  /** The slowest one; null when its text was not kept. */
  sql: string | null = null;

  record(durationMs: number, sql: string): this {
    this.count++;
    this.totalMs += durationMs;
    if (durationMs >= this.maxMs) {
      this.maxMs = durationMs;
      this.sql = sql;
    }
    return this;
  }

  /** Takes over what `other` has; of its text a copy that keeps nothing else in memory. */
  add(other: CountedStatements): void {
    if (other.count > 0 && other.maxMs >= this.maxMs) {
      this.maxMs = other.maxMs;
      if (other.sql !== this.sql) this.sql = other.sql && shortSql(other.sql);
    }
    this.count += other.count;
    this.totalMs += other.totalMs;
  }
}
