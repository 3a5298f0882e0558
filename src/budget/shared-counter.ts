import { LRUCache } from 'lru-cache';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { FastRedis } from '../cache/redis/redis.ts';

const WINDOW_SECONDS = 60;
/**
 * Keys counted at the same time; one that falls out begins anew, which errs on the caller's side.
 */
const MAX_KEYS = 100_000;
/** How long what this process let through is counted here alone. */
const SETTLE_MS = 100;
/**
 * What one process may let through before it has told Redis, and up to where: beyond it each
 * spending is told at once and waited for. So ten processes together go over the limit by a percent
 * or two, hits of the cache apart, which are only told afterwards.
 */
const UNSETTLED_SHARE = 0.01;
const CERTAIN_SHARE = 0.9;
/** So much later than others an answer may be heard: ends that are closer are the same. */
const DRIFT_MS = 1_000;

/** What may still be spent in the running window. */
export interface Allowance {
  /** Points of one window. */
  readonly limit: number;
  readonly remaining: number;
  /** When the window ends, in milliseconds since 1970. */
  readonly resetAtMs: number;
}

/**
 * What is spent is the sum of what is told, in flight and unsettled: each point is in one of them.
 */
export interface Window {
  readonly key: string;
  /** By all processes, as Redis answered last, and by this one where it could not be told. */
  told: number;
  /** By this process, sent to Redis and not answered yet. */
  inFlight: number;
  /** By this process since it last told Redis. */
  unsettled: number;
  /** By this process alone, of what is told. */
  own: number;
  /** By all processes, of what is told: in counts of the window that Redis has no more. */
  lost: number;
  /** When Redis forgets its count of the window; undefined until it has answered. */
  countEndsAtMs: number | undefined;
  endsAtMs: number;
}

function isOver({ endsAtMs }: Window): boolean {
  return endsAtMs <= Date.now();
}

function spentIn({ told, inFlight, unsettled }: Window): number {
  return told + inFlight + unsettled;
}

/**
 * Redis counted the points. A count that is lower and ends later than the one before is another:
 * that one was forgotten, by a Redis that began anew or since its time was over. What it held stays
 * spent, and the window ends when it would have.
 */
function noteCount(window: Window, points: number, counted: number, countEndsAtMs: number): void {
  const { told, lost, countEndsAtMs: before } = window;
  if (before !== undefined && countEndsAtMs > before + DRIFT_MS && lost + counted < told + points) window.lost = told;
  window.countEndsAtMs = countEndsAtMs;
  window.own += points;
  // A Redis that has forgotten may have done so before it was asked at all.
  window.told = Math.max(window.lost + counted, window.own);
  // A window of this process that began earlier than that of all ends with it.
  if (before === undefined || countEndsAtMs < window.endsAtMs) window.endsAtMs = countEndsAtMs;
}

/**
 * Points by key, in windows of a minute, counted over all processes that share a Redis. Each
 * process counts for itself without one, and while it fails: nothing waits and nothing is refused
 * for its sake.
 */
export class SharedCounter {
  readonly #windows = new LRUCache<string, Window>({ max: MAX_KEYS });
  readonly #dirty = new Set<Window>();
  readonly #limiter: RateLimiterRedis | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly redis: FastRedis | undefined) {
    // Limits are compared here: they differ by tenant, and the library's own would refuse and take
    // the points all the same.
    this.#limiter = redis?.limiter({ keyPrefix: '', points: Number.MAX_SAFE_INTEGER, duration: WINDOW_SECONDS });
  }

  /**
   * Takes the points when they are there. @returns whether they were; a promise when Redis must be
   * asked
   */
  spend(key: string, points: number, limit: number): boolean | Promise<boolean> {
    const window = this.window(key);
    const known = spentIn(window) + points;
    if (known > limit) return this.#refuse(window);
    if (!this.#limiter || (window.unsettled + points <= limit * UNSETTLED_SHARE && known <= limit * CERTAIN_SHARE)) {
      this.#add(window, points);
      return true;
    }
    return this.#spendShared(window, points, limit);
  }

  /** Whether so many points are left, as far as it is known here. */
  has(key: string, points: number, limit: number): boolean {
    const window = this.window(key);
    return spentIn(window) + points <= limit || this.#refuse(window);
  }

  /** Takes points that were used already, and that are told only afterwards. */
  charge(key: string, points: number): void {
    this.#add(this.window(key), points);
  }

  /**
   * At once, so that what another process asks for next is there. What was taken of a minute that
   * is over is gone with it.
   * @param window the one that the points were taken of
   */
  giveBack(window: Window, points: number): void {
    if (isOver(window)) return;
    this.#add(window, -points);
    void this.#settle(window);
  }

  allowance(key: string, limit: number): Allowance {
    const window = this.window(key);
    const remaining = Math.min(limit, Math.max(0, limit - spentIn(window)));
    return { limit, remaining, resetAtMs: window.endsAtMs };
  }

  /** Learns what other processes spent. Never throws. */
  async settle(key: string): Promise<void> {
    await this.#settle(this.window(key));
  }

  /** Tells Redis what is not told yet. Never throws. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#settleAll();
  }

  async #spendShared(window: Window, points: number, limit: number): Promise<boolean> {
    window.unsettled += points;
    // Of several in flight Redis answers one after the other: each is judged by what was spent up
    // to its own.
    if ((await this.#settle(window)) <= limit) return true;
    this.giveBack(window, points);
    return false;
  }

  /** Others may have given points back since: what is left is asked for again. */
  #refuse(window: Window): false {
    if (this.#limiter) this.#settleSoon(window);
    return false;
  }

  #add(window: Window, points: number): void {
    if (!this.#limiter) {
      window.told += points;
      return;
    }
    window.unsettled += points;
    this.#settleSoon(window);
  }

  #settleSoon(window: Window): void {
    this.#dirty.add(window);
    this.#timer ??= setTimeout(() => void this.#settleAll(), SETTLE_MS).unref();
  }

  async #settleAll(): Promise<void> {
    this.#timer = undefined;
    const windows = [...this.#dirty];
    this.#dirty.clear();
    // All in one turn of the event loop, and so in one write.
    await Promise.all(windows.map((window) => this.#settle(window)));
  }

  /** @returns what was told as soon as this was */
  async #settle(window: Window): Promise<number> {
    const limiter = this.#limiter;
    if (!this.redis || !limiter || isOver(window)) return window.told;
    const points = window.unsettled;
    window.unsettled = 0;
    window.inFlight += points;
    try {
      const told = await this.redis.run(() => limiter.penalty(window.key, points), 'count');
      noteCount(window, points, told.consumedPoints, Date.now() + told.msBeforeNext);
    } catch {
      // FastRedis has told of it; the process goes on with its own count.
      window.own += points;
      window.told += points;
    }
    window.inFlight -= points;
    return window.told;
  }

  /** The running one. */
  window(key: string): Window {
    const known = this.#windows.get(key);
    if (known && !isOver(known)) return known;
    const endsAtMs = Date.now() + WINDOW_SECONDS * 1000;
    const counted = { told: 0, inFlight: 0, unsettled: 0, own: 0, lost: 0 };
    const fresh = { key, ...counted, countEndsAtMs: undefined, endsAtMs };
    this.#windows.set(key, fresh);
    return fresh;
  }
}
