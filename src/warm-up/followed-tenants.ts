import { isCurrent, type Versions } from '../cache/versions/versions.ts';

/** So long nothing may be written before a dashboard is computed again. */
export const QUIET_MS = 1_000;
/** From one time that a tenant's dashboard was computed until the next, at least. */
export const REST_MS = 10_000;

/** A tenant whose dashboard is kept ready. Times are those of `performance.now()`. */
export class FollowedTenant {
  /** What its dashboard is current by, as it was at the last look. */
  #versions: Versions | undefined;
  #changedMs = Number.NEGATIVE_INFINITY;
  #isDue = true;
  /** When what was filled ends by itself, in milliseconds since 1970. */
  #endsAtMs = Number.POSITIVE_INFINITY;
  #triedMs = Number.NEGATIVE_INFINITY;

  /** @param requests how many answers it had got when it was followed first */
  constructor(
    readonly tenantId: string,
    private requests: number,
    public activeMs: number,
  ) {}

  /** When its dashboard was computed last, or tried to be. */
  get triedMs(): number {
    return this.#triedMs;
  }

  /** @param requests how many answers it has got by now */
  noteRequests(requests: number, nowMs: number): void {
    if (requests !== this.requests) this.activeMs = nowMs;
    this.requests = requests;
  }

  /** Whether its dashboard is to be computed now. */
  isDue(versions: Versions, nowMs: number): boolean {
    if (this.#versions && !isCurrent(this.#versions, versions)) {
      this.#isDue = true;
      this.#changedMs = nowMs;
    }
    this.#versions = versions;
    if (Date.now() >= this.#endsAtMs) this.#isDue = true;
    return this.#isDue && nowMs - this.#changedMs >= QUIET_MS && nowMs - this.#triedMs >= REST_MS;
  }

  /** It is being computed: what is written from now on makes it due again. */
  tried(nowMs: number): void {
    this.#isDue = false;
    this.#triedMs = nowMs;
    this.#endsAtMs = Number.POSITIVE_INFINITY;
  }

  filledUntil(endsAtMs: number): void {
    this.#endsAtMs = endsAtMs;
  }
}

/** Each has its turn before one has it again; then those that were active last. */
export function inTurns(tenants: readonly FollowedTenant[]): FollowedTenant[] {
  return tenants.toSorted((a, b) => compare(a.triedMs, b.triedMs) || compare(b.activeMs, a.activeMs));
}

/** Infinite ones are equal. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
