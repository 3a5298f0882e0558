/** Of the queue for connections. */
export interface QueueLimits {
  /** How many wait at most, of all tenants together. */
  readonly length: number;
  /** How long each waits at most. */
  readonly timeoutMs: number;
  /** In percent: how much of the pool one tenant holds at most while another one needs it. */
  readonly tenantShare: number;
}

export const DEFAULT_QUEUE_LIMITS: QueueLimits = { length: 1_000, timeoutMs: 1_000, tenantShare: 50 };

/**
 * In percent: how much of the pool searches hold at most, which read rows one by one: each keeps a
 * core of the database busy for as long as it lasts.
 */
export const DEFAULT_SEARCH_SHARE = 20;

/** How many connections one request has, or waits for, at the same time. */
export const DEFAULT_REQUEST_STATEMENTS = 4;
