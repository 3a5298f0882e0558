import { Field, ObjectType } from 'type-graphql';
import type { AccountStatus, AccountType } from '../generated/prisma/enums.ts';
import { MAX_INTEGER, WHOLE_DIGITS } from '../limits.ts';

/** Every code that a client can meet in `userErrors`. */
export type UserErrorCode =
  | 'ACCOUNT_NOT_FOUND'
  | 'ACCOUNT_CLOSED'
  | 'ACCOUNT_FROZEN'
  | 'ACCOUNT_PENDING'
  | 'BALANCE_OUT_OF_RANGE'
  | 'BOOKED_TOO_EARLY'
  | 'CURRENCY_MISMATCH'
  | 'DUPLICATE_ACCOUNT_NUMBER'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'INSUFFICIENT_FUNDS'
  | 'INVALID_STATUS_TRANSITION'
  | 'TRANSACTION_DELETED'
  | 'OVERDRAFT_NOT_ALLOWED'
  | 'SAME_ACCOUNT'
  | 'VERSION_CONFLICT'
  | 'VERSION_OUT_OF_RANGE';

/** Of ids in a message. */
const SHOWN_IDS = 3;

/** Where in the arguments the fault is, for example `['input', 'transactions', '0', 'amount']`. */
export type InputPath = readonly string[];

@ObjectType({
  description: 'A rule of the business that the input breaks; nothing was changed.',
  simpleResolvers: true,
})
export class UserError {
  @Field(() => [String], {
    nullable: true,
    description: 'Path of the argument, for example ["input", "transactions", "0", "amount"]; null: no single one.',
  })
  field!: InputPath | null;

  @Field(() => String, { description: 'Stable code of the rule, for programs, for example INSUFFICIENT_FUNDS.' })
  code!: UserErrorCode;

  @Field(() => String, { description: 'Text for people: what was expected, what came and what to do.' })
  message!: string;
}

/** Thrown within a transaction, so that it is rolled back; shown as the payload's `userErrors`. */
export class BrokenRules extends Error {
  constructor(readonly userErrors: readonly UserError[]) {
    super(userErrors.map(({ code }) => code).join(', '));
    this.name = 'BrokenRules';
  }
}

/** Said of another tenant's account too. */
export function accountNotFound(field: InputPath): UserError {
  return { field, code: 'ACCOUNT_NOT_FOUND', message: 'There is no account with this id.' };
}

export function accountClosed(field: InputPath): UserError {
  return { field, code: 'ACCOUNT_CLOSED', message: 'The account is closed: it takes no transactions.' };
}

export function accountFrozen(field: InputPath): UserError {
  return { field, code: 'ACCOUNT_FROZEN', message: 'The account is frozen: it takes credits only.' };
}

export function accountPending(field: InputPath): UserError {
  return { field, code: 'ACCOUNT_PENDING', message: 'The account is not active yet: it takes credits only.' };
}

/** @param foldedUntil what is booked before it is folded */
export function bookedTooEarly(field: InputPath, foldedUntil: string): UserError {
  return {
    field,
    code: 'BOOKED_TOO_EARLY',
    message: `Transactions from before ${foldedUntil} are folded into totals: give this instant or a later one.`,
  };
}

export function insufficientFunds(field: InputPath, type: AccountType, balance: string, amount: string): UserError {
  const message = `A ${type} account must not fall below zero: it holds ${balance}, less than ${amount}.`;
  return { field, code: 'INSUFFICIENT_FUNDS', message };
}

/** A balance below zero, by its opening or by a new account type, where none may be. */
export function overdraftNotAllowed(field: InputPath, type: AccountType, balance: string): UserError {
  const message = `A ${type} account must not be below zero, but its balance would be ${balance}; CREDIT and LOAN accounts may.`;
  return { field, code: 'OVERDRAFT_NOT_ALLOWED', message };
}

export function balanceOutOfRange(field: InputPath, balance: string): UserError {
  const message = `A balance has at most ${WHOLE_DIGITS} digits before the point, but this one would be ${balance}.`;
  return { field, code: 'BALANCE_OUT_OF_RANGE', message };
}

export function currencyMismatch(field: InputPath, from: string, to: string): UserError {
  const message = `Both accounts must have the same currency, but the money is ${from} and the account ${to}.`;
  return { field, code: 'CURRENCY_MISMATCH', message };
}

export function sameAccount(field: InputPath): UserError {
  return { field, code: 'SAME_ACCOUNT', message: 'The money must go to another account than it comes from.' };
}

export function duplicateAccountNumber(field: InputPath, bankName: string, accountNumber: string): UserError {
  const message = `There is an account ${accountNumber} at ${bankName} already; numbers are unique within a bank.`;
  return { field, code: 'DUPLICATE_ACCOUNT_NUMBER', message };
}

export function versionConflict(field: InputPath, expected: number, current: number): UserError {
  const message = `The account has changed: version ${expected} was expected, but it is ${current} by now. Read it again before you change it.`;
  return { field, code: 'VERSION_CONFLICT', message };
}

/**
 * Of an account that cannot be changed once more: a version that began again would let a late
 * change through.
 */
export function versionOutOfRange(field: InputPath, current: number): UserError {
  const message = `The account's version is ${current}, and ${MAX_INTEGER} is the last one: it cannot change that often any more. Ask who runs the service to set it back.`;
  return { field, code: 'VERSION_OUT_OF_RANGE', message };
}

export function invalidStatusTransition(
  field: InputPath,
  from: AccountStatus,
  allowed: readonly AccountStatus[],
): UserError {
  const message = `From ${from} an account can become ${allowed.join(' or ')} only.`;
  return { field, code: 'INVALID_STATUS_TRANSITION', message };
}

export function idempotencyKeyReused(field: InputPath): UserError {
  const message =
    'This key was used for another request already. Use a new key for each request, and the same one only to repeat it.';
  return { field, code: 'IDEMPOTENCY_KEY_REUSED', message };
}

/** Of a request that is repeated when not all that it recorded is there any more. */
export function transactionDeleted(field: InputPath, deletedIds: readonly string[], recorded: number): UserError {
  const message = `The request was carried out before, and is not again: transactions that it recorded were deleted since, ${deletedIds.length} of ${recorded} (${deletedIds.slice(0, SHOWN_IDS).join(', ')}${deletedIds.length > SHOWN_IDS ? ', …' : ''}). Look at the accounts for what holds now, and use a new key for a new request.`;
  return { field, code: 'TRANSACTION_DELETED', message };
}
