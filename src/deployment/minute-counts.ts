import { LatencyHistogram } from '../latency-histogram.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import type { RequestOutcome } from '../monitoring/monitor-events.ts';
import type { CountedMinute } from './minute.repository.ts';

/** Of this process since it began: they only grow. */
interface Totals {
  readonly outcomes: Readonly<Record<RequestOutcome, number>>;
  readonly errors: number;
  readonly statements: number;
  readonly databaseMs: number;
}

const OUTCOMES = ['hit', 'miss', 'bypass', 'refused'] as const;

export interface MinuteSources {
  readonly monitor: Monitor;
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
    const { hits: hitLatency, others } = this.sources.monitor.lately.take();
    const latency = new LatencyHistogram();
    latency.add(hitLatency);
    latency.add(others);
    const counted = (outcome: RequestOutcome) => now.outcomes[outcome] - before.outcomes[outcome];
    const [hits, misses, bypasses, refusals] = OUTCOMES.map(counted) as [number, number, number, number];
    const taken: CountedMinute = {
      processes: 1,
      requests: hits + misses + bypasses + refusals,
      ...{ hits, misses, bypasses, refusals },
      errors: now.errors - before.errors,
      statements: now.statements - before.statements,
      databaseMs: now.databaseMs - before.databaseMs,
      untrusted: this.#wasUntrusted,
      latency,
      hitLatency,
    };
    this.#totals = now;
    this.#wasUntrusted = false;
    return taken;
  }
}

function totalsOf({ monitor }: MinuteSources): Totals {
  const errors = [...monitor.errors.values()];
  const statements = [...monitor.queries.values()].map(({ durations }) => durations);
  return {
    outcomes: { ...monitor.outcomes },
    errors: errors.reduce((sum, { count }) => sum + count, 0),
    statements: statements.reduce((sum, { count }) => sum + count, 0),
    databaseMs: statements.reduce((sum, { sumMs }) => sum + sumMs, 0),
  };
}
