import { LRUCache } from 'lru-cache';

/** Tenants whose sums are kept for the metrics: of a process, and of workers that ended. */
export const MAX_TENANT_TOTALS = 10_000;

/** What is counted in spans of this length, which the function `tenant_usage_add` knows too. */
export const BUCKET_MS = 5 * 60_000;

/**
 * Answers, those of them from the response cache, complexity points taken, time and rows of the SQL
 * statements, bytes stored in the cache (in the process and in Redis), answers with errors.
 */
export const USAGE_FIGURES = ['requests', 'hits', 'points', 'databaseMs', 'rows', 'bytesKept', 'errors'] as const;
export type UsageFigure = (typeof USAGE_FIGURES)[number];

/** What one tenant cost. */
export interface UsageFigures extends Record<Exclude<UsageFigure, 'errors'>, number> {
  /** Answers with errors, by the code of the first one. */
  errors: Record<string, number>;
}

/** What one tenant cost within the five minutes that begin at `bucketMs`. */
export interface CountedUsage {
  readonly tenantId: string;
  readonly bucketMs: number;
  readonly figures: UsageFigures;
}

/**
 * Counts in the process until a writer takes it, by the five minutes of when it is counted. Adding
 * is cheap enough for every hit of the cache.
 */
export class UsageCounts {
  /** By bucket and tenant. */
  #untaken = new Map<number, Map<string, UsageFigures>>();
  /** Of `#untaken`: the last one that was counted in. */
  #running = new Map<string, UsageFigures>();
  #runningMs = Number.NaN;
  readonly #totals = new LRUCache<string, UsageFigures>({ max: MAX_TENANT_TOTALS });

  constructor(private readonly now: () => number = Date.now) {}

  /** An answer. */
  request(tenantId: string, cacheHit: boolean, points: number): void {
    const counted = this.#of(tenantId);
    counted.requests++;
    if (cacheHit) counted.hits++;
    counted.points += points;
  }

  /** Points that were taken when the answer stood. */
  charged(tenantId: string, points: number): void {
    this.#of(tenantId).points += points;
  }

  statement(tenantId: string, durationMs: number, rows: number): void {
    const counted = this.#of(tenantId);
    counted.databaseMs += durationMs;
    counted.rows += rows;
  }

  kept(tenantId: string, bytes: number): void {
    this.#of(tenantId).bytesKept += bytes;
  }

  error(tenantId: string, code: string): void {
    const { errors } = this.#of(tenantId);
    errors[code] = (errors[code] ?? 0) + 1;
  }

  /** Takes what was counted since the last time: each tenant once for each bucket. */
  take(): CountedUsage[] {
    const taken = [...this.#counted()];
    this.#untaken = new Map();
    this.#runningMs = Number.NaN;
    for (const { tenantId, figures } of taken) {
      const total = this.#totals.get(tenantId) ?? noUsage();
      addFigures(total, figures);
      this.#totals.set(tenantId, total);
    }
    return taken;
  }

  /** How many answers a tenant got since the process began, as far as its sums are kept. */
  requestsOf(tenantId: string): number {
    let requests = this.#totals.peek(tenantId)?.requests ?? 0;
    for (const tenants of this.#untaken.values()) requests += tenants.get(tenantId)?.requests ?? 0;
    return requests;
  }

  /** Since the process began, by tenant: those of it that were active last. */
  totals(): [tenantId: string, figures: UsageFigures][] {
    const all = new Map(this.#totals.entries());
    for (const { tenantId, figures } of this.#counted()) {
      const total = noUsage();
      addFigures(total, figures);
      addFigures(total, all.get(tenantId) ?? noUsage());
      all.set(tenantId, total);
    }
    return [...all];
  }

  #of(tenantId: string): UsageFigures {
    const nowMs = this.now();
    const bucketMs = nowMs - (nowMs % BUCKET_MS);
    if (bucketMs !== this.#runningMs) this.#begin(bucketMs);
    const known = this.#running.get(tenantId);
    if (known) return known;
    const fresh = noUsage();
    this.#running.set(tenantId, fresh);
    return fresh;
  }

  /** The clock may have been set back: the bucket may be there. */
  #begin(bucketMs: number): void {
    this.#running = this.#untaken.get(bucketMs) ?? new Map();
    this.#untaken.set(bucketMs, this.#running);
    this.#runningMs = bucketMs;
  }

  *#counted(): Generator<CountedUsage> {
    for (const [bucketMs, tenants] of this.#untaken)
      for (const [tenantId, figures] of tenants) yield { tenantId, bucketMs, figures };
  }
}

export function noUsage(): UsageFigures {
  return { requests: 0, hits: 0, points: 0, databaseMs: 0, rows: 0, bytesKept: 0, errors: {} };
}

export function addFigures(to: UsageFigures, figures: UsageFigures): void {
  for (const figure of USAGE_FIGURES) if (figure !== 'errors') to[figure] += figures[figure];
  for (const [code, count] of Object.entries(figures.errors)) to.errors[code] = (to.errors[code] ?? 0) + count;
}
