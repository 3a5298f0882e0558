import { type Latency, LatencyHistogram } from '../latency-histogram.ts';
import { BoundedRegistry } from './bounded-registry.ts';
import { type CountedStatements, StatementSums } from './statement-sums.ts';

/** What one operation sends is told apart up to here. */
const MAX_QUERIES = 20;

/**
 * How an operation ended; each has a histogram of its own, as a cache hit says nothing about the
 * time of a miss.
 */
export type OperationResult = 'ok' | 'error' | 'cache_hit';
export const OPERATION_RESULTS: readonly OperationResult[] = ['ok', 'error', 'cache_hit'];

/** What one request asked of the database. */
interface SentStatements {
  readonly statements: number;
  readonly databaseMs: number;
}

const NOTHING_SENT: SentStatements = { statements: 0, databaseMs: 0 };

/** One GraphQL operation, by name. */
export class OperationStatistics {
  /** Those that were never recorded into take no memory worth counting. */
  readonly durations: Readonly<Record<OperationResult, LatencyHistogram>> = {
    ok: new LatencyHistogram(),
    error: new LatencyHistogram(),
    cache_hit: new LatencyHistogram(),
  };

  /** SQL statements sent for it. */
  statements = 0;
  /** Sum over the statements; those that ran at the same time count each. */
  databaseMs = 0;

  /** Those of single tenants have none. */
  #queries: BoundedRegistry<StatementSums> | undefined;

  constructor(readonly name: string) {}

  /** SQL statements by what they read or write, as of `queryKey`. */
  queries(): [key: string, sums: StatementSums][] {
    return [...(this.#queries?.entries() ?? [])];
  }

  addQueries(sent: Iterable<readonly [key: string, sums: CountedStatements]>): void {
    this.#queries ??= new BoundedRegistry(MAX_QUERIES, () => new StatementSums());
    for (const [key, sums] of sent) this.#queries.entry(key).add(sums);
  }

  record(durationMs: number, errors: number, cacheHit: boolean, sent: SentStatements = NOTHING_SENT): void {
    this.durations[errors > 0 ? 'error' : cacheHit ? 'cache_hit' : 'ok'].record(durationMs);
    this.statements += sent.statements;
    this.databaseMs += sent.databaseMs;
  }

  /** Of all answers together. */
  latency(): Latency {
    const all = new LatencyHistogram();
    for (const result of OPERATION_RESULTS) all.add(this.durations[result]);
    return all.latency();
  }
}

/** One resolver, by schema coordinate. Only the timed calls: `timeResolvers` takes a sample. */
export class ResolverStatistics {
  readonly durations = new LatencyHistogram();
  errors = 0;

  record(durationMs: number, failed: boolean): void {
    this.durations.record(durationMs);
    if (failed) this.errors++;
  }
}

/** The SQL statements of one model and action. */
export class QueryStatistics {
  readonly durations = new LatencyHistogram();
  /** Rows returned or changed. */
  rows = 0;
  failures = 0;

  constructor(
    readonly model: string | undefined,
    readonly action: string,
  ) {}

  record(durationMs: number, rows: number, failed: boolean): void {
    this.durations.record(durationMs);
    this.rows += rows;
    if (failed) this.failures++;
  }
}
