/**
 * Between the markers of two tenants: more than any run writes, so that a marker tells its tenant.
 */
export const MARKER_RANGE = 1_000_000_000;

/** A write past the API shows in reads that begin so long after it. */
const PAST_API_BOUND_MS = 1_000;

export type Verdict = 'right' | 'stale' | 'foreign';

/**
 * Knows of each tenant what a read must show at least. A tenant's marker is a number that every
 * write makes larger by one, and that every answer holds; tenant n's begin at (n + 1) times
 * `MARKER_RANGE`.
 */
export class MarkerLedger {
  readonly #least: number[];
  readonly #past: { readonly marker: number; readonly dueMs: number }[][];
  readonly #writtenMs: number[];

  constructor(tenants: number) {
    this.#least = Array.from({ length: tenants }, (_, tenant) => firstMarker(tenant));
    this.#past = this.#least.map(() => []);
    this.#writtenMs = this.#least.map(() => Number.NEGATIVE_INFINITY);
  }

  /** A write through the API was acknowledged. */
  acknowledge(tenant: number, marker: number, nowMs: number): void {
    this.#raise(tenant, marker);
    this.#writtenMs[tenant] = nowMs;
  }

  /** A write past the API was committed: reads may hide it for a while yet. */
  commitPast(tenant: number, marker: number, nowMs: number): void {
    this.#past[tenant]?.push({ marker, dueMs: nowMs + PAST_API_BOUND_MS });
  }

  /** The marker that a read which begins now must show at least. */
  leastMarker(tenant: number, nowMs: number): number {
    const past = this.#past[tenant] ?? [];
    for (let next = past[0]; next && next.dueMs <= nowMs; next = past[0]) {
      this.#raise(tenant, next.marker);
      past.shift();
    }
    return this.#least[tenant] ?? Number.NaN;
  }

  /** Since the tenant's latest acknowledged write; Infinity before it. */
  sinceWriteMs(tenant: number, nowMs: number): number {
    return nowMs - (this.#writtenMs[tenant] ?? Number.NEGATIVE_INFINITY);
  }

  /** @param least what `leastMarker` said when the read began */
  judge(tenant: number, least: number, marker: number): Verdict {
    const first = firstMarker(tenant);
    if (!(marker >= first && marker < first + MARKER_RANGE)) return 'foreign';
    return marker < least ? 'stale' : 'right';
  }

  #raise(tenant: number, marker: number): void {
    this.#least[tenant] = Math.max(this.#least[tenant] ?? 0, marker);
  }
}

/** The marker of a tenant that nobody has written yet. */
export function firstMarker(tenant: number): number {
  return (tenant + 1) * MARKER_RANGE;
}
