import { Prisma } from '../generated/prisma/client.ts';
import { AccountStatus } from '../generated/prisma/enums.ts';
import type { Scanned } from '../graphql/complexity.ts';
import { checkedDecimal, checkedInstant, checkedSearchText } from '../graphql/input-checks.ts';
import type { AccountFilter, AccountOrder, AccountOrderField } from './account.input.ts';

const { sql } = Prisma;

/**
 * Written out and not as a value: only so does PostgreSQL see that the indexes of active accounts
 * serve.
 */
const ACTIVE = sql`status = 'ACTIVE'`;

/** What account_totals are kept by: their columns are called as those of the accounts are. */
const KEPT: ReadonlySet<string> = new Set(['accountType', 'status', 'isActive', 'bankName', 'currency']);

/** Whether account_totals tell how many accounts satisfy a filter. */
export function isCountKept(filter: AccountFilter | null | undefined): boolean {
  return Object.entries(filter ?? {}).every(([name, value]) => value == null || KEPT.has(name));
}

/**
 * What has to be read to count accounts. Decided by which fields the filter has, not by their
 * values. An account number matches few rows, so counting them is free.
 */
export function countedAccounts({ filter }: Filtered): Scanned | undefined {
  return isCountKept(filter) || filter?.accountNumber != null ? undefined : 'accounts';
}

/**
 * By order: conditions that are bounds of it, and the others that an index has together with it.
 */
const INDEXED: Readonly<Record<AccountOrderField, { bounds: readonly string[]; sets: readonly string[] }>> = {
  CREATED_AT: { bounds: ['createdFrom', 'createdTo'], sets: ['', 'accountType', 'status', 'isActive'] },
  UPDATED_AT: { bounds: [], sets: [''] },
  BALANCE: { bounds: ['minBalance', 'maxBalance'], sets: [''] },
  ACCOUNT_NUMBER: { bounds: [], sets: [''] },
  BANK_NAME: { bounds: [], sets: ['', 'bankName'] },
};

/**
 * What has to be read to find a page of accounts: nothing else where an index has the order under
 * the filter's condition; otherwise rows that fail a condition are read and passed over. An account
 * number matches few rows.
 */
export function searchedAccounts(
  { filter, orderBy }: Filtered & { readonly orderBy?: AccountOrder | null },
  decides: (argument: 'orderBy') => void = () => {},
): Scanned | undefined {
  const given = Object.entries(filter ?? {}).flatMap(([name, value]) => (value == null ? [] : [name]));
  if (given.length === 0 || given.includes('accountNumber')) return undefined;
  decides('orderBy');
  const { bounds, sets } = orderBy ? INDEXED[orderBy.field] : INDEXED.CREATED_AT;
  return sets.includes(given.filter((name) => !bounds.includes(name)).join()) ? undefined : 'accounts';
}

/** What to do when a search takes too long. */
export const ACCOUNT_REMEDY =
  'narrow the filter by accountNumber or by what orderBy sorts by, or turn pages by the cursors of accounts';

interface Filtered {
  readonly filter?: AccountFilter | null;
}

/**
 * The conditions of a filter, joined by AND; the tenant's own condition is not among them.
 * @throws BAD_USER_INPUT naming the field that does not hold
 */
export function accountConditions(filter: AccountFilter | null | undefined): Prisma.Sql[] {
  const conditions: Prisma.Sql[] = [];
  const add = <Value>(value: Value | null | undefined, condition: (value: Value) => Prisma.Sql) => {
    if (value != null) conditions.push(condition(value));
  };
  add(filter?.accountType, (type) => sql`account_type = ${type}::account_type`);
  add(filter?.status, (status) => (status === AccountStatus.ACTIVE ? ACTIVE : sql`status = ${status}::account_status`));
  add(filter?.isActive, (isActive) => (isActive ? ACTIVE : sql`status <> 'ACTIVE'`));
  add(filter?.bankName, (bankName) => sql`bank_name = ${checkedSearchText('filter.bankName', bankName)}`);
  add(filter?.accountNumber, (number) => sql`account_number = ${checkedSearchText('filter.accountNumber', number)}`);
  add(filter?.currency, (currency) => sql`currency = ${checkedSearchText('filter.currency', currency)}`);
  add(filter?.minBalance, (min) => sql`balance >= ${checkedDecimal('filter.minBalance', min)}::numeric`);
  add(filter?.maxBalance, (max) => sql`balance <= ${checkedDecimal('filter.maxBalance', max)}::numeric`);
  add(filter?.createdFrom, (from) => sql`created_at >= ${checkedInstant('filter.createdFrom', from)}::timestamptz`);
  add(filter?.createdTo, (to) => sql`created_at <= ${checkedInstant('filter.createdTo', to)}::timestamptz`);
  return conditions;
}
