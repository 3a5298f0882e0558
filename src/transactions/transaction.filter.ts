import { Prisma } from '../generated/prisma/client.ts';
import type { Scanned } from '../graphql/complexity.ts';
import { checkedValues, filterConditions, joinedNames } from '../graphql/filter.ts';
import { checkedDecimal, checkedId, checkedInstant, checkedSearchText } from '../graphql/input-checks.ts';
import type { TransactionFilter, TransactionOrder, TransactionOrderField } from './transaction.input.ts';

const { sql } = Prisma;

/**
 * The conditions of a filter, joined by AND; the tenant's own condition is not among them.
 * @throws BAD_USER_INPUT naming the field that does not hold
 */
export function transactionConditions(filter: TransactionFilter | null | undefined): Prisma.Sql[] {
  return filterConditions(filter, ownConditions);
}

function ownConditions(filter: TransactionFilter, path: string): Prisma.Sql[] {
  const conditions: Prisma.Sql[] = [];
  const add = <Name extends keyof TransactionFilter>(
    name: Name,
    condition: (value: NonNullable<TransactionFilter[Name]>, argument: string) => Prisma.Sql,
  ) => {
    const value = filter[name];
    if (value != null) conditions.push(condition(value, `${path}.${name}`));
  };
  add('accountId', (id, at) => sql`account_id = ${checkedId(at, id)}::uuid`);
  add('accountIdIn', (ids, at) => sql`account_id = ANY (${checkedValues(at, ids, checkedId)}::uuid[])`);
  add('direction', (direction) => sql`direction = ${direction}::transaction_direction`);
  add('directionIn', (some, at) => sql`direction = ANY (${checkedValues(at, some)}::transaction_direction[])`);
  add('category', (category, at) => sql`category = ${checkedSearchText(at, category)}`);
  add('categoryIn', (some, at) => sql`category = ANY (${checkedValues(at, some, checkedSearchText)}::text[])`);
  add('categoryStartsWith', (start, at) => sql`starts_with(category, ${checkedSearchText(at, start)})`);
  add('hasCategory', (has) => (has ? sql`category IS NOT NULL` : sql`category IS NULL`));
  add('currency', (currency, at) => sql`currency = ${checkedSearchText(at, currency)}`);
  add('currencyIn', (some, at) => sql`currency = ANY (${checkedValues(at, some, checkedSearchText)}::text[])`);
  add('counterpartyBank', (bank, at) => sql`counterparty_bank = ${checkedSearchText(at, bank)}`);
  add(
    'counterpartyBankIn',
    (banks, at) => sql`counterparty_bank = ANY (${checkedValues(at, banks, checkedSearchText)}::text[])`,
  );
  add(
    'counterpartyBankStartsWith',
    (start, at) => sql`starts_with(counterparty_bank, ${checkedSearchText(at, start)})`,
  );
  add('descriptionStartsWith', (start, at) => sql`starts_with(description, ${checkedSearchText(at, start)})`);
  add('minAmount', (min, at) => sql`amount >= ${checkedDecimal(at, min)}::numeric`);
  add('maxAmount', (max, at) => sql`amount <= ${checkedDecimal(at, max)}::numeric`);
  add('bookedFrom', (from, at) => sql`booked_at >= ${checkedInstant(at, from)}::timestamptz`);
  add('bookedTo', (to, at) => sql`booked_at <= ${checkedInstant(at, to)}::timestamptz`);
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

/**
 * By order: conditions that are bounds of it, and those of which an index has one at most together
 * with it.
 */
const INDEXED: Readonly<Record<TransactionOrderField, { bounds: readonly string[]; sets: readonly string[] }>> = {
  BOOKED_AT: { bounds: ['bookedFrom', 'bookedTo'], sets: ['', 'accountId', 'category'] },
  AMOUNT: { bounds: ['minAmount', 'maxAmount'], sets: [''] },
};

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
 * beside bounds of it, and rows that fail another condition are read and passed over.
 */
export function searchedTransactions({ filter, orderBy }: Ordered, decides: Decides = () => {}): Scanned | undefined {
  const given = joinedNames(filter);
  if (given.length === 0) return undefined;
  decides('orderBy');
  const { bounds, sets } = INDEXED[fieldOf(orderBy)];
  return sets.includes(given.filter((name) => !bounds.includes(name)).join()) ? undefined : scannedFor(filter);
}

/**
 * The same of the transactions of one account: that is the one condition. All of them are read for
 * another order than that of time.
 */
export function searchedOfAccount({ filter, orderBy }: Ordered, decides: Decides = () => {}): Scanned | undefined {
  decides('orderBy');
  const isInOrder = fieldOf(orderBy) === 'BOOKED_AT';
  const { bounds } = INDEXED.BOOKED_AT;
  return isInOrder && joinedNames(filter).every((name) => bounds.includes(name)) ? undefined : 'ofAccount';
}

/** What to do when a search takes too long. */
export function transactionRemedy(orderBy: TransactionOrder | null | undefined): string {
  return fieldOf(orderBy) === 'BOOKED_AT'
    ? 'narrow the filter, for example by bookedFrom and bookedTo'
    : 'narrow the filter by accountId or to minAmount and maxAmount alone, or order by BOOKED_AT';
}

interface Filtered {
  readonly filter?: TransactionFilter | null;
}

interface Ordered extends Filtered {
  readonly orderBy?: TransactionOrder | null;
}

type Decides = (argument: 'orderBy') => void;

function fieldOf(orderBy: TransactionOrder | null | undefined): `${TransactionOrderField}` {
  return orderBy?.field ?? 'BOOKED_AT';
}

/** Whether only transactions of one account satisfy a filter. */
export function isOfAccount(filter: TransactionFilter | null | undefined): boolean {
  return joinedNames(filter).includes('accountId');
}

function scannedFor(filter: TransactionFilter | null | undefined): Scanned {
  return isOfAccount(filter) ? 'ofAccount' : 'transactions';
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
