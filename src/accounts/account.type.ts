import { Field, ID, Int, ObjectType } from 'type-graphql';
import { AccountStatus, AccountType } from '../generated/prisma/enums.ts';
import { connectionTypes } from '../graphql/pagination.type.ts';
import { DateTimeScalar, DecimalScalar } from '../graphql/scalars.ts';

@ObjectType({ description: 'An account of the tenant.', simpleResolvers: true })
export class BankAccount {
  @Field(() => ID, { description: 'Stable id, a UUID.' })
  id!: string;

  @Field(() => String, { description: 'The bank that keeps the account.' })
  bankName!: string;

  @Field(() => String, { description: 'Unique within the bank; leading zeros count.' })
  accountNumber!: string;

  @Field(() => AccountType, { description: 'Kind of account.' })
  accountType!: AccountType;

  @Field(() => AccountStatus, { description: 'Where the account is in its life.' })
  status!: AccountStatus;

  @Field(() => Boolean, { description: 'Whether the status is ACTIVE.' })
  isActive!: boolean;

  @Field(() => String, { description: 'ISO 4217; also the currency of its transactions.' })
  currency!: string;

  @Field(() => DecimalScalar, { description: 'Balance now; below zero on credit and loan accounts.' })
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

  @Field(() => Int, { description: 'Accounts on all pages together.' })
  count!: number;

  @Field(() => Int, { description: 'This page, from 1.' })
  page!: number;

  @Field(() => Int, { description: 'Accounts on a full page.' })
  pageSize!: number;

  @Field(() => Int, { description: 'How many pages there are; 0 without accounts.' })
  totalPages!: number;
}
