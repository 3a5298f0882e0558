import { Prisma } from '../generated/prisma/client.ts';
import type { Scanned } from '../graphql/complexity.ts';
import { checkedDecimal, checkedId, checkedInstant, checkedSearchText } from '../graphql/input-checks.ts';
import type { TransactionFilter } from './transaction.input.ts';

const { sql } = Prisma;

/**
 * The conditions of a filter, joined by AND; the tenant's own condition is not among them.
 * @throws BAD_USER_INPUT naming the field that does not hold
 */
export function transactionConditions(filter: TransactionFilter | null | undefined): Prisma.Sql[] {
  const conditions: Prisma.Sql[] = [];
  const add = <Value>(value: Value | null | undefined, condition: (value: Value) => Prisma.Sql) => {
    if (value != null) conditions.push(condition(value));
  };
  add(filter?.accountId, (id) => sql`account_id = ${checkedId('filter.accountId', id)}::uuid`);
  add(filter?.direction, (direction) => sql`direction = ${direction}::transaction_direction`);
  add(filter?.category, (category) => sql`category = ${checkedSearchText('filter.category', category)}`);
  add(filter?.minAmount, (min) => sql`amount >= ${checkedDecimal('filter.minAmount', min)}::numeric`);
  add(filter?.maxAmount, (max) => sql`amount <= ${checkedDecimal('filter.maxAmount', max)}::numeric`);
  add(filter?.bookedFrom, (from) => sql`booked_at >= ${checkedInstant('filter.bookedFrom', from)}::timestamptz`);
  add(filter?.bookedTo, (to) => sql`booked_at <= ${checkedInstant('filter.bookedTo', to)}::timestamptz`);
  return conditions;
}

/** The bounds of time that a filter has, as the database keeps instants. */
export interface BookedRange {
  readonly from: string | null;
  readonly to: string | null;
}

/**
 * What daily_totals tell of a filter: how many transactions of a category, or of all, there are on
 * whole days.
 */
export interface KeptCount {
  readonly category: string | null;
  readonly booked: BookedRange;
}

const KEPT: ReadonlySet<string> = new Set(['category', 'bookedFrom', 'bookedTo']);

/** An index has the order of transactions under one of these at most. */
const INDEXED = ['accountId', 'category'] as const;

/**
 * What has to be read to count transactions: the kept totals, and with them those of the days at
 * the ends of a range alone. Decided by which fields the filter has, not by their values.
 */
export function countedTransactions({ filter }: Filtered): Scanned | undefined {
  if (!isKept(filter)) return scannedFor(filter);
  return filter?.bookedFrom == null && filter?.bookedTo == null ? 'dayTotals' : 'countedTransactions';
}

/**
 * What has to be read to find a page of transactions: an index has their order under one condition
 * beside bounds of time, and rows that fail another condition are read and passed over.
 */
export function searchedTransactions({ filter }: Filtered): Scanned | undefined {
  const isOrdered = !hasOther(filter) && INDEXED.filter((name) => filter?.[name] != null).length <= 1;
  return isOrdered ? undefined : scannedFor(filter);
}

/** The same of the transactions of one account: that is the one condition. */
export function searchedOfAccount({ filter }: Filtered): Scanned | undefined {
  return hasOther(filter) || filter?.category != null ? 'ofAccount' : undefined;
}

/** What to do when a search takes too long. */
export const TRANSACTION_REMEDY = 'narrow the filter, for example by bookedFrom and bookedTo';

interface Filtered {
  readonly filter?: TransactionFilter | null;
}

function scannedFor(filter: TransactionFilter | null | undefined): Scanned {
  return filter?.accountId == null ? 'transactions' : 'ofAccount';
}

/** Whether it has a condition that no index has. */
function hasOther(filter: TransactionFilter | null | undefined): boolean {
  return filter?.direction != null || filter?.minAmount != null || filter?.maxAmount != null;
}

function isKept(filter: TransactionFilter | null | undefined): boolean {
  return Object.entries(filter ?? {}).every(([name, value]) => value == null || KEPT.has(name));
}

/**
 * @returns undefined for a filter of which daily_totals tell nothing; in them an empty category
 *   stands for none
 * @throws BAD_USER_INPUT naming the field that does not hold
 */
export function keptCount(filter: TransactionFilter | null | undefined): KeptCount | undefined {
  if (!isKept(filter) || filter?.category === '') return undefined;
  const { category = null, bookedFrom, bookedTo } = filter ?? {};
  const from = bookedFrom == null ? null : checkedInstant('filter.bookedFrom', bookedFrom);
  const to = bookedTo == null ? null : checkedInstant('filter.bookedTo', bookedTo);
  return { category, booked: { from, to } };
}
