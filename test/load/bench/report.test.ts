import { expect, test } from 'vitest';
import { MACHINE } from './known-machine.ts';
import { judged } from './prices.ts';
import { formatReport } from './report.ts';
import { summarize } from './results.ts';

const EMPTY = {
  machine: MACHINE,
  size: { tenants: 200, accounts: 20_000, transactions: 2_000_000, accountsPerTenant: 50, data: 'life' as const },
  connections: 16,
  cases: [],
  writers: [],
  pastWrites: [],
  bulkLoad: null,
  memory: [],
  invalidation: [],
  fairShares: null,
  prices: null,
  subscriptions: [],
};

test('only what was measured is shown', () => {
  expect(formatReport(EMPTY).split('\n')).toHaveLength(2);
});

test('memory is shown beside its bound, and an invalidation beside one of few entries', () => {
  const MIB = 2 ** 20;
  const kept = { boundBytes: 64 * MIB, countedBytes: 64 * MIB, liveBytes: 48 * MIB, residentBytes: 100 * MIB };
  const times = { fewEntries: 10, fewMicros: 2, manyEntries: 1_000_000, manyMicros: 2.5, ratio: 1.25 };
  const rows = formatReport({
    ...EMPTY,
    bulkLoad: { transactions: 1_000_000, accounts: 20_000, seconds: 50, transactionsPerSecond: 20_000 },
    memory: [{ tier: 'in process', put: 1_000_000, kept: 26_843, ...kept }],
    invalidation: [{ tier: 'Redis', ...times }],
  })
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  expect(rows).toContainEqual([
    ...['in process', '1,000,000', '26,843', '64.0 MiB', '64.0 MiB', '48.0 MiB', '0.75', '100.0 MiB'],
  ]);
  expect(rows).toContainEqual(['Redis', '10', '2.0', '1,000,000', '2.5', '1.25']);
  expect(rows.flat().join(' ')).toContain('50.0 s, 20,000 transactions/s');
});

test('a neighbour is shown beside nobody and beside the flood, an overload with what was kept', () => {
  const arrivals = { sent: 100, unsent: 0, statuses: { 200: 90, 503: 10 }, durationMs: 1_000 };
  const flood = { ...arrivals, p50Ms: 1, p99Ms: 250, refusedP99Ms: 3 };
  const asked = { dashboards: 200, errors: 0, p50Ms: 2, p99Ms: 4, ratio: 1, wasReady: true };
  const rows = formatReport({
    ...EMPTY,
    fairShares: {
      neighbours: [
        { ...asked, beside: 'nobody', flood: null },
        { ...asked, beside: 'a flood from the cache', flood, p99Ms: 8, ratio: 2, wasReady: false },
      ],
      overloads: [
        {
          ...{ what: 'dashboards', capacityPerSecond: 100, keptPerSecond: 90, keptRatio: 0.9 },
          ...{ overload: flood, recoveryMs: 40 },
        },
      ],
    },
  })
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  expect(rows).toContainEqual(['nobody', '200', '0', '2.0', '4.0', '1.00', '-', '-', 'always', 'met']);
  const flooded = ['a flood from the cache', '200', '0', '2.0', '8.0', '2.00', '90', '10'];
  expect(rows).toContainEqual([...flooded, 'NOT ALWAYS', 'NOT MET: ready']);
  expect(rows).toContainEqual(['dashboards', '100.0', '90.0', '0.90', '250', '10', '3', '40', 'met']);
});

test('what is mixed with writes is told beside the bare server that writes as much', () => {
  const benchCase = {
    ...({ section: 'mixed', operation: 'Dashboard', subject: 'redis', baseline: 'redis' } as const),
    ...({ writeShare: 0.05, beside: ['limitRedisWrites'] } as const),
  };
  const beside = [
    { subject: 'limitRedisWrites', throughputRatio: 0.8, cpuRatio: 1.5, databaseRatio: Number.NaN, p99Ratio: 1.25 },
  ] as const;
  const cases = summarize([{ benchCase, samples: [], peakMemoryBytes: 1 }]).map((result) => ({ ...result, beside }));
  const rows = formatReport({ ...EMPTY, cases })
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  expect(rows).toContainEqual([
    ...['mixed, 5 % writes', 'service, Redis', 'bare Fastify, Redis and SQL', '0.80', '1.50', '-', '1.25'],
  ]);
});

test('the report says how the data were written', () => {
  expect(formatReport(EMPTY)).toContain('2,000,000 transactions (life); 16 connections');
});

test('a price is shown beside the one in the middle, and what is too far from it is said', () => {
  const price = (title: string, pointsPerMs: number, isCheap = false) => ({
    ...{ title, tenant: 'largest', points: 1_000, serviceMicros: 600, databaseMicros: 400, pointsPerMs, isCheap },
  });
  const measured = [price('a', 1_000), price('b', 900), price('c', 3_100), price('d', 90_000, true)] as const;
  const lines = formatReport({ ...EMPTY, prices: judged(measured as Parameters<typeof judged>[0]) }).split('\n');
  const rows = lines.map((line) => line.split(/ {2,}/));
  expect(rows).toContainEqual(['a', 'largest', '1,000', '600', '400', '1,000', '1.0']);
  expect(rows).toContainEqual(['c', 'largest', '1,000', '600', '400', '3,100', '3.1 TOO FAR']);
  expect(rows).toContainEqual(['d', 'largest', '1,000', '600', '400', '90,000', '(the most)']);
  expect(lines.at(-1)).toMatch(/^Points for a millisecond of CPU, in the middle: 1,000\./);
});
