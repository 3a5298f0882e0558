import { NAMES, type PartsAlgebra } from '../cache/data/parts.ts';

/** The first rows of a list. */
export interface ListPart {
  readonly limit: number;
  /** What of each row. Sorted. */
  readonly columns: readonly string[];
}

/** What of a dashboard is read. */
export interface DashboardParts {
  readonly accounts: boolean;
  /** Whether the accounts are told by bank, too: clients name as many banks as they like. */
  readonly banks: boolean;
  /** How many days of activity, up to the dashboard's date; 0 for none. */
  readonly days: number;
  readonly topAccounts: ListPart | null;
  /** Its columns with `OF_ACCOUNT` before them are those of the transactions’ accounts. */
  readonly recentTransactions: ListPart | null;
}

/** Before the names of an account's columns among those of a transaction. */
export const OF_ACCOUNT = 'account.';

/** A longer activity holds the days of a shorter one, and a longer list the rows. */
export const DASHBOARD_PARTS: PartsAlgebra<DashboardParts> = {
  contain: (there, asked) =>
    (there.accounts || !asked.accounts) &&
    (there.banks || !asked.banks) &&
    there.days >= asked.days &&
    containsList(there.topAccounts, asked.topAccounts) &&
    containsList(there.recentTransactions, asked.recentTransactions),
  join: (one, other) => ({
    accounts: one.accounts || other.accounts,
    banks: one.banks || other.banks,
    days: Math.max(one.days, other.days),
    topAccounts: joinLists(one.topAccounts, other.topAccounts),
    recentTransactions: joinLists(one.recentTransactions, other.recentTransactions),
  }),
};

function containsList(there: ListPart | null, asked: ListPart | null): boolean {
  if (!asked) return true;
  return there !== null && there.limit >= asked.limit && NAMES.contain(there.columns, asked.columns);
}

/** What both lists have. */
export function joinLists(one: ListPart | null, other: ListPart | null): ListPart | null {
  if (!one || !other) return one ?? other;
  return { limit: Math.max(one.limit, other.limit), columns: NAMES.join(one.columns, other.columns) };
}
