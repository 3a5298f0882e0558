import { Field, ID, ObjectType } from 'type-graphql';
import { TransactionDirection } from '../generated/prisma/enums.ts';
import { connectionTypes } from '../graphql/pagination.type.ts';
import { DateTimeScalar, DecimalScalar } from '../graphql/scalars.ts';

@ObjectType({ description: 'One credit or debit of an account. The API never changes it.', simpleResolvers: true })
export class Transaction {
  @Field(() => ID, { description: 'Stable id, a UUID.' })
  id!: string;

  /** The account it belongs to; shown as `account` by the resolver. */
  accountId!: string;

  @Field(() => DateTimeScalar, { description: 'When the transaction was booked.' })
  bookedAt!: string;

  @Field(() => TransactionDirection, { description: 'CREDIT adds to the balance, DEBIT takes from it.' })
  direction!: TransactionDirection;

  @Field(() => DecimalScalar, { description: 'Always positive; the direction tells its sign.' })
  amount!: string;

  @Field(() => String, { description: 'Currency of the account: an ISO 4217 code, three capital letters.' })
  currency!: string;

  @Field(() => DecimalScalar, {
    nullable: true,
    description: 'Balance of the account after the transaction; null: unknown.',
  })
  balanceAfter!: string | null;

  @Field(() => String, { nullable: true, description: 'What it was for, 1 to 200 characters; null: none.' })
  category!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Name of the bank on the other side, 1 to 200 characters; null: unknown.',
  })
  counterpartyBank!: string | null;

  @Field(() => String, { nullable: true, description: 'Free text, 1 to 10000 characters; null: none.' })
  description!: string | null;
}

export const { Connection: TransactionConnection, Edge: TransactionEdge } = connectionTypes(
  'Transaction',
  () => Transaction,
);
