import { Prisma } from '../generated/prisma/client.ts';
import { AccountStatus, AccountType } from '../generated/prisma/enums.ts';

/** Their balance is what the bank lent. */
const OVERDRAWABLE: ReadonlySet<AccountType> = new Set([AccountType.CREDIT, AccountType.LOAN]);

/**
 * Closing asks for no balance of zero: what is left stays shown, and moves again once the account
 * is reopened.
 */
const NEXT_STATUSES: Readonly<Record<AccountStatus, readonly AccountStatus[]>> = {
  [AccountStatus.PENDING]: [AccountStatus.ACTIVE, AccountStatus.FROZEN, AccountStatus.CLOSED],
  [AccountStatus.ACTIVE]: [AccountStatus.FROZEN, AccountStatus.CLOSED],
  [AccountStatus.FROZEN]: [AccountStatus.ACTIVE, AccountStatus.CLOSED],
  [AccountStatus.CLOSED]: [AccountStatus.ACTIVE],
};

/** Whether this kind of account may have a balance below zero. */
export function mayBeOverdrawn(type: AccountType): boolean {
  return OVERDRAWABLE.has(type);
}

export function isBelowZero(balance: string): boolean {
  return new Prisma.Decimal(balance).lessThan(0);
}

/** What an account with this status can become. */
export function nextStatuses(status: AccountStatus): readonly AccountStatus[] {
  return NEXT_STATUSES[status];
}
