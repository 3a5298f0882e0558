import { Field, ID, ObjectType } from 'type-graphql';
import { TransactionDirection } from '../generated/prisma/enums.ts';
import { connectionTypes } from '../graphql/pagination.type.ts';
import { DateTimeScalar, DecimalScalar } from '../graphql/scalars.ts';

@ObjectType({ description: 'One movement on an account. Never changed through the API.', simpleResolvers: true })
export class Transaction {
  @Field(() => ID, { description: 'Stable id, a UUID.' })
  id!: string;

  /** The account it belongs to; shown as `account` by the resolver. */
  accountId!: string;

  @Field(() => DateTimeScalar, { description: 'When it was booked.' })
  bookedAt!: string;

  @Field(() => TransactionDirection, { description: 'CREDIT adds to the balance, DEBIT takes from it.' })
  direction!: TransactionDirection;

  @Field(() => DecimalScalar, { description: 'Always positive; the direction tells its sign.' })
  amount!: string;

  @Field(() => String, { description: "ISO 4217; the account's." })
  currency!: string;

  @Field(() => DecimalScalar, { nullable: true, description: 'Balance of the account after it, where known.' })
  balanceAfter!: string | null;

  @Field(() => String, { nullable: true, description: 'What it was for.' })
  category!: string | null;

  @Field(() => String, { nullable: true, description: "The other side's bank." })
  counterpartyBank!: string | null;

  @Field(() => String, { nullable: true, description: 'Free text.' })
  description!: string | null;
}

export const { Connection: TransactionConnection, Edge: TransactionEdge } = connectionTypes(
  'Transaction',
  () => Transaction,
);
