import { Field, ID, InputType } from 'type-graphql';
import { TransactionDirection } from '../generated/prisma/enums.ts';
import { lengthOf } from '../graphql/input-checks.ts';
import { DateTimeScalar, DecimalScalar } from '../graphql/scalars.ts';
import { LIMITS } from '../limits.ts';

@InputType({
  description: 'Transactions that satisfy all of what is given. Texts match exactly, bounds include their ends.',
})
export class TransactionFilter {
  @Field(() => ID, { nullable: true })
  accountId?: string | null;

  @Field(() => TransactionDirection, { nullable: true })
  direction?: TransactionDirection | null;

  @Field(() => String, { nullable: true })
  category?: string | null;

  @Field(() => DecimalScalar, { nullable: true })
  minAmount?: string | null;

  @Field(() => DecimalScalar, { nullable: true })
  maxAmount?: string | null;

  @Field(() => DateTimeScalar, { nullable: true })
  bookedFrom?: string | null;

  @Field(() => DateTimeScalar, { nullable: true })
  bookedTo?: string | null;
}

@InputType({ description: 'One movement to record.' })
export class TransactionInput {
  @Field(() => ID)
  accountId!: string;

  @Field(() => TransactionDirection)
  direction!: TransactionDirection;

  @Field(() => DecimalScalar, { description: 'Greater than 0.' })
  amount!: string;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Now when absent.' })
  bookedAt?: string | null;

  @Field(() => String, { nullable: true, description: lengthOf(LIMITS.transactions.category) })
  category?: string | null;

  @Field(() => String, { nullable: true, description: lengthOf(LIMITS.transactions.counterparty_bank) })
  counterpartyBank?: string | null;

  @Field(() => String, { nullable: true, description: lengthOf(LIMITS.transactions.description) })
  description?: string | null;
}

@InputType({ description: 'Movements to record together: all or none.' })
export class RecordTransactionsInput {
  @Field(() => String, {
    description: `${lengthOf(LIMITS.idempotency_keys.key)} The same key with the same input gives the first result again and records nothing.`,
  })
  idempotencyKey!: string;

  @Field(() => [TransactionInput], { description: '1 to 1000 movements.' })
  transactions!: TransactionInput[];
}

@InputType({ description: 'Money from one account of the tenant to another of the same currency.' })
export class TransferInput {
  @Field(() => String, {
    description: `${lengthOf(LIMITS.idempotency_keys.key)} The same key with the same input gives the first result again and moves nothing.`,
  })
  idempotencyKey!: string;

  @Field(() => ID)
  fromAccountId!: string;

  @Field(() => ID)
  toAccountId!: string;

  @Field(() => DecimalScalar, { description: 'Greater than 0.' })
  amount!: string;

  @Field(() => String, { nullable: true, description: lengthOf(LIMITS.transactions.description) })
  description?: string | null;
}
