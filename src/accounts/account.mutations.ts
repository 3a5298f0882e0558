import { Arg, Authorized, Ctx, Mutation, Resolver } from 'type-graphql';
import { type Permission, roleFor } from '../auth/permissions.ts';
import { changedWith } from '../cache/dependencies/dependencies.ts';
import { RequestContext } from '../context/request-context.ts';
import { runWrite } from '../context/run-write.ts';
import { badUserInput } from '../errors.ts';
import { checkedDecimal, checkedId, checkedText } from '../graphql/input-checks.ts';
import { WRITE_POINTS } from '../graphql/prices.ts';
import { sentences } from '../graphql/sentences.ts';
import { LIMITS } from '../limits.ts';
import { ChangeAccountStatusInput, CreateAccountInput, UpdateAccountInput } from './account.input.ts';
import { ChangeAccountStatusPayload, CreateAccountPayload, UpdateAccountPayload } from './account.payload.ts';
import { type ChangeTarget, changeAccount, changeAccountStatus, createAccount } from './account.service.ts';
import type { NewAccount } from './account.writes.ts';

const { bank_name: BANK_NAME, account_number: ACCOUNT_NUMBER, currency: CURRENCY } = LIMITS.bank_accounts;
const CURRENCY_FORM = new RegExp(CURRENCY.pattern);

@Resolver()
export class AccountMutations {
  @Authorized<Permission>('writeAccounts')
  @Mutation(() => CreateAccountPayload, {
    complexity: WRITE_POINTS,
    description: sentences(
      `Opens an account. Needs ${roleFor('writeAccounts')}.`,
      'userErrors: DUPLICATE_ACCOUNT_NUMBER, OVERDRAFT_NOT_ALLOWED.',
    ),
  })
  async createAccount(
    @Arg('input', () => CreateAccountInput, { description: 'The new account.' }) input: CreateAccountInput,
    @Ctx() context: RequestContext,
  ): Promise<CreateAccountPayload> {
    const account = newAccount(input);
    const { result, userErrors } = await runWrite(context, changedWith('bank_accounts'), (transaction) =>
      createAccount(transaction, context.scope, account),
    );
    return { account: result, userErrors };
  }

  @Authorized<Permission>('writeAccounts')
  @Mutation(() => UpdateAccountPayload, {
    complexity: WRITE_POINTS,
    description: sentences(
      `Changes the account's bank or type. Needs ${roleFor('writeAccounts')}.`,
      'The version stays when nothing differs.',
      'userErrors: ACCOUNT_NOT_FOUND, VERSION_CONFLICT, VERSION_OUT_OF_RANGE, DUPLICATE_ACCOUNT_NUMBER, OVERDRAFT_NOT_ALLOWED.',
      'OVERDRAFT_NOT_ALLOWED: the balance is below zero, and the new type does not allow that.',
    ),
  })
  async updateAccount(
    @Arg('input', () => UpdateAccountInput, { description: 'The account and what to change.' })
    input: UpdateAccountInput,
    @Ctx() context: RequestContext,
  ): Promise<UpdateAccountPayload> {
    const target = changeTarget(input);
    const change = {
      bankName: input.bankName == null ? null : checkedBankName(input.bankName),
      accountType: input.accountType ?? null,
    };
    const { result, userErrors } = await runWrite(context, changedWith('bank_accounts'), (transaction) =>
      changeAccount(transaction, context.scope, target, change),
    );
    return { account: result, userErrors };
  }

  @Authorized<Permission>('writeAccounts')
  @Mutation(() => ChangeAccountStatusPayload, {
    complexity: WRITE_POINTS,
    description: sentences(
      `Changes the account's status. Needs ${roleFor('writeAccounts')}.`,
      'The version stays when the account has the status already.',
      'userErrors: ACCOUNT_NOT_FOUND, VERSION_CONFLICT, VERSION_OUT_OF_RANGE, INVALID_STATUS_TRANSITION.',
    ),
  })
  async changeAccountStatus(
    @Arg('input', () => ChangeAccountStatusInput, { description: 'The account and its new status.' })
    input: ChangeAccountStatusInput,
    @Ctx() context: RequestContext,
  ): Promise<ChangeAccountStatusPayload> {
    const target = changeTarget(input);
    const { result, userErrors } = await runWrite(context, changedWith('bank_accounts'), (transaction) =>
      changeAccountStatus(transaction, context.scope, target, input.status),
    );
    return { account: result, userErrors };
  }
}

function newAccount({ accountType, status, ...input }: CreateAccountInput): NewAccount {
  return {
    bankName: checkedBankName(input.bankName),
    accountNumber: checkedText('input.accountNumber', input.accountNumber, ACCOUNT_NUMBER),
    accountType,
    status,
    currency: checkedCurrency(input.currency),
    balance: checkedDecimal('input.openingBalance', input.openingBalance),
  };
}

function changeTarget({ id, expectedVersion }: UpdateAccountInput | ChangeAccountStatusInput): ChangeTarget {
  return { id: checkedId('input.id', id), expectedVersion: expectedVersion ?? null };
}

function checkedBankName(bankName: string): string {
  return checkedText('input.bankName', bankName, BANK_NAME);
}

/** The form alone: which codes there are changes, and Node's own list is as old as its release. */
function checkedCurrency(currency: string): string {
  if (!CURRENCY_FORM.test(currency)) throw badUserInput('input.currency', 'an ISO 4217 code, three capitals', currency);
  return currency;
}
