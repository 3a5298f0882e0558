import { LatencyHistogram } from '../latency-histogram.ts';

/** Times of answers of a span of time. */
export interface SpanLatencies {
  readonly hits: LatencyHistogram;
  readonly others: LatencyHistogram;
}

/** Times of the answers since they were taken last: one histogram is added to for each answer. */
export class RecentLatencies {
  #running: SpanLatencies = noLatencies();

  record(durationMs: number, cacheHit: boolean): void {
    (cacheHit ? this.#running.hits : this.#running.others).record(durationMs);
  }

  take(): SpanLatencies {
    const taken = this.#running;
    this.#running = noLatencies();
    return taken;
  }
}

function noLatencies(): SpanLatencies {
  return { hits: new LatencyHistogram(), others: new LatencyHistogram() };
}
