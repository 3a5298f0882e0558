import { formatCount } from '../../../src/cli/format.ts';
import { formatTable } from '../../../src/cli/table.ts';
import type { FairSharesResult, NeighbourResult, OverloadResult } from './fair-shares.ts';

/** As docs/performance.md has them. */
const AIMS = {
  /** Of the 99th percentile beside a flood to that beside nobody. */
  maxRatio: 3,
  minKeptRatio: 0.9,
  maxRecoveryMs: 1_000,
} as const;

export function neighboursTable({ neighbours }: FairSharesResult): string {
  return formatTable(
    [
      'cold dashboards, 10/s, beside',
      'asked',
      'errors',
      'p50 ms',
      'p99 ms',
      'ratio',
      'flood: answered',
      'refused',
      'ready',
      'aims',
    ],
    neighbours.map((neighbour) => {
      const { beside, dashboards, errors, p50Ms, p99Ms, ratio, flood, wasReady } = neighbour;
      return [
        ...[beside, formatCount(dashboards), formatCount(errors)],
        ...[p50Ms.toFixed(1), p99Ms.toFixed(1), ratio.toFixed(2)],
        ...[flood ? formatCount(flood.statuses[200] ?? 0) : '-', flood ? formatCount(flood.statuses[503] ?? 0) : '-'],
        wasReady ? 'always' : 'NOT ALWAYS',
        verdict(missedByNeighbour(neighbour)),
      ];
    }),
  );
}

export function overloadsTable({ overloads }: FairSharesResult): string {
  return formatTable(
    [
      'at twice the capacity',
      'capacity/s',
      'kept/s',
      'ratio',
      'answered p99 ms',
      'refused',
      'refused p99 ms',
      'recovery ms',
      'aims',
    ],
    overloads.map((result) => {
      const { what, capacityPerSecond, keptPerSecond, keptRatio, overload, recoveryMs } = result;
      return [
        ...[what, capacityPerSecond.toFixed(1), keptPerSecond.toFixed(1), keptRatio.toFixed(2)],
        ...[overload.p99Ms.toFixed(0), formatCount(overload.statuses[503] ?? 0), overload.refusedP99Ms.toFixed(0)],
        ...[recoveryMs.toFixed(0), verdict(missedByOverload(result))],
      ];
    }),
  );
}

/** Whether every aim is met in every row. */
export function areSharesFair({ neighbours, overloads }: FairSharesResult): boolean {
  return [...neighbours.map(missedByNeighbour), ...overloads.map(missedByOverload)].every(({ length }) => length === 0);
}

function missedByNeighbour({ errors, ratio, wasReady }: NeighbourResult): string[] {
  return missed({ errors: errors === 0, p99: ratio <= AIMS.maxRatio, ready: wasReady });
}

function missedByOverload({ keptRatio, recoveryMs }: OverloadResult): string[] {
  return missed({ kept: keptRatio >= AIMS.minKeptRatio, recovery: recoveryMs <= AIMS.maxRecoveryMs });
}

/** What could not be measured compares to nothing, and is missed. */
function missed(aims: Readonly<Record<string, boolean>>): string[] {
  return Object.keys(aims).filter((name) => !aims[name]);
}

function verdict(names: readonly string[]): string {
  return names.length === 0 ? 'met' : `NOT MET: ${names.join(', ')}`;
}
