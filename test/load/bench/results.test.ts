import { expect, test } from 'vitest';

import type { BenchCase } from './cases.ts';
import { resultTable } from './result-table.ts';
import { medianRatio, type Sample, summarize } from './results.ts';

const SERVICE: BenchCase = {
  section: 'hot-dashboard',
  operation: 'Dashboard',
  subject: 'redis',
  baseline: 'limitRedis',
};
const LIMIT: BenchCase = { ...SERVICE, subject: 'limitRedis' };

function sample(figures: Partial<Sample>): Sample {
  return {
    requests: 1_000,
    allRequests: 1_000,
    durationMs: 1_000,
    p50Ms: 1,
    p99Ms: 2,
    cpuMicrosPerRequest: 100,
    databaseMicrosPerRequest: 200,
    loadMicrosPerRequest: 30,
    hitRate: Number.NaN,
    writes: 0,
    staleReads: 0,
    freshnessChecks: 0,
    statementsPerRequest: 0,
    ...figures,
  };
}

test('a ratio is taken round by round, so that a slow minute of the machine does not count against one side', () => {
  const own = [{ rate: 100 }, { rate: 10 }, { rate: 90 }];
  const baseline = [{ rate: 200 }, { rate: 20 }, { rate: 100 }];
  expect(medianRatio(own, baseline, ({ rate }) => rate)).toBe(0.5);
});

test('a case is divided by the baseline of its own section, its figures are medians, and its checks are added up', () => {
  const rounds = [
    sample({ requests: 2_000, cpuMicrosPerRequest: 50, freshnessChecks: 7, staleReads: 1 }),
    sample({ requests: 4_000, cpuMicrosPerRequest: 150, freshnessChecks: 5 }),
    sample({ requests: 3_000, cpuMicrosPerRequest: 100 }),
  ];
  const [service] = summarize([
    { benchCase: SERVICE, samples: rounds, peakMemoryBytes: 2 },
    { benchCase: { ...LIMIT, section: 'hot-list' }, samples: rounds.map(() => sample({})), peakMemoryBytes: 1 },
    { benchCase: LIMIT, samples: rounds.map(() => sample({ requests: 6_000 })), peakMemoryBytes: 1 },
  ]);
  expect(service).toMatchObject({
    requestsPerSecond: 3_000,
    throughputRatio: 0.5,
    cpuMicrosPerRequest: 100,
    cpuRatio: 1,
    p99Ratio: 1,
    memoryRatio: 2,
    requests: 9_000,
    freshnessChecks: 12,
    staleReads: 1,
  });
});

test('reads among writes are divided by the same reads without writes', () => {
  const reads: BenchCase = { ...SERVICE, section: 'mixed', baseline: 'redis' };
  const [, mixed] = summarize([
    { benchCase: reads, samples: [sample({ requests: 4_000 })], peakMemoryBytes: 1 },
    { benchCase: { ...reads, writeShare: 0.05 }, samples: [sample({ requests: 3_000 })], peakMemoryBytes: 1 },
  ]);
  expect(mixed?.throughputRatio).toBe(0.75);
});

test('and told beside the bare server that has the same share of writes', () => {
  const limit: BenchCase = {
    ...{ ...SERVICE, section: 'mixed', writeShare: 0.05 },
    ...{ subject: 'limitRedisWrites', baseline: 'limitRedisWrites' },
  };
  const service: BenchCase = { ...limit, subject: 'redis', baseline: 'redis', beside: ['limitRedisWrites'] };
  const rounds = (...requests: number[]) =>
    requests.map((count) =>
      sample({ requests: count, cpuMicrosPerRequest: count / 10, databaseMicrosPerRequest: 1, p99Ms: count / 100 }),
    );
  const [ofService, ofLimit] = summarize([
    { benchCase: service, samples: rounds(4_000, 2_000), peakMemoryBytes: 1 },
    { benchCase: limit, samples: rounds(5_000, 2_500), peakMemoryBytes: 1 },
    { benchCase: { ...limit, writeShare: 0.5 }, samples: rounds(9_000, 9_000), peakMemoryBytes: 1 },
  ]);
  expect(ofService?.beside).toEqual([
    { subject: 'limitRedisWrites', throughputRatio: 0.8, cpuRatio: 0.8, databaseRatio: 1, p99Ratio: 0.8 },
  ]);
  expect(ofLimit?.beside).toEqual([]);
});

test('the table shows a dash for what does not apply or could not be measured', () => {
  const results = summarize([
    {
      benchCase: SERVICE,
      samples: [sample({ hitRate: 0.9995, statementsPerRequest: Number.NaN })],
      peakMemoryBytes: 160 * 1024 * 1024,
    },
    { benchCase: LIMIT, samples: [sample({ requests: 2_000 })], peakMemoryBytes: Number.NaN },
  ]);
  const [, , service, limit] = resultTable(results)
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  expect(service).toEqual([
    ...['hot-dashboard', 'service, Redis', '1,000', '0.50', '100', '1.00', '200', '30', '1.00', '2.00'],
    ...['100.0 %', '-', '160.0 MiB', '-', '-'],
  ]);
  expect(limit?.slice(2)).toEqual([
    ...['2,000', '1.00', '100', '1.00', '200', '30', '1.00', '2.00', '-', '0.00', '-', '-', '-'],
  ]);
});
