import type { Trust, TrustTerm } from '../versions/trust.ts';
import type { Versions } from '../versions/versions.ts';
import type { DataEntry } from './data-store.ts';

/**
 * Tells which values may be shown that a write has invalidated: those after which nobody was shown
 * a later one. What is shown is kept first, where it takes the place of what was there. So this
 * looks only at the times at which that failed.
 */
export class OldValues {
  /** What was created then or before may have been overtaken. Milliseconds since 1970. */
  #sinceMs = 0;
  #term: TrustTerm | undefined;

  constructor(private readonly trust: Trust) {}

  /**
   * Only within an epoch, too: what was kept before the cache lost its trust may show what was
   * never lasting, as writes that PostgreSQL lost in a failover.
   */
  serves(entry: DataEntry, now: Versions, maxStalenessMs: number): boolean {
    const isRecent = Math.min(entry.expiresAtMs, entry.createdAtMs + maxStalenessMs) > Date.now();
    return isRecent && entry.versions.epoch === now.epoch && entry.createdAtMs > this.#sinceMs;
  }

  /** A value was shown that is not kept. */
  mayHaveBeenOvertaken(): void {
    this.#sinceMs = Date.now();
  }

  /**
   * To be called before each load. In a gap of trust everybody reads from the database and keeps
   * nothing.
   */
  lookAtTrust(): void {
    const { term } = this.trust;
    if (term === this.#term) return;
    this.#term = term;
    // What is loaded from now on has not been; a gap is longer than a millisecond.
    this.#sinceMs = Math.max(this.#sinceMs, Date.now() - 1);
  }
}
