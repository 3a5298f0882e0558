import { isForeignKeyViolation, isUniqueViolation } from '../database/sql-state.ts';
import { unauthenticated } from '../errors.ts';
import type { AccountStatus, AccountType } from '../generated/prisma/enums.ts';
import {
  accountNotFound,
  BrokenRules,
  duplicateAccountNumber,
  invalidStatusTransition,
  overdraftNotAllowed,
  versionConflict,
  versionOutOfRange,
} from '../graphql/user-error.type.ts';
import { MAX_INTEGER } from '../limits.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { TenantTransaction } from '../tenancy/tenant-transaction.ts';
import { FOR_KEY_CHANGE, FOR_STATE_CHANGE, type LockedAccount, lockAccounts } from './account.locks.ts';
import { isBelowZero, mayBeOverdrawn, nextStatuses } from './account.rules.ts';
import type { BankAccount } from './account.type.ts';
import { insertAccount, type NewAccount, updateAccount } from './account.writes.ts';

/** Which account to change; with `expectedVersion` only if nobody else has changed it meanwhile. */
export interface ChangeTarget {
  readonly id: string;
  readonly expectedVersion: number | null;
}

/** What is null stays as it is. */
export interface AccountChange {
  readonly bankName: string | null;
  readonly accountType: AccountType | null;
}

/**
 * @throws BrokenRules when the number is taken or the opening balance may not be below zero, and
 *   UNAUTHENTICATED when the tenant was deleted after its token was verified
 */
export async function createAccount(
  transaction: TenantTransaction,
  scope: TenantScope,
  account: NewAccount,
): Promise<BankAccount> {
  const { accountType, balance, bankName, accountNumber } = account;
  if (isBelowZero(balance) && !mayBeOverdrawn(accountType))
    throw new BrokenRules([overdraftNotAllowed(['input', 'openingBalance'], accountType, balance)]);
  return insertAccount(transaction, scope, account).catch((error) => {
    if (isForeignKeyViolation(error)) throw unauthenticated();
    if (!isUniqueViolation(error)) throw error;
    throw new BrokenRules([duplicateAccountNumber(['input', 'accountNumber'], bankName, accountNumber)]);
  });
}

/**
 * Corrects what an account is. What is equal already is no change: the version stays then.
 * @throws BrokenRules
 */
export async function changeAccount(
  transaction: TenantTransaction,
  scope: TenantScope,
  target: ChangeTarget,
  { bankName, accountType }: AccountChange,
): Promise<BankAccount> {
  const account = await lockAccount(transaction, scope, target, FOR_KEY_CHANGE);
  const changed = {
    bankName: bankName ?? account.bankName,
    accountType: accountType ?? account.accountType,
  };
  if (changed.bankName === account.bankName && changed.accountType === account.accountType) return account;
  if (
    changed.accountType !== account.accountType &&
    isBelowZero(account.balance) &&
    !mayBeOverdrawn(changed.accountType)
  )
    throw new BrokenRules([overdraftNotAllowed(['input', 'accountType'], changed.accountType, account.balance)]);
  checkVersion(account);
  return updateAccount(transaction, scope, account, changed).catch((error) => {
    if (!isUniqueViolation(error)) throw error;
    throw new BrokenRules([duplicateAccountNumber(['input', 'bankName'], changed.bankName, account.accountNumber)]);
  });
}

/**
 * Changes the account's status. The status it has already is no change: the version stays then.
 * @throws BrokenRules
 */
export async function changeAccountStatus(
  transaction: TenantTransaction,
  scope: TenantScope,
  target: ChangeTarget,
  status: AccountStatus,
): Promise<BankAccount> {
  const account = await lockAccount(transaction, scope, target, FOR_STATE_CHANGE);
  if (status === account.status) return account;
  const allowed = nextStatuses(account.status);
  if (!allowed.includes(status))
    throw new BrokenRules([invalidStatusTransition(['input', 'status'], account.status, allowed)]);
  checkVersion(account);
  return updateAccount(transaction, scope, account, { status });
}

function checkVersion({ version }: BankAccount): void {
  if (version === MAX_INTEGER) throw new BrokenRules([versionOutOfRange(['input', 'id'], version)]);
}

async function lockAccount(
  transaction: TenantTransaction,
  scope: TenantScope,
  { id, expectedVersion }: ChangeTarget,
  strength: typeof FOR_KEY_CHANGE,
): Promise<LockedAccount> {
  const [account] = await lockAccounts(transaction, scope, [id], strength);
  if (!account) throw new BrokenRules([accountNotFound(['input', 'id'])]);
  if (expectedVersion !== null && expectedVersion !== account.version)
    throw new BrokenRules([versionConflict(['input', 'expectedVersion'], expectedVersion, account.version)]);
  return account;
}
