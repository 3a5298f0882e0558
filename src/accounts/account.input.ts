import { Field, ID, InputType, Int, registerEnumType } from 'type-graphql';
import { AccountStatus, AccountType } from '../generated/prisma/enums.ts';
import { OrderDirection } from '../graphql/enums.ts';
import { lengthOf } from '../graphql/input-checks.ts';
import { DateTimeScalar, DecimalScalar } from '../graphql/scalars.ts';
import { LIMITS } from '../limits.ts';

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
});

@InputType({
  description: 'Accounts that satisfy all of what is given. Texts match exactly, bounds include their ends.',
})
export class AccountFilter {
  @Field(() => AccountType, { nullable: true })
  accountType?: AccountType | null;

  @Field(() => AccountStatus, { nullable: true })
  status?: AccountStatus | null;

  @Field(() => Boolean, { nullable: true, description: 'true: status ACTIVE; false: any other.' })
  isActive?: boolean | null;

  @Field(() => String, { nullable: true })
  bankName?: string | null;

  @Field(() => String, { nullable: true })
  accountNumber?: string | null;

  @Field(() => String, { nullable: true, description: 'ISO 4217.' })
  currency?: string | null;

  @Field(() => DecimalScalar, { nullable: true })
  minBalance?: string | null;

  @Field(() => DecimalScalar, { nullable: true })
  maxBalance?: string | null;

  @Field(() => DateTimeScalar, { nullable: true })
  createdFrom?: string | null;

  @Field(() => DateTimeScalar, { nullable: true })
  createdTo?: string | null;
}

@InputType({ description: 'Order of a list of accounts.' })
export class AccountOrder {
  @Field(() => AccountOrderField)
  field!: AccountOrderField;

  @Field(() => OrderDirection, { defaultValue: OrderDirection.ASC })
  direction!: OrderDirection;
}

@InputType({ description: 'A new account.' })
export class CreateAccountInput {
  @Field(() => String, { description: lengthOf(LIMITS.bank_accounts.bank_name) })
  bankName!: string;

  @Field(() => String, { description: lengthOf(LIMITS.bank_accounts.account_number, ', unique within the bank') })
  accountNumber!: string;

  @Field(() => AccountType)
  accountType!: AccountType;

  @Field(() => String, { description: 'ISO 4217, three capitals.' })
  currency!: string;

  @Field(() => DecimalScalar, { defaultValue: '0', description: 'Below zero only for credit and loan accounts.' })
  openingBalance!: string;

  @Field(() => AccountStatus, { defaultValue: AccountStatus.ACTIVE })
  status!: AccountStatus;
}

@InputType({ description: 'What to change of an account; what is absent stays.' })
export class UpdateAccountInput {
  @Field(() => ID)
  id!: string;

  @Field(() => Int, { nullable: true, description: 'Refuse the change when the account has another version by now.' })
  expectedVersion?: number | null;

  @Field(() => String, { nullable: true, description: lengthOf(LIMITS.bank_accounts.bank_name) })
  bankName?: string | null;

  @Field(() => AccountType, { nullable: true })
  accountType?: AccountType | null;
}

@InputType({ description: 'A new status for an account.' })
export class ChangeAccountStatusInput {
  @Field(() => ID)
  id!: string;

  @Field(() => Int, { nullable: true, description: 'Refuse the change when the account has another version by now.' })
  expectedVersion?: number | null;

  @Field(() => AccountStatus, {
    description:
      'PENDING can become ACTIVE, FROZEN or CLOSED; ACTIVE can become FROZEN or CLOSED; FROZEN can become ACTIVE or CLOSED; CLOSED can be reopened as ACTIVE. Closing keeps the balance, whatever it is.',
  })
  status!: AccountStatus;
}
