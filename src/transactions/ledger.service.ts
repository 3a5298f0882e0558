import type { BankAccount } from '../accounts/account.type.ts';
import { FOR_STATE_CHANGE, lockAccounts } from '../accounts/account.writes.ts';
import { TransactionDirection } from '../generated/prisma/enums.ts';
import { BrokenRules, currencyMismatch, sameAccount } from '../graphql/user-error.type.ts';
import { claimKey, type KeyedRequest } from '../idempotency/idempotency.repository.ts';
import { requestHash } from '../idempotency/request-hash.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { TenantTransaction } from '../tenancy/tenant-transaction.ts';
import { insertMovements, recordedTransactions } from './ledger.repository.ts';
import { type Movement, type PlacedMovement, type PlannedMovement, planMovements } from './ledger.rules.ts';
import type { Transaction } from './transaction.type.ts';

/** Normalised by the input checks. */
export interface Transfer {
  readonly fromAccountId: string;
  readonly toAccountId: string;
  readonly amount: string;
  readonly description: string | null;
}

/**
 * Records movements, all or none.
 * @returns the transactions in the order of the movements; with a key that was used, those of its first request
 * @throws BrokenRules
 */
export async function recordTransactions(
  transaction: TenantTransaction,
  scope: TenantScope,
  key: string,
  movements: readonly Movement[],
): Promise<Transaction[]> {
  const request = { key, hash: requestHash('recordTransactions', movements) };
  return bookOnce(transaction, scope, request, async () => {
    const accountIds = movements.map(({ accountId }) => accountId);
    const accounts = await lockAccounts(transaction, scope, [...new Set(accountIds)], FOR_STATE_CHANGE);
    return planMovements(accounts, movements.map(placedInList));
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
  return bookOnce(transaction, scope, { key, hash: requestHash('transfer', order) }, async () => {
    const accounts = await lockAccounts(transaction, scope, [fromAccountId, toAccountId], FOR_STATE_CHANGE);
    const [from, to] = [fromAccountId, toAccountId].map((id) => accounts.find((account) => account.id === id));
    if (from && to && from.currency !== to.currency)
      throw new BrokenRules([currencyMismatch(['input', 'toAccountId'], from.currency, to.currency)]);
    return planMovements(accounts, legsOf(order, from, to));
  });
}

/** Plans and writes, unless the request was carried out before. */
async function bookOnce(
  transaction: TenantTransaction,
  scope: TenantScope,
  request: KeyedRequest,
  plan: () => Promise<PlannedMovement[]>,
): Promise<Transaction[]> {
  const recorded = await claimKey(transaction, scope, request);
  if (recorded) return recordedTransactions(transaction, scope, recorded);
  return insertMovements(transaction, scope, request.key, await plan());
}

function placedInList(movement: Movement, index: number): PlacedMovement {
  const place = ['input', 'transactions', String(index)];
  return { movement, accountField: [...place, 'accountId'], amountField: [...place, 'amount'] };
}

function legsOf(
  { fromAccountId, toAccountId, amount, description }: Transfer,
  from: BankAccount | undefined,
  to: BankAccount | undefined,
): PlacedMovement[] {
  const leg = (accountId: string, direction: TransactionDirection, other: BankAccount | undefined): Movement => {
    const counterpartyBank = other?.bankName ?? null;
    return { accountId, direction, amount, bookedAt: null, category: null, counterpartyBank, description };
  };
  const amountField = ['input', 'amount'];
  return [
    {
      movement: leg(fromAccountId, TransactionDirection.DEBIT, to),
      accountField: ['input', 'fromAccountId'],
      amountField,
    },
    {
      movement: leg(toAccountId, TransactionDirection.CREDIT, from),
      accountField: ['input', 'toAccountId'],
      amountField,
    },
  ];
}
