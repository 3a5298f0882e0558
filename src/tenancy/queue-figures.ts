import type { LatencyHistogram } from '../latency-histogram.ts';
import type { RefusalReason } from './fair-queue.ts';

/** What became of those who wanted a place. */
export interface QueueFigures<Reason extends string = RefusalReason> {
  /** How many wait. */
  readonly length: number;
  /** Of how many tenants. */
  readonly tenants: number;
  /** How long those waited who did, and got one. */
  readonly waits: LatencyHistogram;
  /** How many got none, by reason. */
  readonly refusals: Readonly<Record<Reason, number>>;
}

/**
 * Of connections. Searches wait for their turn as such first, which is included. None is got as
 * well when PostgreSQL cannot be reached.
 */
export type ConnectionFigures = QueueFigures<RefusalReason | 'unreachable'>;
