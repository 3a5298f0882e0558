import type { Minutes } from './use-figures.ts';

export type Minute = Minutes['history'][number];

const MINUTE_MS = 60_000;

/** Minutes without a row are null: there was no process then. */
export interface Grid {
  /** Seconds since 1970, one a minute. */
  readonly times: readonly number[];
  readonly minutes: readonly (Minute | null)[];
}

/**
 * Every minute of the range up to the last whole one.
 * @param range in minutes
 */
export function gridOf(history: readonly Minute[], range: number, now = Date.now()): Grid {
  const byStart = new Map(history.map((minute) => [Math.floor(Date.parse(minute.start) / MINUTE_MS), minute]));
  const end = Math.floor(now / MINUTE_MS);
  const starts = Array.from({ length: range }, (_, at) => end - range + at);
  return {
    times: starts.map((start) => (start * MINUTE_MS) / 1000),
    minutes: starts.map((start) => byStart.get(start) ?? null),
  };
}

/** Sums of several minutes. Percentiles cannot be added up: the worst minute's is told. */
export interface Recent {
  readonly minutes: number;
  /** The most that any of these minutes had. */
  readonly processes: number;
  readonly requests: number;
  readonly hits: number;
  readonly errors: number;
  readonly refusals: number;
  readonly worstP99: number;
  readonly statements: number;
}

/** @returns undefined where none of the last minutes has a row yet */
export function recentOf({ minutes }: Grid, count: number): Recent | undefined {
  const known = minutes.slice(-count).filter((minute) => minute !== null);
  if (known.length === 0) return undefined;
  const sum = (of: (minute: Minute) => number) => known.reduce((total, minute) => total + of(minute), 0);
  return {
    minutes: known.length,
    processes: Math.max(...known.map((it) => it.processes)),
    requests: sum((it) => it.requests),
    hits: sum((it) => it.hits),
    errors: sum((it) => it.errors),
    refusals: sum((it) => it.refusals),
    statements: sum((it) => it.statements),
    worstP99: Math.max(...known.map((it) => it.latency.p99)),
  };
}
