import { Field, ID, InputType, Int, registerEnumType } from 'type-graphql';
import { AccountStatus, AccountType } from '../generated/prisma/enums.ts';
import { OrderDirection } from '../graphql/enums.ts';
import { NESTING, STARTS, VALUES } from '../graphql/filter.ts';
import { lengthOf } from '../graphql/input-checks.ts';
import { DateTimeScalar, DecimalScalar } from '../graphql/scalars.ts';
import { sentences } from '../graphql/sentences.ts';
import { LIMITS } from '../limits.ts';

const EXPECTED_VERSION = sentences(
  'Version that the account must still have; otherwise the change is refused with VERSION_CONFLICT.',
  'Absent: any version is changed.',
);

/** What accounts can be ordered by. */
export enum AccountOrderField {
  CREATED_AT = 'CREATED_AT',
  UPDATED_AT = 'UPDATED_AT',
  BALANCE = 'BALANCE',
  ACCOUNT_NUMBER = 'ACCOUNT_NUMBER',
  BANK_NAME = 'BANK_NAME',
}
registerEnumType(AccountOrderField, {
  name: 'AccountOrderField',
  description: 'What accounts are ordered by; equal ones by id.',
  valuesConfig: {
    CREATED_AT: { description: 'When the account was opened.' },
    UPDATED_AT: { description: 'When the account, or its balance, last changed.' },
    BALANCE: { description: 'Balance as a number, whatever its currency.' },
    ACCOUNT_NUMBER: { description: 'Account number as text, so that 10 comes before 9.' },
    BANK_NAME: { description: 'Name of the bank.' },
  },
});

@InputType({
  description: 'Accounts that satisfy all given conditions. Texts match exactly, bounds include their ends.',
})
export class AccountFilter {
  @Field(() => AccountType, { nullable: true, description: 'Only accounts of this type. Absent: all.' })
  accountType?: AccountType | null;

  @Field(() => [AccountType], {
    nullable: true,
    description: sentences('Only accounts of one of these types.', VALUES),
  })
  accountTypeIn?: AccountType[] | null;

  @Field(() => AccountStatus, { nullable: true, description: 'Only accounts with this status. Absent: all.' })
  status?: AccountStatus | null;

  @Field(() => [AccountStatus], {
    nullable: true,
    description: sentences('Only accounts with one of these statuses.', VALUES),
  })
  statusIn?: AccountStatus[] | null;

  @Field(() => Boolean, { nullable: true, description: 'true: status ACTIVE; false: any other status. Absent: all.' })
  isActive?: boolean | null;

  @Field(() => String, { nullable: true, description: 'Only accounts at the bank with this name. Absent: all.' })
  bankName?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: sentences('Only accounts at one of the banks with these names.', VALUES),
  })
  bankNameIn?: string[] | null;

  @Field(() => String, {
    nullable: true,
    description: sentences('Only accounts at banks whose name begins with this text.', STARTS),
  })
  bankNameStartsWith?: string | null;

  @Field(() => String, { nullable: true, description: 'Only accounts with this number. Absent: all.' })
  accountNumber?: string | null;

  @Field(() => [String], { nullable: true, description: sentences('Only accounts with one of these numbers.', VALUES) })
  accountNumberIn?: string[] | null;

  @Field(() => String, {
    nullable: true,
    description: sentences('Only accounts whose number begins with this text.', STARTS),
  })
  accountNumberStartsWith?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only accounts in this currency, an ISO 4217 code. Absent: all.',
  })
  currency?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: sentences('Only accounts in one of these currencies.', VALUES),
  })
  currencyIn?: string[] | null;

  @Field(() => DecimalScalar, { nullable: true, description: 'Lowest balance, whatever its currency. Absent: any.' })
  minBalance?: string | null;

  @Field(() => DecimalScalar, { nullable: true, description: 'Highest balance, whatever its currency. Absent: any.' })
  maxBalance?: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Only accounts opened then or later. Absent: all.' })
  createdFrom?: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Only accounts opened then or earlier. Absent: all.' })
  createdTo?: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'Only accounts that last changed then or later. Absent: all.',
  })
  updatedFrom?: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'Only accounts that last changed then or earlier. Absent: all.',
  })
  updatedTo?: string | null;

  @Field(() => AccountFilter, {
    nullable: true,
    description: sentences('Only accounts that do not satisfy this filter.', NESTING, 'Absent: all.'),
  })
  not?: AccountFilter | null;

  @Field(() => [AccountFilter], {
    nullable: true,
    description: sentences('Only accounts that satisfy all of these filters.', NESTING, 'Absent: all.'),
  })
  and?: AccountFilter[] | null;

  @Field(() => [AccountFilter], {
    nullable: true,
    description: sentences(
      'Only accounts that satisfy one of these filters, or more; of an empty list none do.',
      NESTING,
      'Absent: all.',
    ),
  })
  or?: AccountFilter[] | null;
}

@InputType({ description: 'Order of a list of accounts.' })
export class AccountOrder {
  @Field(() => AccountOrderField, { description: 'What to order by.' })
  field!: AccountOrderField;

  @Field(() => OrderDirection, { defaultValue: OrderDirection.ASC, description: 'Ascending or descending.' })
  direction!: OrderDirection;
}

@InputType({ description: 'A new account.' })
export class CreateAccountInput {
  @Field(() => String, {
    description: sentences('Name of the bank that keeps the account.', lengthOf(LIMITS.bank_accounts.bank_name)),
  })
  bankName!: string;

  @Field(() => String, {
    description: sentences(
      'Number of the account, unique within the bank.',
      lengthOf(LIMITS.bank_accounts.account_number),
    ),
  })
  accountNumber!: string;

  @Field(() => AccountType, { description: 'Kind of account.' })
  accountType!: AccountType;

  @Field(() => String, { description: 'ISO 4217 code, three capital letters.' })
  currency!: string;

  @Field(() => DecimalScalar, {
    defaultValue: '0',
    description: 'Balance to begin with. Below zero only for CREDIT and LOAN accounts.',
  })
  openingBalance!: string;

  @Field(() => AccountStatus, { defaultValue: AccountStatus.ACTIVE, description: 'Status to begin with.' })
  status!: AccountStatus;
}

@InputType({ description: 'What to change of an account. A field that is absent or null stays as it is.' })
export class UpdateAccountInput {
  @Field(() => ID, { description: 'Id of the account to change, a UUID.' })
  id!: string;

  @Field(() => Int, { nullable: true, description: EXPECTED_VERSION })
  expectedVersion?: number | null;

  @Field(() => String, {
    nullable: true,
    description: sentences('New name of the bank. Absent: unchanged.', lengthOf(LIMITS.bank_accounts.bank_name)),
  })
  bankName?: string | null;

  @Field(() => AccountType, { nullable: true, description: 'New type of the account. Absent: unchanged.' })
  accountType?: AccountType | null;
}

@InputType({ description: 'A new status for an account.' })
export class ChangeAccountStatusInput {
  @Field(() => ID, { description: 'Id of the account to change, a UUID.' })
  id!: string;

  @Field(() => Int, { nullable: true, description: EXPECTED_VERSION })
  expectedVersion?: number | null;

  @Field(() => AccountStatus, {
    description: sentences(
      'New status. The status that the account has already changes nothing.',
      'PENDING can become ACTIVE, FROZEN or CLOSED; ACTIVE can become FROZEN or CLOSED.',
      'FROZEN can become ACTIVE or CLOSED; CLOSED can become ACTIVE again.',
      'Closing keeps the balance, whatever it is.',
    ),
  })
  status!: AccountStatus;
}
