import { LRUCache } from 'lru-cache';

/**
 * Of `StatementEvent.model`: what is written of the usage is not counted for it, or it would never
 * end.
 */
export const USAGE_MODEL = 'TenantUsage';

/** Tenants whose sums are kept for the metrics: of a process, and of workers that ended. */
export const MAX_TENANT_TOTALS = 10_000;

/** What one tenant cost. */
export interface UsageFigures {
  requests: number;
  /** Of them answered from the response cache. */
  hits: number;
  /** Complexity points taken. */
  points: number;
  databaseMs: number;
  /** That its statements returned or changed. */
  rows: number;
  /** Stored in the cache, in the process and in Redis. */
  bytesKept: number;
  /** Answers with errors, by the code of the first one. */
  errors: Record<string, number>;
}

const NUMBERS = ['requests', 'hits', 'points', 'databaseMs', 'rows', 'bytesKept'] as const;

/**
 * Counts in the process until a writer takes it. Adding costs some 50 ns, so that every hit of the
 * cache can.
 */
export class UsageCounts {
  #untaken = new Map<string, UsageFigures>();
  readonly #totals = new LRUCache<string, UsageFigures>({ max: MAX_TENANT_TOTALS });

  /** An answer. */
  request(tenantId: string, cacheHit: boolean, points: number): void {
    const counted = this.#of(tenantId);
    counted.requests++;
    if (cacheHit) counted.hits++;
    counted.points += points;
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

  /** Takes what was counted since the last time, by tenant. */
  take(): Map<string, UsageFigures> {
    const taken = this.#untaken;
    this.#untaken = new Map();
    for (const [tenantId, figures] of taken) {
      const total = this.#totals.get(tenantId) ?? noUsage();
      addFigures(total, figures);
      this.#totals.set(tenantId, total);
    }
    return taken;
  }

  /** Since the process began, by tenant: those of it that were active last. */
  totals(): [tenantId: string, figures: UsageFigures][] {
    const all = new Map(this.#totals.entries());
    for (const [tenantId, figures] of this.#untaken) {
      const total = noUsage();
      addFigures(total, figures);
      addFigures(total, all.get(tenantId) ?? noUsage());
      all.set(tenantId, total);
    }
    return [...all];
  }

  #of(tenantId: string): UsageFigures {
    const known = this.#untaken.get(tenantId);
    if (known) return known;
    const fresh = noUsage();
    this.#untaken.set(tenantId, fresh);
    return fresh;
  }
}

export function noUsage(): UsageFigures {
  return { requests: 0, hits: 0, points: 0, databaseMs: 0, rows: 0, bytesKept: 0, errors: {} };
}

export function addFigures(to: UsageFigures, figures: UsageFigures): void {
  for (const name of NUMBERS) to[name] += figures[name];
  for (const [code, count] of Object.entries(figures.errors)) to.errors[code] = (to.errors[code] ?? 0) + count;
}
