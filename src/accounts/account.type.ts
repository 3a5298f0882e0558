import { Field, ID, Int, ObjectType } from 'type-graphql';
import { AccountStatus, AccountType } from '../generated/prisma/enums.ts';
import { BOUND, connectionTypes } from '../graphql/pagination.type.ts';
import { DateTimeScalar, DecimalScalar } from '../graphql/scalars.ts';
import { sentences } from '../graphql/sentences.ts';

@ObjectType({ description: 'An account of the tenant.', simpleResolvers: true })
export class BankAccount {
  @Field(() => ID, { description: 'Stable id, a UUID.' })
  id!: string;

  @Field(() => String, { description: 'Name of the bank that keeps the account.' })
  bankName!: string;

  @Field(() => String, {
    description: 'Number of the account, unique within the bank of this tenant; leading zeros count.',
  })
  accountNumber!: string;

  @Field(() => AccountType, { description: 'Kind of account.' })
  accountType!: AccountType;

  @Field(() => AccountStatus, { description: 'State of the account.' })
  status!: AccountStatus;

  @Field(() => Boolean, { description: 'Whether the status is ACTIVE.' })
  isActive!: boolean;

  @Field(() => String, {
    description: 'ISO 4217 code, three capital letters; also the currency of its transactions. It never changes.',
  })
  currency!: string;

  @Field(() => DecimalScalar, {
    description: 'Balance now, in the currency of the account; it may be below zero, as on CREDIT and LOAN accounts.',
  })
  balance!: string;

  @Field(() => Int, { description: 'Grows by one with every change of the account; hand it back as expectedVersion.' })
  version!: number;

  @Field(() => DateTimeScalar, { description: 'When the account was opened.' })
  createdAt!: string;

  @Field(() => DateTimeScalar, { description: 'When the account, or its balance, last changed.' })
  updatedAt!: string;
}

export const { Connection: BankAccountConnection, Edge: BankAccountEdge } = connectionTypes(
  'BankAccount',
  () => BankAccount,
);

@ObjectType({ description: 'One numbered page of accounts.', simpleResolvers: true })
export class BankAccountPage {
  @Field(() => [BankAccount], { description: 'The accounts of this page.' })
  results!: readonly BankAccount[];

  @Field(() => Int, {
    description: sentences('Number of accounts on all pages together. Counted only when selected.', BOUND),
  })
  count!: number;

  @Field(() => Boolean, { description: 'Whether count is the number of all; false: there are more, and more pages.' })
  countIsExact!: boolean;

  @Field(() => Int, { description: 'Number of this page, from 1.' })
  page!: number;

  @Field(() => Int, { description: 'Number of accounts on a full page.' })
  pageSize!: number;

  @Field(() => Int, { description: 'Number of pages; 0 without accounts.' })
  totalPages!: number;
}
