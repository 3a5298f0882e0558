import { catalogEntry } from './catalog.ts';
import { type IndexDefinition, isSameKey } from './definition.ts';
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

/** A B-tree that grows in random places is about two thirds full; so much more than its entries need is bloat. */
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
  if (!index.valid)
    return { kind: 'invalid', reason: 'invalid: written and never read; npm run indexes:create rebuilds it' };
  const others = all.filter((other) => other !== index && other.valid && other.plain && index.plain);
  const twin = others.find((other) => isSameKey(other.definition, index.definition) && isKeptRather(other, index));
  if (twin) return { kind: 'duplicate', reason: `duplicate of ${twin.definition.name}` };
  const cover = others.find((other) => covers(other.definition, index.definition));
  if (cover) return { kind: 'covered', reason: `covered by ${cover.definition.name}` };
  return bloat(index) ?? usage(index, countingSince);
}

/** Of two equal indexes the catalogue's stays; else the first by name. */
function isKeptRather(one: IndexUsage, other: IndexUsage): boolean {
  const known = (index: IndexUsage) => (catalogEntry(index.definition.name) ? 0 : 1);
  return known(one) < known(other) || (known(one) === known(other) && one.definition.name < other.definition.name);
}

/** Whether whatever the second index finds, in whatever order, the first does as well. */
export function covers(one: IndexDefinition, other: IndexDefinition): boolean {
  if (one.table !== other.table || other.unique || one.method !== 'btree' || other.method !== 'btree') return false;
  if (one.where !== other.where || one.columns.length <= other.columns.length) return false;
  const carried = new Set([...one.columns.map(({ name }) => name), ...one.include]);
  if (!other.include.every((name) => carried.has(name))) return false;
  const leading = one.columns.slice(0, other.columns.length);
  const isSame = leading.every(({ name }, at) => name === other.columns[at]?.name);
  const turned = leading.map(({ descending }, at) => descending !== other.columns[at]?.descending);
  return isSame && new Set(turned).size === 1; // an index is read backwards as well
}

function bloat({ sizeBytes, neededBytes }: IndexUsage): Verdict | undefined {
  if (neededBytes === null || sizeBytes < neededBytes * BLOATED_FACTOR) return undefined;
  if (sizeBytes - neededBytes < BLOATED_BYTES) return undefined;
  const free = Math.round((1 - neededBytes / sizeBytes) * 100);
  return { kind: 'bloated', reason: `bloated: about ${free}% of it is free; REINDEX INDEX CONCURRENTLY` };
}

function usage({ scans, definition }: IndexUsage, countingSince: string): Verdict {
  if (scans > 0) return { kind: 'used', reason: 'used' };
  const since = `unused since ${countingSince.slice(0, 10)}`;
  const keeps = catalogEntry(definition.name)?.keeps ?? (definition.unique ? 'its rows are unique by it' : undefined);
  return keeps ? { kind: 'kept', reason: `${since}, kept: ${keeps}` } : { kind: 'unused', reason: since };
}
