import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastRedis } from '../redis/redis.ts';
import { GET_LOCK, REPLACE_LOCK, SET_LOCK } from '../redis/redis-span.ts';

/** How long a lock outlives a holder that died, which is how long that death delays others. */
const LOCK_MS = 1_000;
/** A holder may be late with two renewals. */
const RENEW_MS = 300;
/**
 * What the key says after the load: look for the answer, and load without a lock if there is none.
 */
const OVER = 'over';
/**
 * Longer than Redis is waited for, so that whoever looked before the answer was stored still learns
 * of it.
 */
const OVER_MS = 1_000;
/** Between two looks of those that wait, growing: a load takes a few milliseconds, or long. */
const MIN_PAUSE_MS = 5;
const MAX_PAUSE_MS = 50;

/** Somebody's turn to load. */
export interface LoadTurn<Looked> {
  /** What was seen after another's load. Absent when nobody else was loading. */
  readonly looked?: Looked;
  /**
   * To be called when the load is over and its answer stored, or not to be stored. Never throws.
   */
  readonly end: () => Promise<void>;
}

/**
 * One load among all processes that share the Redis: the first one loads, the others wait for its
 * answer. Only time is at stake: whoever finds no answer, or no Redis, loads without a lock, and
 * what an answer is worth is told by its versions alone.
 */
export class LoadLocks {
  /**
   * @param maxWaitMs how long a holder that lives is waited for: as long as the slowest load takes
   */
  constructor(
    private readonly redis: FastRedis,
    private readonly maxWaitMs: number,
  ) {}

  /**
   * Resolves when the caller should load, or has found what another loaded. Where nobody else
   * loads, this is one round trip.
   * @param key a `loadKey`, which differs for loads that began under other versions
   * @param look looks for the answer in Redis
   * @param isFound whether it did
   * @param request whose turn it is, for the spans
   */
  async turn<Looked>(
    key: string,
    look: () => Promise<Looked>,
    isFound: (looked: Looked) => boolean,
    request?: object,
  ): Promise<LoadTurn<Looked>> {
    const token = randomUUID();
    const deadlineMs = performance.now() + this.maxWaitMs;
    let last: { looked?: Looked } = {};
    try {
      for (;;) {
        const holder = await this.#take(key, token, request);
        if (holder === null) return { ...last, end: this.#hold(key, token, request) };
        const isOver = holder === OVER || (await this.#isOverBy(key, deadlineMs, request));
        const looked = await look();
        last = { looked };
        if (isOver || isFound(looked)) return { looked, end: async () => {} };
      }
    } catch {
      // FastRedis has told of it. The lock may have been taken all the same.
      return { ...last, end: () => this.#replace(key, token, OVER, OVER_MS, request) };
    }
  }

  /** @returns who has the lock: null when it is the caller now */
  #take(key: string, token: string, request: object | undefined): Promise<string | null> {
    return this.redis.run((client) => client.set(key, token, 'PX', LOCK_MS, 'NX', 'GET'), 'fill', SET_LOCK, request);
  }

  /**
   * Waits for whoever has the lock.
   * @returns false when the lock ran out: its holder died, or stands still
   */
  async #isOverBy(key: string, deadlineMs: number, request: object | undefined): Promise<boolean> {
    for (let pauseMs = MIN_PAUSE_MS; performance.now() < deadlineMs; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      await delay(pauseMs * (0.5 + Math.random() / 2)); // those that began to wait together look one after another
      const holder = await this.redis.run((client) => client.get(key), 'read', GET_LOCK, request);
      if (holder === OVER || holder === null) return holder === OVER;
    }
    return true;
  }

  #hold(key: string, token: string, request: object | undefined): () => Promise<void> {
    const renewing = setInterval(() => void this.#replace(key, token, token, LOCK_MS), RENEW_MS).unref();
    return async () => {
      clearInterval(renewing);
      // Whoever has it, if the holder stood still for so long that it ran out: what was stored here
      // is theirs as well.
      const tell = this.redis.run((client) => client.set(key, OVER, 'PX', OVER_MS), 'fill', SET_LOCK, request);
      await tell.catch(() => {});
    };
  }

  async #replace(key: string, token: string, value: string, ttlMs: number, request?: object): Promise<void> {
    const replacing = this.redis.run(
      (client) => client.replaceLock(key, token, value, ttlMs),
      'fill',
      REPLACE_LOCK,
      request,
    );
    // FastRedis has told of a failure; the lock runs out then.
    await replacing.catch(() => {});
  }
}
