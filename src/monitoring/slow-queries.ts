/** A text of this length is a statement with thousands of placeholders; its beginning tells what it is. */
const MAX_SQL_LENGTH = 10_000;

/** One statement that took long. Its text has placeholders only, never values. */
export interface SlowQuery {
  readonly sql: string;
  readonly durationMs: number;
  readonly rows: number | null;
  readonly model: string | null;
  readonly action: string;
  /** The GraphQL operation it was sent for; null outside of operations. */
  readonly operation: string | null;
  readonly plan: string | null;
  readonly at: Date;
}

/** The last slow statements, in a ring: a new one takes the place of the oldest. */
export class SlowQueries {
  readonly #ring: SlowQuery[] = [];
  #next = 0;

  constructor(private readonly capacity: number) {}

  add(query: SlowQuery): void {
    const sql = query.sql.length > MAX_SQL_LENGTH ? `${query.sql.slice(0, MAX_SQL_LENGTH)}…` : query.sql;
    this.#ring[this.#next] = { ...query, sql };
    this.#next = (this.#next + 1) % this.capacity;
  }

  /** Newest first. */
  list(): SlowQuery[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)].reverse();
  }
}
