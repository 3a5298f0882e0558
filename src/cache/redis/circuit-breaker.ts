import { performance } from 'node:perf_hooks';

/** `half_open`: what comes next is the trial. */
export const BREAKER_STATES = ['closed', 'open', 'half_open'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

/** When a circuit breaker opens, and for how long. */
export interface BreakerLimits {
  /** Failures in a row. */
  readonly failures: number;
  readonly openMs: number;
}

/**
 * Tells, after some failures in a row, to leave something alone for a while. What comes first after
 * that is the trial.
 */
export class CircuitBreaker {
  #failures = 0;
  #openUntilMs = 0;

  constructor(private readonly limits: BreakerLimits) {}

  get isOpen(): boolean {
    return performance.now() < this.#openUntilMs;
  }

  get state(): BreakerState {
    if (this.isOpen) return 'open';
    return this.#failures < this.limits.failures ? 'closed' : 'half_open';
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(): void {
    if (++this.#failures >= this.limits.failures) this.#openUntilMs = performance.now() + this.limits.openMs;
  }
}
