import { type BenchCase, isBaselineOf, isCaseOf, type SubjectKey } from './cases.ts';
import type { LoadResult } from './load-job.ts';
import { median } from './percentile.ts';

/** One case in one round. */
export interface Sample extends LoadResult {
  readonly statementsPerRequest: number;
}

/** A case over all rounds. */
export interface CaseSamples {
  readonly benchCase: BenchCase;
  readonly samples: readonly Sample[];
  /** Of the server's process, since its start. */
  readonly peakMemoryBytes: number;
}

/**
 * A case's figures: medians over the rounds. NaN where a figure does not apply or cannot be had.
 */
export interface CaseResult {
  readonly benchCase: BenchCase;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicrosPerRequest: number;
  readonly databaseMicrosPerRequest: number;
  readonly loadMicrosPerRequest: number;
  readonly hitRate: number;
  readonly statementsPerRequest: number;
  readonly peakMemoryBytes: number;
  /** Throughput over the baseline's. */
  readonly throughputRatio: number;
  /** CPU per request over the baseline's. */
  readonly cpuRatio: number;
  readonly p50Ratio: number;
  readonly p99Ratio: number;
  /** Peak memory over the baseline's. */
  readonly memoryRatio: number;
  readonly beside: readonly BesideResult[];
  /** Sums over the rounds. */
  readonly requests: number;
  readonly writes: number;
  readonly staleReads: number;
  readonly freshnessChecks: number;
}

/** A case's figures over those of another server that was asked the same. */
export interface BesideResult {
  readonly subject: SubjectKey;
  readonly throughputRatio: number;
  readonly cpuRatio: number;
  readonly databaseRatio: number;
  readonly p99Ratio: number;
}

/**
 * The figures of every case. Ratios are taken round by round, of slices that lie close together in
 * time, and only then the median: what slows the machine for a while slows both.
 */
export function summarize(all: readonly CaseSamples[]): CaseResult[] {
  return all.map((own) => {
    const baseline = all.find(({ benchCase }) => isBaselineOf(benchCase, own.benchCase));
    const { samples } = own;
    const middle = (of: (sample: Sample) => number) => median(samples.map(of));
    const ratio = (of: (sample: Sample) => number) => medianRatio(samples, baseline?.samples ?? [], of);
    const sum = (of: (sample: Sample) => number) => samples.reduce((total, sample) => total + of(sample), 0);
    return {
      benchCase: own.benchCase,
      requestsPerSecond: middle(requestsPerSecond),
      p50Ms: middle(({ p50Ms }) => p50Ms),
      p99Ms: middle(({ p99Ms }) => p99Ms),
      cpuMicrosPerRequest: middle(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest),
      databaseMicrosPerRequest: middle(({ databaseMicrosPerRequest }) => databaseMicrosPerRequest),
      loadMicrosPerRequest: middle(({ loadMicrosPerRequest }) => loadMicrosPerRequest),
      hitRate: middle(({ hitRate }) => hitRate),
      statementsPerRequest: middle(({ statementsPerRequest }) => statementsPerRequest),
      peakMemoryBytes: own.peakMemoryBytes,
      throughputRatio: ratio(requestsPerSecond),
      cpuRatio: ratio(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest),
      p50Ratio: ratio(({ p50Ms }) => p50Ms),
      p99Ratio: ratio(({ p99Ms }) => p99Ms),
      memoryRatio: own.peakMemoryBytes / (baseline?.peakMemoryBytes ?? Number.NaN),
      beside: (own.benchCase.beside ?? []).map((subject) => beside(own, subject, all)),
      requests: sum(({ requests }) => requests),
      writes: sum(({ writes }) => writes),
      staleReads: sum(({ staleReads }) => staleReads),
      freshnessChecks: sum(({ freshnessChecks }) => freshnessChecks),
    };
  });
}

function beside({ benchCase, samples }: CaseSamples, subject: SubjectKey, all: readonly CaseSamples[]): BesideResult {
  const others = all.find((other) => isCaseOf(other.benchCase, benchCase, subject))?.samples ?? [];
  const ratio = (of: (sample: Sample) => number) => medianRatio(samples, others, of);
  return {
    subject,
    throughputRatio: ratio(requestsPerSecond),
    cpuRatio: ratio(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest),
    databaseRatio: ratio(({ databaseMicrosPerRequest }) => databaseMicrosPerRequest),
    p99Ratio: ratio(({ p99Ms }) => p99Ms),
  };
}

/** Median of own over baseline, round by round. NaN without a baseline. */
export function medianRatio<Figures>(
  own: readonly Figures[],
  baseline: readonly Figures[],
  figure: (figures: Figures) => number,
): number {
  return median(
    own.flatMap((figures, round) => {
      const other = baseline[round];
      return other === undefined ? [] : [figure(figures) / figure(other)];
    }),
  );
}

function requestsPerSecond({ requests, durationMs }: LoadResult): number {
  return (requests * 1000) / durationMs;
}
