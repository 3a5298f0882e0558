import { FOR_STATE_CHANGE, lockAccounts } from '../accounts/account.locks.ts';
import type { BankAccount } from '../accounts/account.type.ts';
import { refusalOf } from '../database/sql-state.ts';
import { TransactionDirection } from '../generated/prisma/enums.ts';
import {
  BrokenRules,
  bookedTooEarly,
  currencyMismatch,
  sameAccount,
  transactionDeleted,
} from '../graphql/user-error.type.ts';
import { claimKey, type KeyedRequest } from '../idempotency/idempotency.repository.ts';
import { requestHash } from '../idempotency/request-hash.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { TenantTransaction } from '../tenancy/tenant-transaction.ts';
import { insertTransactions, recordAtOnce, recordedTransactions } from './ledger.repository.ts';
import {
  type NewTransaction,
  type PlacedTransaction,
  type PlannedTransaction,
  planTransactions,
} from './ledger.rules.ts';
import type { Transaction } from './transaction.type.ts';

/** Normalised by the input checks. */
export interface Transfer {
  readonly fromAccountId: string;
  readonly toAccountId: string;
  readonly amount: string;
  readonly description: string | null;
}

/**
 * Records transactions, all or none.
 * @returns the transactions in the order asked for; with a key that was used, those of its
 *   first request
 * @throws BrokenRules
 */
export async function recordTransactions(
  transaction: TenantTransaction,
  scope: TenantScope,
  key: string,
  newTransactions: readonly NewTransaction[],
): Promise<Transaction[]> {
  const request = { key, hash: requestHash('recordTransactions', newTransactions) };
  return bookOnce(transaction, scope, request, newTransactions, (accounts) =>
    planTransactions(accounts, newTransactions.map(placedInList)),
  ).catch((error: unknown) => {
    throw asBookedTooEarly(error, newTransactions) ?? error;
  });
}

/**
 * Moves money between two accounts, both legs or none.
 * @returns the debit and the credit; with a key that was used, those of its first request
 * @throws BrokenRules
 */
export async function transfer(
  transaction: TenantTransaction,
  scope: TenantScope,
  key: string,
  order: Transfer,
): Promise<Transaction[]> {
  const { fromAccountId, toAccountId } = order;
  if (fromAccountId === toAccountId) throw new BrokenRules([sameAccount(['input', 'toAccountId'])]);
  const request = { key, hash: requestHash('transfer', order) };
  return bookOnce(transaction, scope, request, legsOf(order), (accounts) => {
    const [from, to] = [fromAccountId, toAccountId].map((id) => accounts.find((account) => account.id === id));
    if (from && to && from.currency !== to.currency)
      throw new BrokenRules([currencyMismatch(['input', 'toAccountId'], from.currency, to.currency)]);
    return planTransactions(accounts, placedLegs(order, from, to));
  });
}

/**
 * Books the transactions, unless the request was carried out before: in one statement where it is
 * plain that no rule is broken, else step by step. Either way the accounts are locked first and the
 * key is taken after them: taken the other way round by one of two equal requests they could
 * deadlock.
 */
async function bookOnce(
  transaction: TenantTransaction,
  scope: TenantScope,
  request: KeyedRequest,
  newTransactions: readonly NewTransaction[],
  plan: (accounts: readonly BankAccount[]) => PlannedTransaction[],
): Promise<Transaction[]> {
  const atOnce = await recordAtOnce(transaction, scope, request, newTransactions);
  if (atOnce.length > 0) return atOnce;
  const accountIds = [...new Set(newTransactions.map(({ accountId }) => accountId))];
  const accounts = await lockAccounts(transaction, scope, accountIds, FOR_STATE_CHANGE);
  const recorded = await claimKey(transaction, scope, request);
  if (recorded) return repeated(transaction, scope, recorded);
  return insertTransactions(transaction, scope, request.key, plan(accounts));
}

/**
 * What the first request of a key recorded.
 * @throws BrokenRules when some of it was deleted since: what is left would stand in the wrong
 *   places
 */
async function repeated(
  transaction: TenantTransaction,
  scope: TenantScope,
  recorded: readonly string[],
): Promise<Transaction[]> {
  const transactions = await recordedTransactions(transaction, scope, recorded);
  const found = new Set(transactions.map(({ id }) => id));
  const deleted = recorded.filter((id) => !found.has(id));
  if (deleted.length > 0)
    throw new BrokenRules([transactionDeleted(['input', 'idempotencyKey'], deleted, recorded.length)]);
  return transactions;
}

/** What the database refuses with the constraint's name, and the instant as its detail. */
function asBookedTooEarly(error: unknown, newTransactions: readonly NewTransaction[]): BrokenRules | undefined {
  const foldedUntil = refusalOf(error, 'transactions_folded_until');
  if (foldedUntil === undefined) return undefined;
  return new BrokenRules(
    newTransactions.flatMap(({ bookedAt }, index) =>
      bookedAt !== null && bookedAt < foldedUntil
        ? [bookedTooEarly(['input', 'transactions', String(index), 'bookedAt'], foldedUntil)]
        : [],
    ),
  );
}

function placedInList(transaction: NewTransaction, index: number): PlacedTransaction {
  const place = ['input', 'transactions', String(index)];
  return { transaction, accountField: [...place, 'accountId'], amountField: [...place, 'amount'] };
}

function legsOf({
  fromAccountId,
  toAccountId,
  amount,
  description,
}: Transfer): [debit: NewTransaction, credit: NewTransaction] {
  const both = { amount, bookedAt: null, category: null, counterpartyBank: null, description };
  return [
    { accountId: fromAccountId, counterpartyId: toAccountId, direction: TransactionDirection.DEBIT, ...both },
    { accountId: toAccountId, counterpartyId: fromAccountId, direction: TransactionDirection.CREDIT, ...both },
  ];
}

function placedLegs(order: Transfer, from: BankAccount | undefined, to: BankAccount | undefined): PlacedTransaction[] {
  const [debit, credit] = legsOf(order);
  const leg = (transaction: NewTransaction, side: string, other: BankAccount | undefined): PlacedTransaction => ({
    transaction: { ...transaction, counterpartyBank: other?.bankName ?? null },
    accountField: ['input', side],
    amountField: ['input', 'amount'],
  });
  return [leg(debit, 'fromAccountId', to), leg(credit, 'toAccountId', from)];
}
