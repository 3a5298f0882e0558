import { Field, ObjectType } from 'type-graphql';
import { UserError } from '../graphql/user-error.type.ts';
import { Transaction } from './transaction.type.ts';

const ERRORS = 'Rules that the input breaks, after which nothing is changed; empty when it was carried out.';

@ObjectType({ description: 'Result of recordTransactions.', simpleResolvers: true })
export class RecordTransactionsPayload {
  @Field(() => [Transaction], {
    description: 'Recorded transactions in the order of the input; empty with userErrors.',
  })
  transactions!: readonly Transaction[];

  @Field(() => [UserError], { description: ERRORS })
  userErrors!: readonly UserError[];
}

@ObjectType({ description: 'Result of transfer.', simpleResolvers: true })
export class TransferPayload {
  @Field(() => Transaction, { nullable: true, description: 'Debit of fromAccountId; null with userErrors.' })
  debit!: Transaction | null;

  @Field(() => Transaction, { nullable: true, description: 'Credit to toAccountId; null with userErrors.' })
  credit!: Transaction | null;

  @Field(() => [UserError], { description: ERRORS })
  userErrors!: readonly UserError[];
}
