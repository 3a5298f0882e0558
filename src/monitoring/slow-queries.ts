import { shortCopy } from './short-copy.ts';

/**
 * A text of this length is a statement with thousands of placeholders; its beginning tells what it
 * is.
 */
const MAX_SQL_LENGTH = 10_000;

export function shortSql(sql: string): string {
  return shortCopy(sql, MAX_SQL_LENGTH);
}

const MAX_OPERATION_LENGTH = 100;

/** One statement that took long. Its text has placeholders only, never values. */
export interface SlowQuery {
  readonly sql: string;
  readonly durationMs: number;
  readonly rows: number | null;
  readonly model: string | null;
  readonly action: string;
  /** The GraphQL operation it was sent for; null outside of operations. */
  readonly operation: string | null;
  /** The `x-request-id` that it was sent for; null outside of requests. */
  readonly requestId: string | null;
  /** Comes later than the rest, when it was taken. */
  plan: string | null;
  /** Comes with the plan, where there is something to say. */
  advice: string | null;
  readonly at: Date;
}

/** The last slow statements, in a ring: a new one takes the place of the oldest. */
export class SlowQueries {
  readonly #ring: SlowQuery[] = [];
  #next = 0;

  constructor(private readonly capacity: number) {}

  /** @returns the query as it is kept */
  add(query: SlowQuery): SlowQuery {
    const sql = shortSql(query.sql);
    const operation = query.operation && shortCopy(query.operation, MAX_OPERATION_LENGTH);
    const kept = { ...query, sql, operation };
    this.#ring[this.#next] = kept;
    this.#next = (this.#next + 1) % this.capacity;
    return kept;
  }

  /** Takes over those of another process: the newest of both are kept. */
  merge(others: readonly SlowQuery[]): void {
    const all = [...this.list(), ...others].sort((a, b) => Number(b.at) - Number(a.at));
    const kept = all.slice(0, this.capacity).reverse();
    this.#ring.splice(0, this.#ring.length, ...kept);
    this.#next = kept.length % this.capacity;
  }

  /** Newest first. */
  list(): SlowQuery[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)].reverse();
  }
}
