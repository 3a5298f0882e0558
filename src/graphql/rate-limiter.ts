import { LRUCache } from 'lru-cache';

const WINDOW_MS = 60_000;
/** Callers counted at the same time; one that falls out begins anew, which errs on the caller's side. */
const MAX_CALLERS = 100_000;

/** What a caller may still spend in the running window. */
export interface Allowance {
  /** Points of one window. */
  readonly limit: number;
  readonly remaining: number;
  /** When the window ends, in milliseconds since 1970. */
  readonly resetAtMs: number;
}

/** Points per caller, in windows of a minute. Each process counts for itself. */
export class RateLimiter {
  readonly #windows = new LRUCache<string, { spent: number; endsAtMs: number }>({ max: MAX_CALLERS });

  constructor(private readonly limit: number) {}

  /** Takes the points when they are there. @returns whether they were */
  spend(caller: string, points: number): boolean {
    const window = this.#window(caller);
    if (window.spent + points > this.limit) return false;
    window.spent += points;
    return true;
  }

  allowance(caller: string): Allowance {
    const { spent, endsAtMs } = this.#window(caller);
    return { limit: this.limit, remaining: this.limit - spent, resetAtMs: endsAtMs };
  }

  #window(caller: string): { spent: number; endsAtMs: number } {
    const now = Date.now();
    const known = this.#windows.get(caller);
    if (known && known.endsAtMs > now) return known;
    const fresh = { spent: 0, endsAtMs: now + WINDOW_MS };
    this.#windows.set(caller, fresh);
    return fresh;
  }
}
