import { Loop } from '../loop.ts';
import { addFigures, type UsageCounts, type UsageFigures } from '../monitoring/usage-counts.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { addUsage } from './usage.repository.ts';

/** So much is lost when the process is killed. */
const FLUSH_MS = 5_000;
/**
 * Tenants whose counts wait while statements fail, at most; the counts of further tenants are given
 * up, and told.
 */
const MAX_UNWRITTEN = 10_000;

/**
 * Adds what the process counted to `tenant_usage`, every few seconds and when it stops.
 */
export class UsageWriter {
  readonly #loop: Loop;
  readonly #unwritten = new Map<string, UsageFigures>();
  #flushing: Promise<void> = Promise.resolve();

  /** @param onWorks called when something was written and nothing failed */
  constructor(
    private readonly database: TenantDatabase,
    private readonly counts: UsageCounts,
    private readonly onError: (error: Error) => void,
    private readonly onWorks = () => {},
  ) {
    this.#loop = new Loop(
      async () => {
        await this.flush();
        return FLUSH_MS;
      },
      (error) => {
        onError(error);
        return FLUSH_MS;
      },
    );
  }

  /** Tenants whose counts wait to be written. */
  get waiting(): number {
    return this.#unwritten.size;
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
    for (const [tenantId, figures] of this.counts.take()) this.#gather(tenantId, figures);
    if (this.#unwritten.size === 0) return;
    for (const [tenantId, figures] of this.#unwritten) {
      // Taken out only when it is written: after a lost connection it may be counted twice, and
      // never not at all.
      await addUsage(this.database, tenantId, figures);
      this.#unwritten.delete(tenantId);
    }
    this.onWorks();
  }

  #gather(tenantId: string, figures: UsageFigures): void {
    const waiting = this.#unwritten.get(tenantId);
    if (waiting) addFigures(waiting, figures);
    else if (this.#unwritten.size < MAX_UNWRITTEN) this.#unwritten.set(tenantId, figures);
    else this.onError(new Error('the usage of a tenant was given up: too many wait to be written'));
  }
}
