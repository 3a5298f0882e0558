import type { AccountFilter } from '../../src/accounts/account.input.ts';
import type { TransactionFilter } from '../../src/transactions/transaction.input.ts';

export interface ListedAccount {
  readonly id: string;
  readonly accountNumber: string;
  readonly bankName: string;
  readonly accountType: string;
  readonly status: string;
  readonly currency: string;
  readonly balance: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface ListedTransaction {
  readonly id: string;
  readonly accountId: string;
  readonly bookedAt: string;
  readonly direction: string;
  readonly amount: string;
  readonly currency: string;
  readonly category: string | null;
  readonly counterpartyBank: string | null;
  readonly description: string | null;
}

interface Nested {
  readonly not?: Nested | null;
  readonly and?: readonly Nested[] | null;
  readonly or?: readonly Nested[] | null;
}

type Row = ListedAccount | ListedTransaction;

/** What a filter means, in plain JavaScript: for each field by the end of its name. */
function satisfies(row: Row, filter: Nested): boolean {
  return Object.entries(filter).every(([name, asked]) => {
    if (asked == null) return true;
    if (name === 'not') return !satisfies(row, asked);
    if (name === 'and') return (asked as Nested[]).every((part) => satisfies(row, part));
    if (name === 'or') return (asked as Nested[]).some((part) => satisfies(row, part));
    const values = row as unknown as Readonly<Record<string, string | null>>;
    if (name === 'isActive') return (values.status === 'ACTIVE') === asked;
    if (name === 'hasCategory') return (values.category !== null) === asked;
    const value = values[propertyOf(name)] ?? null;
    if (value === null) return false;
    if (name.endsWith('In')) return (asked as string[]).includes(value);
    if (name.endsWith('StartsWith')) return value.startsWith(asked as string);
    if (name.startsWith('min')) return Number(value) >= Number(asked);
    if (name.startsWith('max')) return Number(value) <= Number(asked);
    if (name.endsWith('From')) return value >= (asked as string);
    if (name.endsWith('To')) return value <= (asked as string);
    return value === asked;
  });
}

/** `minBalance` is about `balance`, `updatedTo` about `updatedAt`. */
function propertyOf(name: string): string {
  const [bound, amount] = /^(?:min|max)(.*)$/.exec(name) ?? [];
  if (bound && amount) return amount.toLowerCase();
  return name.replace(/(From|To)$/, 'At').replace(/(In|StartsWith)$/, '');
}

export function satisfiesOfAccounts(row: ListedAccount, filter: AccountFilter): boolean {
  return satisfies(row, filter as Nested);
}

export function satisfiesOfTransactions(row: ListedTransaction, filter: TransactionFilter): boolean {
  return satisfies(row, filter as Nested);
}
