import {
  defineIndex,
  type IndexColumn,
  type IndexDefinition,
  indexColumn,
  isSameComparison,
  isSameOrder,
  keyText,
} from '../database/index-definition.ts';
import { isDeclined } from './absent.ts';
import { INDEX_CATALOG } from './catalog.ts';
import type { ScanFacts } from './scan-facts.ts';

const TENANT = 'tenant_id';
/** PostgreSQL cuts longer names. */
const MAX_NAME_LENGTH = 63;
/** More columns make an index that is large and serves one question. */
const MAX_EQUAL_COLUMNS = 3;
/**
 * The same of carried ones; each makes the entries an eighth larger (measured, docs/indexes.md).
 */
const MAX_CARRIED_COLUMNS = 3;

/**
 * Totals kept ready: small for a tenant, and written with each transaction, which every index of
 * them would make dearer.
 */
const KEPT_TOTALS: ReadonlySet<string> = new Set(['account_totals', 'daily_totals']);

/** An index that might serve a scan. */
export interface Candidate {
  readonly index: IndexDefinition;
  /**
   * Its leading columns that are compared with one value: neither their order nor their direction
   * matters.
   */
  readonly equalColumns: number;
}

/**
 * Indexes that might serve a scan, the tenant first: then what is compared with one value, then the
 * order or the bounds; and the same for a part of the rows where a condition has a constant. None
 * for a scan without its tenant, or of totals kept ready.
 */
export function candidatesFor(facts: ScanFacts): Candidate[] {
  if (!facts.equal.includes(TENANT) || KEPT_TOTALS.has(facts.table)) return [];
  const equal = facts.equal.filter((column) => column !== TENANT).sort();
  if (equal.length > MAX_EQUAL_COLUMNS) return [];
  const tail = facts.order.length ? facts.order : facts.bounded.map((name) => indexColumn(name));
  const partial = facts.constant.map(({ condition, column }) => {
    const others = equal.filter((name) => name !== column);
    return candidate(facts.table, others, tail, condition);
  });
  const all = [candidate(facts.table, equal, tail, null), ...partial];
  return all.filter(({ index }) => index.columns.length > 1 || index.where);
}

/**
 * The same indexes with what else the statement reads of the table, so that the table itself need
 * not be looked at; none for statements that read much of it.
 * @param read every column of the table that the statement may read
 */
export function coveringCandidates(candidates: readonly Candidate[], read: readonly string[]): Candidate[] {
  return candidates.flatMap(({ index, equalColumns }) => {
    const carried = read.filter((name) => !index.columns.some((column) => column.name === name));
    if (carried.length === 0 || carried.length > MAX_CARRIED_COLUMNS || index.method !== 'btree') return [];
    const name = nameOf(index.table, [...index.columns.map((column) => column.name), 'with', ...carried], index.where);
    return [{ equalColumns, index: { ...index, name, unique: false, primary: false, include: carried } }];
  });
}

/**
 * Without those that are left out on purpose, that an index serves as well, or another candidate,
 * and without repetitions.
 */
export function worthTrying(candidates: readonly Candidate[], existing: readonly IndexDefinition[]): IndexDefinition[] {
  const distinct = [...new Map(candidates.map((one) => [`${one.index.table} ${keyText(one.index)}`, one])).values()];
  return distinct
    .filter(
      ({ index }) =>
        !isDeclined(
          index.table,
          index.columns.map(({ name }) => name),
        ),
    )
    .filter((one) => !existing.some((index) => serves(index, one)))
    .filter((one) => !distinct.some((other) => isPreferable(other, one)))
    .map(({ index }) => index);
}

/**
 * Whether it serves the same and more. One that carries columns is tried beside one that does not,
 * never instead of it.
 */
function isPreferable(other: Candidate, one: Candidate): boolean {
  const carriesMore = other.index.include.length > 0 && one.index.include.length === 0;
  return other !== one && !carriesMore && serves(other.index, one) && !serves(one.index, other);
}

/**
 * Whether the index finds what the candidate would and carries what it carries, in the candidate's
 * order or the reverse.
 */
export function serves(index: IndexDefinition, { index: wanted, equalColumns }: Candidate): boolean {
  if (index.table !== wanted.table || index.where !== wanted.where || index.method !== wanted.method) return false;
  const held = [...index.columns.map(({ name }) => name), ...index.include];
  if (!wanted.include.every((name) => held.includes(name))) return false;
  const equal = wanted.columns.slice(0, equalColumns);
  const leading = index.columns.slice(0, equalColumns);
  const isLed = equal.every((one) => leading.some((own) => isSameComparison(own, one)));
  if (leading.length !== equal.length || !isLed) return false;
  return isSameOrder(index.columns.slice(equalColumns), wanted.columns.slice(equalColumns));
}

/** The catalogue's index where it has one that serves. */
function candidate(
  table: string,
  equal: readonly string[],
  tail: readonly IndexColumn[],
  where: string | null,
): Candidate {
  const settled = [TENANT, ...equal];
  const ordered = tail.filter(({ name }) => !settled.includes(name));
  const isBackwards = ordered.every(({ descending }) => descending);
  const text = ordered.map(({ name, descending }) => (descending && !isBackwards ? `${name} DESC` : name));
  const columns = [...settled, ...text];
  const index = defineIndex(table, nameOf(table, columns, where), columns.join(', '), where ? { where } : {});
  const wanted = { index, equalColumns: settled.length };
  const known = INDEX_CATALOG.find(
    ({ definition }) => definition.columns.length === columns.length && serves(definition, wanted),
  );
  return known ? { ...wanted, index: known.definition } : wanted;
}

/** In the manner of the catalogue: `bank_accounts_tenant_currency_created_idx`. */
function nameOf(table: string, columns: readonly string[], where: string | null): string {
  const words = columns.map((column) => column.replace(/_id$|_at$| DESC$/g, '')).filter((word) => word !== 'id');
  const part = where ? [where.includes('<>') ? 'not' : '', /'(\w+)'/.exec(where)?.[1]?.toLowerCase() ?? 'part'] : [];
  const name = [table, ...words, ...part.filter(Boolean)].join('_');
  return `${name.slice(0, MAX_NAME_LENGTH - '_idx'.length)}_idx`;
}
