import { performance } from 'node:perf_hooks';
import { LEASE_MS } from '../redis/timing.ts';

/**
 * The moment on both clocks of a process: one that nobody sets, and one that goes on while the
 * machine sleeps.
 */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export function now(): Moment {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}

export function elapsedMs(since: Moment): number {
  return Math.max(performance.now() - since.monotonicMs, Date.now() - since.wallMs);
}

/**
 * A time of trust without a gap, in the versions of one term on one server. Another time is another
 * object.
 */
export interface TrustTerm {
  /** The leadership term's random name, which is part of every version. */
  readonly name: string;
  readonly serverId: string;
}

interface Granted {
  readonly term: TrustTerm;
  readonly since: Moment;
  readonly leaseMs: number;
}

/**
 * Until when this process may take the versions at their word: as long as it knows that the
 * change feed had caught up a moment ago. Asking costs two readings of the clock.
 */
export class Trust {
  #granted: Granted | undefined;

  /**
   * @param name of the term
   * @param serverId the Redis whose versions are meant; empty for those in the process
   * @param since a moment before the lease was asked for
   * @param leaseMs how long it lasted from that moment, at least. No lease lasts for longer than
   *   `LEASE_MS`, whatever it says
   */
  grant(name: string, serverId: string, since: Moment, leaseMs: number): void {
    const { term } = this;
    const goesOn = term?.name === name && term.serverId === serverId;
    this.#granted = { term: goesOn ? term : { name, serverId }, since, leaseMs: Math.min(leaseMs, LEASE_MS) };
  }

  revoke(): void {
    this.#granted = undefined;
  }

  get isValid(): boolean {
    return this.#granted !== undefined && elapsedMs(this.#granted.since) < this.#granted.leaseMs;
  }

  /** Undefined when nothing is trusted now. */
  get term(): TrustTerm | undefined {
    return this.isValid ? this.#granted?.term : undefined;
  }
}
