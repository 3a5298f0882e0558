import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../../src/latency-histogram.ts';

/**
 * The bound that the histogram promises: 1/64, and half a microsecond where a bucket is a
 * microsecond.
 */
const tolerance = (exactMs: number) => exactMs / 64 + 0.001;

/** From 0.1 us to 100 s, as evenly over the magnitudes as durations are. */
const durations = fc.array(
  fc.double({ min: -4, max: 5, noNaN: true }).map((exponent) => 10 ** exponent),
  { minLength: 1, maxLength: 2_000 },
);

function recorded(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

function exactPercentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
}

describe('a latency histogram', () => {
  it('tells percentiles to 1.6 %, and count, mean and maximum exactly', () => {
    fc.assert(
      fc.property(durations, (values) => {
        const { count, mean, p50, p95, p99, max } = recorded(values).latency();
        expect(count).toBe(values.length);
        expect(max).toBe(Math.max(...values));
        expect(mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 6);
        for (const [share, got] of [[0.5, p50] as const, [0.95, p95] as const, [0.99, p99] as const]) {
          const exact = exactPercentile(values, share);
          expect(Math.abs(got - exact)).toBeLessThanOrEqual(tolerance(exact));
        }
      }),
    );
  });

  it('is all zero before anything was recorded', () => {
    expect(new LatencyHistogram().latency()).toEqual({ count: 0, mean: 0, p50: 0, p95: 0, p99: 0, max: 0 });
  });

  it('takes durations of zero and of hours', () => {
    const { count, p50, max } = recorded([0, 7_200_000]).latency();
    expect({ count, p50, max }).toEqual({ count: 2, p50: 0.0005, max: 7_200_000 });
  });

  it('says the same after adding another as if it had recorded everything itself', () => {
    fc.assert(
      fc.property(durations, durations, (some, others) => {
        const sum = recorded(some);
        sum.add(recorded(others));
        const { mean, ...exact } = recorded([...some, ...others]).latency();
        expect(sum.latency()).toMatchObject(exact);
        expect(sum.latency().mean).toBeCloseTo(mean, 6);
      }),
    );
  });

  it('leaves the added histogram as it was', () => {
    const added = recorded([5]);
    recorded([500]).add(added);
    expect(added.latency()).toMatchObject({ count: 1, max: 5 });
  });

  it('counts the durations up to each bound, those within a bucket of the bound aside', () => {
    fc.assert(
      fc.property(durations, (values) => {
        const bounds = [0.01, 1, 2.5, 50, 1_000, 10_000];
        const counts = recorded(values).countsUpTo(bounds);
        bounds.forEach((bound, index) => {
          const upTo = (limit: number) => values.filter((value) => value <= limit).length;
          expect(counts[index]).toBeGreaterThanOrEqual(upTo(bound - 2 * tolerance(bound)));
          expect(counts[index]).toBeLessThanOrEqual(upTo(bound));
        });
      }),
    );
  });
});
