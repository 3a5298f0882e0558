import { ErrorCode } from '../errors.ts';
import { LatencyHistogram } from '../latency-histogram.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import type { CountedMinute, MinuteSum } from './minute.repository.ts';

/** Of this process since it began: they only grow. */
type Totals = Readonly<Record<Exclude<MinuteSum, 'processes' | 'requests' | 'hits' | 'misses'>, number>>;

export interface MinuteSources {
  readonly monitor: Monitor;
  /** Requests that were refused since nobody could work on them, since the process began. */
  readonly refusedTurns: () => number;
  /** Null: the cache is off. */
  readonly isTrusted: () => boolean | null;
}

/** What this process counts between one minute and the next. */
export class MinuteCounts {
  #totals: Totals;
  #wasUntrusted = false;

  constructor(private readonly sources: MinuteSources) {
    this.#totals = totalsOf(sources);
  }

  /** Call it now and then: what is between two looks goes by unseen. */
  lookAtTrust(): void {
    if (this.sources.isTrusted() === false) this.#wasUntrusted = true;
  }

  /** Takes what was counted since the last time. */
  take(): CountedMinute {
    this.lookAtTrust();
    const [before, now] = [this.#totals, totalsOf(this.sources)];
    const { hits, others } = this.sources.monitor.lately.take();
    const latency = new LatencyHistogram();
    latency.add(hits);
    latency.add(others);
    const bypasses = now.bypasses - before.bypasses;
    const taken: CountedMinute = {
      processes: 1,
      requests: latency.count,
      hits: hits.count,
      // Those under way are counted as bypasses already, and not as answers yet.
      misses: Math.max(0, others.count - bypasses),
      bypasses,
      errors: now.errors - before.errors,
      refusals: now.refusals - before.refusals,
      statements: now.statements - before.statements,
      databaseMs: now.databaseMs - before.databaseMs,
      untrusted: this.#wasUntrusted,
      latency,
      hitLatency: hits,
    };
    this.#totals = now;
    this.#wasUntrusted = false;
    return taken;
  }
}

function totalsOf({ monitor, refusedTurns }: MinuteSources): Totals {
  const errors = [...monitor.errors.entries()];
  const count = (counted: typeof errors) => counted.reduce((sum, [, each]) => sum + each.count, 0);
  const statements = [...monitor.queries.values()].map(({ durations }) => durations);
  return {
    bypasses: [...monitor.bypasses.values()].reduce((sum, each) => sum + each, 0),
    errors: count(errors),
    refusals: refusedTurns() + count(errors.filter(([key]) => key.endsWith(` ${ErrorCode.RateLimited}`))),
    statements: statements.reduce((sum, durations) => sum + durations.count, 0),
    databaseMs: statements.reduce((sum, durations) => sum + durations.sumMs, 0),
  };
}
