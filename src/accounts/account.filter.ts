import { Prisma } from '../generated/prisma/client.ts';
import { AccountStatus } from '../generated/prisma/enums.ts';
import type { Scanned } from '../graphql/complexity.ts';
import { checkedValues, filterConditions, hasOnly, joinedNames } from '../graphql/filter.ts';
import { checkedDecimal, checkedInstant, checkedSearchText } from '../graphql/input-checks.ts';
import type { AccountFilter, AccountOrder, AccountOrderField } from './account.input.ts';

const { sql } = Prisma;

/**
 * Written out and not as a value: only so does PostgreSQL see that the indexes of active accounts
 * serve.
 */
const ACTIVE = sql`status = 'ACTIVE'`;

/** What account_totals are kept by: their columns are called as those of the accounts are. */
const KEPT: ReadonlySet<string> = new Set([
  ...['accountType', 'accountTypeIn', 'status', 'statusIn', 'isActive', 'currency', 'currencyIn'],
  ...['bankName', 'bankNameIn', 'bankNameStartsWith'],
]);

/** Whether account_totals tell how many accounts satisfy a filter. */
export function isCountKept(filter: AccountFilter | null | undefined): boolean {
  return hasOnly(filter, KEPT);
}

/**
 * What has to be read to count accounts. Decided by which fields the filter has, not by their
 * values. An account number matches few rows, so counting them is free.
 */
export function countedAccounts({ filter }: Filtered): Scanned | undefined {
  return isCountKept(filter) || joinedNames(filter).includes('accountNumber') ? undefined : 'accounts';
}

/**
 * By order: conditions that are bounds of it, and the others that an index has together with it.
 */
const INDEXED: Readonly<Record<AccountOrderField, { bounds: readonly string[]; sets: readonly string[] }>> = {
  CREATED_AT: { bounds: ['createdFrom', 'createdTo'], sets: ['', 'accountType', 'status', 'isActive'] },
  UPDATED_AT: { bounds: ['updatedFrom', 'updatedTo'], sets: [''] },
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
  const given = joinedNames(filter);
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
  return filterConditions(filter, ownConditions);
}

function ownConditions(filter: AccountFilter, path: string): Prisma.Sql[] {
  const conditions: Prisma.Sql[] = [];
  const add = <Name extends keyof AccountFilter>(
    name: Name,
    condition: (value: NonNullable<AccountFilter[Name]>, argument: string) => Prisma.Sql,
  ) => {
    const value = filter[name];
    if (value != null) conditions.push(condition(value, `${path}.${name}`));
  };
  add('accountType', (type) => sql`account_type = ${type}::account_type`);
  add('accountTypeIn', (types, at) => sql`account_type = ANY (${checkedValues(at, types)}::account_type[])`);
  add('status', (status) => (status === AccountStatus.ACTIVE ? ACTIVE : sql`status = ${status}::account_status`));
  add('statusIn', (statuses, at) => sql`status = ANY (${checkedValues(at, statuses)}::account_status[])`);
  add('isActive', (isActive) => (isActive ? ACTIVE : sql`status <> 'ACTIVE'`));
  add('bankName', (bankName, at) => sql`bank_name = ${checkedSearchText(at, bankName)}`);
  add('bankNameIn', (names, at) => sql`bank_name = ANY (${checkedValues(at, names, checkedSearchText)}::text[])`);
  add('bankNameStartsWith', (start, at) => sql`starts_with(bank_name, ${checkedSearchText(at, start)})`);
  add('accountNumber', (number, at) => sql`account_number = ${checkedSearchText(at, number)}`);
  add(
    'accountNumberIn',
    (numbers, at) => sql`account_number = ANY (${checkedValues(at, numbers, checkedSearchText)}::text[])`,
  );
  add('accountNumberStartsWith', (start, at) => sql`starts_with(account_number, ${checkedSearchText(at, start)})`);
  add('currency', (currency, at) => sql`currency = ${checkedSearchText(at, currency)}`);
  add(
    'currencyIn',
    (currencies, at) => sql`currency = ANY (${checkedValues(at, currencies, checkedSearchText)}::text[])`,
  );
  add('minBalance', (min, at) => sql`balance >= ${checkedDecimal(at, min)}::numeric`);
  add('maxBalance', (max, at) => sql`balance <= ${checkedDecimal(at, max)}::numeric`);
  add('createdFrom', (from, at) => sql`created_at >= ${checkedInstant(at, from)}::timestamptz`);
  add('createdTo', (to, at) => sql`created_at <= ${checkedInstant(at, to)}::timestamptz`);
  add('updatedFrom', (from, at) => sql`updated_at >= ${checkedInstant(at, from)}::timestamptz`);
  add('updatedTo', (to, at) => sql`updated_at <= ${checkedInstant(at, to)}::timestamptz`);
  return conditions;
}
