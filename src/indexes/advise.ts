import type { IndexDefinition } from '../database/index-definition.ts';
import type { AnalyzedIndex } from './analyze.ts';
import type { TableUsage } from './usage.ts';

/** What a statement of the workload would gain by an index. */
export interface StatementGain {
  readonly name: string;
  readonly sql: string;
  readonly callsPerDay: number;
  readonly meanMs: number;
  /** The planner's cost without and with the index, for the small and for the largest tenant. */
  readonly tenants: readonly { readonly slug: string; readonly costBefore: number; readonly costAfter: number }[];
}

/** An index that was tried, and the statements whose plans take it. */
export interface TriedIndex {
  readonly index: IndexDefinition;
  readonly gains: readonly StatementGain[];
}

/**
 * A statement of the workload that PostgreSQL does not plan for this login, and that no advice can
 * be given on.
 */
export interface UnplannedStatement {
  /** The product's name for it, or the beginning of its text. */
  readonly name: string;
  readonly callsPerDay: number;
  /** In PostgreSQL's words, with the SQLSTATE. */
  readonly reason: string;
}

export interface IndexAdvice extends TriedIndex {
  readonly gainMsPerDay: number;
  readonly writeMsPerDay: number;
}

export interface DropAdvice {
  readonly index: string;
  readonly reason: string;
}

/**
 * What one more index costs each written row: measured, docs/indexes.md. An update of an account
 * changes an indexed column as a rule (its balance), so that it writes into every index.
 */
const WRITE_MS = 0.004;
/** What each carried column adds to that: 15 bytes of WAL to 162 (measured, docs/indexes.md). */
const CARRIED_COLUMN_SHARE = 0.1;
/**
 * An index must save so many times what it costs the writers: estimates err, and it takes memory
 * besides.
 */
const MIN_GAIN_OVER_WRITES = 2;
/** A plan that costs not even a quarter less is not worth an index. */
const MIN_REDUCTION = 0.25;
/** Below this nobody notices. */
const MIN_GAIN_MS_PER_DAY = 1_000;
/** An index may be for the end of the month. */
const MIN_UNUSED_DAYS = 35;

/** Those of the tried indexes that are worth their writes, the most useful first. */
export function weigh(tried: readonly TriedIndex[], writesPerDay: ReadonlyMap<string, number>): IndexAdvice[] {
  return tried
    .map(({ index, gains }) => {
      const worth = gains.filter((gain) => reductionOf(gain) >= MIN_REDUCTION);
      const gainMsPerDay = worth.reduce((sum, gain) => sum + gain.callsPerDay * gain.meanMs * reductionOf(gain), 0);
      const writeMs = WRITE_MS * (1 + CARRIED_COLUMN_SHARE * index.include.length);
      return { index, gains: worth, gainMsPerDay, writeMsPerDay: (writesPerDay.get(index.table) ?? 0) * writeMs };
    })
    .filter(
      ({ gainMsPerDay, writeMsPerDay }) =>
        gainMsPerDay >= Math.max(MIN_GAIN_MS_PER_DAY, writeMsPerDay * MIN_GAIN_OVER_WRITES),
    )
    .sort((a, b) => b.gainMsPerDay - b.writeMsPerDay - (a.gainMsPerDay - a.writeMsPerDay));
}

/** The share of a statement's cost that goes, for whichever of the tenants gains more. */
function reductionOf({ tenants }: StatementGain): number {
  return Math.max(0, ...tenants.map(({ costBefore, costAfter }) => 1 - costAfter / costBefore));
}

/** What to drop: what another index does as well, and what nobody used for long. */
export function indexesToDrop(indexes: readonly AnalyzedIndex[], countingSince: string, now: Date): DropAdvice[] {
  const observedDays = (now.getTime() - Date.parse(countingSince)) / 86_400_000;
  return indexes
    .filter(
      ({ verdict: { kind } }) =>
        kind === 'duplicate' || kind === 'covered' || (kind === 'unused' && observedDays >= MIN_UNUSED_DAYS),
    )
    .map(({ definition, verdict }) => ({ index: definition.name, reason: verdict.reason }));
}

/** Rows inserted, updated and deleted in each table, per day. */
export function writesPerDay(
  tables: readonly TableUsage[],
  countingSince: string,
  now: Date,
  tableOf: (model: TableUsage['model']) => string,
): Map<string, number> {
  const days = Math.max((now.getTime() - Date.parse(countingSince)) / 86_400_000, 1 / 24);
  return new Map(
    tables.map(({ model, inserts, updates, deletes }) => [tableOf(model), (inserts + updates + deletes) / days]),
  );
}
