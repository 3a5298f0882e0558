import { Field, ObjectType } from 'type-graphql';
import { UserError } from '../graphql/user-error.type.ts';
import { Transaction } from './transaction.type.ts';

const ERRORS = 'The rules that the input breaks; empty when it was done.';

@ObjectType({ description: 'What recordTransactions did.', simpleResolvers: true })
export class RecordTransactionsPayload {
  @Field(() => [Transaction], { description: 'In the order of the input; empty with userErrors.' })
  transactions!: readonly Transaction[];

  @Field(() => [UserError], { description: ERRORS })
  userErrors!: readonly UserError[];
}

@ObjectType({ description: 'What transfer did.', simpleResolvers: true })
export class TransferPayload {
  @Field(() => Transaction, { nullable: true, description: 'What left fromAccountId; null with userErrors.' })
  debit!: Transaction | null;

  @Field(() => Transaction, { nullable: true, description: 'What arrived at toAccountId; null with userErrors.' })
  credit!: Transaction | null;

  @Field(() => [UserError], { description: ERRORS })
  userErrors!: readonly UserError[];
}
