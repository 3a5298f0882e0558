import { LatencyHistogram } from '../latency-histogram.ts';

/**
 * What became of a dashboard that was due: `filled`, `kept` (it was there, as another process or a
 * client had it computed), `failed`; or of a round: broken off for `load`, or begun at a time when
 * the cache is `untrusted`.
 */
export const WARM_UP_RESULTS = ['filled', 'kept', 'failed', 'load', 'untrusted'] as const;
export type WarmUpResult = (typeof WARM_UP_RESULTS)[number];

/** For the metrics; since the process began. */
export class WarmUpCounts {
  readonly results = new Map<WarmUpResult, number>(WARM_UP_RESULTS.map((result) => [result, 0]));
  /** Of those that were filled, waiting for their turn included. */
  readonly durations = new LatencyHistogram();

  add(result: WarmUpResult): void {
    this.results.set(result, (this.results.get(result) ?? 0) + 1);
  }
}
