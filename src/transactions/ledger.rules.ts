import { mayBeOverdrawn } from '../accounts/account.rules.ts';
import type { BankAccount } from '../accounts/account.type.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { AccountStatus, TransactionDirection } from '../generated/prisma/enums.ts';
import {
  accountClosed,
  accountFrozen,
  accountNotFound,
  accountPending,
  BrokenRules,
  balanceOutOfRange,
  type InputPath,
  insufficientFunds,
  type UserError,
  versionOutOfRange,
} from '../graphql/user-error.type.ts';
import { FRACTION_DIGITS, MAX_INTEGER, WHOLE_DIGITS } from '../limits.ts';

const { Decimal } = Prisma;

/**
 * Balances are below this, on either side of zero. A balance and an amount within it add up to 20
 * digits at most, which is what Decimal keeps exactly.
 */
export const BALANCE_LIMIT = new Decimal(10).pow(WHOLE_DIGITS);

/** A transaction as asked for, normalised by the input checks. */
export interface NewTransaction {
  readonly accountId: string;
  readonly direction: TransactionDirection;
  readonly amount: string;
  /** Null: when it is written. */
  readonly bookedAt: string | null;
  readonly category: string | null;
  readonly counterpartyBank: string | null;
  readonly description: string | null;
  /**
   * The other account of a transfer, which has the same currency and whose bank is the
   * counterparty's; absent otherwise.
   */
  readonly counterpartyId?: string;
}

/** A transaction with the places in the input that its errors name. */
export interface PlacedTransaction {
  readonly transaction: NewTransaction;
  readonly accountField: InputPath;
  readonly amountField: InputPath;
}

/** A transaction that keeps the rules, with what its account tells. */
export interface PlannedTransaction extends NewTransaction {
  readonly currency: string;
  readonly balanceAfter: string;
  /** When the account was changed last: the transaction is later. */
  readonly accountUpdatedAt: string;
}

/**
 * What the transactions come to, one after another, on accounts that are locked.
 * @param accounts those that exist
 * @throws BrokenRules with an error for each transaction that breaks a rule; the others are judged
 *   as if it were not there
 */
export function planTransactions(
  accounts: readonly BankAccount[],
  transactions: readonly PlacedTransaction[],
): PlannedTransaction[] {
  const byId = new Map(accounts.map((account) => [account.id, account]));
  const balances = new Map(accounts.map(({ id, balance }) => [id, balance]));
  const versions = new Map(accounts.map(({ id, version }) => [id, version]));
  const planned: PlannedTransaction[] = [];
  const faults: UserError[] = [];
  for (const placed of transactions) {
    const account = byId.get(placed.transaction.accountId);
    const balance = balances.get(placed.transaction.accountId);
    const version = versions.get(placed.transaction.accountId) ?? 0;
    const outcome =
      account && balance ? plan({ ...account, balance, version }, placed) : accountNotFound(placed.accountField);
    if ('code' in outcome) {
      faults.push(outcome);
    } else {
      planned.push(outcome);
      balances.set(outcome.accountId, outcome.balanceAfter);
      versions.set(outcome.accountId, version + 1);
    }
  }
  if (faults.length) throw new BrokenRules(faults);
  return planned;
}

/** @param account as it is after the transactions before */
function plan(
  { accountType, status, currency, updatedAt, balance, version }: BankAccount,
  { transaction, accountField, amountField }: PlacedTransaction,
): PlannedTransaction | UserError {
  const { direction, amount } = transaction;
  const statusFault = faultOfStatus(status, direction, accountField);
  if (statusFault) return statusFault;
  const isDebit = direction === TransactionDirection.DEBIT;
  const after = isDebit ? new Decimal(balance).minus(amount) : new Decimal(balance).plus(amount);
  // A credit may leave an account below zero that was imported so.
  if (isDebit && after.lessThan(0) && !mayBeOverdrawn(accountType))
    return insufficientFunds(amountField, accountType, balance, amount);
  const balanceAfter = after.toFixed(FRACTION_DIGITS);
  if (after.abs().greaterThanOrEqualTo(BALANCE_LIMIT)) return balanceOutOfRange(amountField, balanceAfter);
  if (version === MAX_INTEGER) return versionOutOfRange(accountField, version);
  return { ...transaction, currency, balanceAfter, accountUpdatedAt: updatedAt };
}

/** Only an active account gives money; money that arrives is turned away from closed ones alone. */
function faultOfStatus(status: AccountStatus, direction: TransactionDirection, field: InputPath): UserError | null {
  if (status === AccountStatus.CLOSED) return accountClosed(field);
  if (direction === TransactionDirection.CREDIT) return null;
  if (status === AccountStatus.FROZEN) return accountFrozen(field);
  if (status === AccountStatus.PENDING) return accountPending(field);
  return null;
}
