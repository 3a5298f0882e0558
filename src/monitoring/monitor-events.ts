export interface OperationEvent {
  /** The operation's name, or one of `NAMELESS`. */
  readonly name: string;
  /** Null for callers without a tenant. */
  readonly tenantId: string | null;
  readonly durationMs: number;
  /** Errors in the answer. */
  readonly errors: number;
  readonly cacheHit: boolean;
  /** Complexity points taken for it; none when absent. */
  readonly points?: number;
}

/** `refused`: nothing was done for it, since its budget was spent, too many waited, or it was no request to GraphQL. */
export type RequestOutcome = 'hit' | 'miss' | 'bypass' | 'refused';

export interface ResolverEvent {
  /** `Type.field`. */
  readonly coordinate: string;
  readonly durationMs: number;
  readonly failed: boolean;
}

/** In place of a name; no GraphQL name can be spelled like these. */
export const NAMELESS = {
  /** The operation has none, or was not read. */
  anonymous: '(anonymous)',
  /** The request holds no operation of the schema. */
  invalid: '(invalid)',
  /** Whoever has no token could fill the list of names. */
  noCaller: '(no caller)',
} as const;
