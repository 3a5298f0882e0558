import { writeAccepted } from '../database/write-accepted.ts';
import { OperatorError } from '../errors.ts';
import { type Loop, repeat } from '../loop.ts';
import { addFigures, type CountedUsage, type UsageCounts } from '../monitoring/usage-counts.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { addUsage, type Connection, RETENTION_MS } from './usage.repository.ts';

/** So much is lost when the process is killed. */
const FLUSH_MS = 5_000;
/** Rows of one statement. */
export const MAX_BATCH = 500;
/**
 * Rows that wait while statements fail, at most: an hour of 8,000 tenants, some 30 MB. Further
 * counts are given up, and told.
 */
export const MAX_UNWRITTEN = 100_000;

/**
 * Adds what the process counted to `tenant_usage`, every few seconds and when it stops.
 */
export class UsageWriter {
  readonly #loop: Loop;
  /** By bucket and tenant. */
  readonly #unwritten = new Map<string, CountedUsage>();
  #flushing: Promise<void> = Promise.resolve();

  /** @param onWorks called when something was written and nothing failed */
  constructor(
    private readonly database: TenantDatabase,
    private readonly counts: UsageCounts,
    private readonly onError: (error: Error) => void,
    private readonly onWorks = () => {},
  ) {
    this.#loop = repeat(() => this.flush(), FLUSH_MS, onError);
  }

  /** Tenants whose counts wait to be written. */
  get waiting(): number {
    return new Set([...this.#unwritten.values()].map(({ tenantId }) => tenantId)).size;
  }

  /** Writes what was counted. @throws when that fails; it is written the next time */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.catch(() => {}).then(() => this.#flush()); // its own caller is told of a failure
    return this.#flushing;
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.flush();
  }

  async #flush(): Promise<void> {
    this.#gather(this.counts.take());
    const rows = [...this.#unwritten.values()];
    let refused = 0;
    for (let from = 0; from < rows.length; from += MAX_BATCH) {
      const batch = rows.slice(from, from + MAX_BATCH);
      refused += await this.database.withConnection((connection) => this.#write(connection, batch));
    }
    if (rows.length > 0 && refused === 0) this.onWorks();
  }

  #gather(counted: readonly CountedUsage[]): void {
    this.#forgetOld();
    let lost = 0;
    for (const row of counted) {
      const waiting = this.#unwritten.get(keyOf(row));
      if (waiting) addFigures(waiting.figures, row.figures);
      else if (this.#unwritten.size < MAX_UNWRITTEN) this.#unwritten.set(keyOf(row), row);
      else lost++;
    }
    if (lost > 0)
      this.onError(
        new OperatorError(
          `usage that could not be written was given up: more than ${MAX_UNWRITTEN} rows of tenant_usage wait`,
          'Restore the connection to PostgreSQL: what waits is written then.',
        ),
      );
  }

  /** These would be removed at once. */
  #forgetOld(): void {
    const keptSinceMs = Date.now() - RETENTION_MS;
    for (const [key, { bucketMs }] of this.#unwritten) if (bucketMs < keptSinceMs) this.#unwritten.delete(key);
  }

  /** @returns how many were refused */
  #write(connection: Connection, rows: readonly CountedUsage[]): Promise<number> {
    const write = async (some: readonly CountedUsage[]) => {
      await addUsage(connection, some);
      // Taken out only when it is written: after a lost connection it may be counted twice, and
      // never not at all.
      for (const row of some) this.#unwritten.delete(keyOf(row));
    };
    return writeAccepted(rows, write, (row, reason) => {
      this.#unwritten.delete(keyOf(row));
      this.onError(refusal(row, reason));
    });
  }
}

function keyOf({ bucketMs, tenantId }: CountedUsage): string {
  return `${bucketMs} ${tenantId}`;
}

function refusal({ tenantId, bucketMs }: CountedUsage, cause: Error): OperatorError {
  const bucket = new Date(bucketMs).toISOString();
  return new OperatorError(
    `the usage of tenant ${tenantId} from ${bucket} on was given up, since tenant_usage refuses it: ${cause.message}`,
    'Take what PostgreSQL objects to out of the row that is there, if there is one; later usage is written.',
    { cause },
  );
}
