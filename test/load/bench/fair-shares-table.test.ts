import { describe, expect, test } from 'vitest';
import type { NeighbourResult, OverloadResult } from './fair-shares.ts';
import { areSharesFair, neighboursTable, overloadsTable } from './fair-shares-table.ts';

const FLOOD = {
  ...{ sent: 100, unsent: 0, statuses: { 200: 90, 503: 10 }, durationMs: 1_000 },
  ...{ p50Ms: 1, p99Ms: 250, refusedP99Ms: 3 },
};
/** At the edge of every aim. */
const NEIGHBOUR: NeighbourResult = {
  ...{ beside: 'a flood from the cache', dashboards: 200, errors: 0, p50Ms: 2, p99Ms: 12, ratio: 3 },
  ...{ flood: FLOOD, wasReady: true },
};
const OVERLOAD: OverloadResult = {
  ...{ what: 'dashboards', capacityPerSecond: 100, keptPerSecond: 90, keptRatio: 0.9 },
  ...{ overload: FLOOD, recoveryMs: 1_000 },
};

/** The last column of the only row. */
function verdictOf(table: string): string | undefined {
  return table.trimEnd().split('\n').at(-1)?.split(/ {2,}/).at(-1);
}

describe('the aims of fair shares', () => {
  test('are met at their edges', () => {
    const result = { neighbours: [NEIGHBOUR], overloads: [OVERLOAD] };
    expect([verdictOf(neighboursTable(result)), verdictOf(overloadsTable(result))]).toEqual(['met', 'met']);
    expect(areSharesFair(result)).toBe(true);
  });

  test.each<[string, Partial<NeighbourResult>]>([
    ['p99', { ratio: 3.01 }],
    ['p99', { ratio: Number.NaN }],
    ['errors', { errors: 1 }],
    ['ready', { wasReady: false }],
    ['errors, p99', { errors: 2, ratio: 4 }],
  ])('are missed by a neighbour: %s', (what, change) => {
    const result = { neighbours: [{ ...NEIGHBOUR, ...change }], overloads: [OVERLOAD] };
    expect(verdictOf(neighboursTable(result))).toBe(`NOT MET: ${what}`);
    expect(areSharesFair(result)).toBe(false);
  });

  test.each<[string, Partial<OverloadResult>]>([
    ['kept', { keptRatio: 0.899 }],
    ['kept', { keptRatio: Number.NaN }],
    ['recovery', { recoveryMs: 1_001 }],
    ['kept, recovery', { keptRatio: 0.5, recoveryMs: 2_000 }],
  ])('are missed by an overload: %s', (what, change) => {
    const result = { neighbours: [NEIGHBOUR], overloads: [{ ...OVERLOAD, ...change }] };
    expect(verdictOf(overloadsTable(result))).toBe(`NOT MET: ${what}`);
    expect(areSharesFair(result)).toBe(false);
  });

  test('are judged in every row', () => {
    const slow = { ...NEIGHBOUR, ratio: 5 };
    expect(areSharesFair({ neighbours: [slow, NEIGHBOUR], overloads: [OVERLOAD, OVERLOAD] })).toBe(false);
    expect(areSharesFair({ neighbours: [NEIGHBOUR, slow], overloads: [] })).toBe(false);
  });
});
