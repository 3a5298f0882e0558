import { type IndexDefinition, isSameKey, isSameOrder, reindexStatement } from '../database/index-definition.ts';
import { catalogEntry } from './catalog.ts';
import { isLeftover } from './create-plan.ts';
import type { IndexUsage } from './usage.ts';

export type VerdictKind = 'used' | 'unused' | 'kept' | 'duplicate' | 'covered' | 'invalid' | 'bloated';

/** What to think of an index, and why. */
export interface Verdict {
  readonly kind: VerdictKind;
  /** A sentence or less, for example `covered by bank_accounts_pkey (tenant_id, id)`. */
  readonly reason: string;
}

export interface AnalyzedIndex extends IndexUsage {
  /** From the catalogue; null for an index that it does not list. */
  readonly purpose: string | null;
  readonly verdict: Verdict;
}

/**
 * A B-tree that grows in random places is about two thirds full; so much more than its entries need
 * is bloat.
 */
const BLOATED_FACTOR = 2;
/** Less than this is not worth a rebuild. */
const BLOATED_BYTES = 16 * 1024 * 1024;

/**
 * Judges each index.
 * @param indexes all indexes of the tables they are on
 * @param countingSince when the counters began, RFC 3339
 */
export function analyzeIndexes(indexes: readonly IndexUsage[], countingSince: string): AnalyzedIndex[] {
  return indexes.map((index) => ({
    ...index,
    purpose: catalogEntry(index.definition.name)?.purpose ?? null,
    verdict: judge(index, indexes, countingSince),
  }));
}

function judge(index: IndexUsage, all: readonly IndexUsage[], countingSince: string): Verdict {
  if (!index.valid) return { kind: 'invalid', reason: `invalid: written and never read; ${remedyOfInvalid(index)}` };
  return redundancy(index, all) ?? bloat(index) ?? usage(index, countingSince);
}

function remedyOfInvalid({ definition: { name } }: IndexUsage): string {
  if (catalogEntry(name) || isLeftover(name)) return 'npm run indexes:create puts it right';
  return `npm run indexes:create leaves it alone, since the catalogue does not list it: ${reindexStatement(name)}`;
}

/** None for an index that something else needs: it cannot go, whatever another one finds. */
function redundancy(index: IndexUsage, all: readonly IndexUsage[]): Verdict | undefined {
  if (index.neededBy !== null) return undefined;
  const others = all.filter((other) => other !== index && other.valid);
  const twin = others.find((other) => isSameKey(other.definition, index.definition) && isKeptRather(other, index));
  if (twin) return { kind: 'duplicate', reason: `duplicate of ${twin.definition.name}` };
  const cover = others.find((other) => covers(other.definition, index.definition));
  return cover && { kind: 'covered', reason: `covered by ${cover.definition.name}` };
}

/**
 * Of two equal indexes the catalogue's stays; else the one that something needs; else the first by
 * name.
 */
function isKeptRather(one: IndexUsage, other: IndexUsage): boolean {
  const rank = ({ definition, neededBy }: IndexUsage) => (catalogEntry(definition.name) ? 0 : neededBy ? 1 : 2);
  return rank(one) < rank(other) || (rank(one) === rank(other) && one.definition.name < other.definition.name);
}

/** Whether whatever the second index finds, in whatever order, the first does as well. */
export function covers(one: IndexDefinition, other: IndexDefinition): boolean {
  if (one.table !== other.table || other.unique || one.method !== 'btree' || other.method !== 'btree') return false;
  if (one.where !== other.where || one.columns.length < other.columns.length) return false;
  if (one.columns.length === other.columns.length && one.include.length <= other.include.length) return false;
  const carried = new Set([...one.columns.map(({ name }) => name), ...one.include]);
  return other.include.every((name) => carried.has(name)) && isSameOrder(one.columns, other.columns);
}

function bloat({ sizeBytes, neededBytes, definition }: IndexUsage): Verdict | undefined {
  if (neededBytes === null || sizeBytes < neededBytes * BLOATED_FACTOR) return undefined;
  if (sizeBytes - neededBytes < BLOATED_BYTES) return undefined;
  const free = Math.round((1 - neededBytes / sizeBytes) * 100);
  return { kind: 'bloated', reason: `bloated: about ${free}% of it is free; ${reindexStatement(definition.name)}` };
}

function usage({ scans, definition, neededBy }: IndexUsage, countingSince: string): Verdict {
  if (scans > 0) return { kind: 'used', reason: 'used' };
  const since = `unused since ${countingSince.slice(0, 10)}`;
  const keeps = catalogEntry(definition.name)?.keeps ?? neededBy ?? (definition.unique && 'its rows are unique by it');
  return keeps ? { kind: 'kept', reason: `${since}, kept: ${keeps}` } : { kind: 'unused', reason: since };
}
