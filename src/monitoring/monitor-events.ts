import type { CacheTier } from './statistics.ts';

export interface OperationEvent {
  /** The operation's name, or one of `NAMELESS`. */
  readonly name: string;
  /** Null for callers without a tenant. */
  readonly tenantId: string | null;
  readonly durationMs: number;
  /** Errors in the answer. */
  readonly errors: number;
  readonly cacheHit: boolean;
}

export interface ResolverEvent {
  /** `Type.field`. */
  readonly coordinate: string;
  readonly durationMs: number;
  readonly failed: boolean;
}

/**
 * `get` and `set` are accesses to a store, with their durations; `hit` and `miss` the outcome of a whole lookup, one
 * for each; `error` a store that did not do as asked.
 */
export interface CacheEvent {
  readonly namespace: string;
  readonly kind: 'get' | 'set' | 'hit' | 'miss' | 'invalidation' | 'error';
  /** Of `get` and `set`. */
  readonly durationMs?: number;
  /** Of `hit`: where the answer was found; `memory` when absent. */
  readonly tier?: CacheTier;
}

/** In place of a name; no GraphQL name can be spelled like these. */
export const NAMELESS = {
  /** The operation has none. */
  anonymous: '(anonymous)',
  /** The request holds no operation of the schema. */
  invalid: '(invalid)',
  /** Whoever has no token could fill the list of names. */
  noCaller: '(no caller)',
} as const;
