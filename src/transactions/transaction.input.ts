import { Field, ID, InputType, registerEnumType } from 'type-graphql';
import { TransactionDirection } from '../generated/prisma/enums.ts';
import { OrderDirection } from '../graphql/enums.ts';
import { NESTING, STARTS, VALUES } from '../graphql/filter.ts';
import { lengthOf } from '../graphql/input-checks.ts';
import { DateTimeScalar, DecimalScalar } from '../graphql/scalars.ts';
import { sentences } from '../graphql/sentences.ts';
import { END_OF_INSTANTS, FIRST_INSTANT, LIMITS } from '../limits.ts';

const IDEMPOTENCY_KEY = sentences(
  'Key of the request, chosen by the client.',
  lengthOf(LIMITS.idempotency_keys.key),
  'The same key with the same input gives the first result again and changes nothing.',
  'The same key with another input is refused with IDEMPOTENCY_KEY_REUSED.',
  'A key is forgotten after a time that the service sets, 48 hours by default.',
);

/** What transactions can be ordered by. */
export enum TransactionOrderField {
  BOOKED_AT = 'BOOKED_AT',
  AMOUNT = 'AMOUNT',
}
registerEnumType(TransactionOrderField, {
  name: 'TransactionOrderField',
  description: 'What transactions are ordered by; equal ones by id.',
  valuesConfig: {
    BOOKED_AT: { description: 'When the transaction was booked.' },
    AMOUNT: { description: 'Amount as a number, whatever its currency and direction.' },
  },
});

@InputType({
  description: 'Transactions that satisfy all given conditions. Texts match exactly, bounds include their ends.',
})
export class TransactionFilter {
  @Field(() => ID, { nullable: true, description: 'Only transactions of this account, a UUID. Absent: all.' })
  accountId?: string | null;

  @Field(() => [ID], { nullable: true, description: sentences('Only transactions of one of these accounts.', VALUES) })
  accountIdIn?: string[] | null;

  @Field(() => TransactionDirection, { nullable: true, description: 'Only credits or only debits. Absent: both.' })
  direction?: TransactionDirection | null;

  @Field(() => [TransactionDirection], {
    nullable: true,
    description: sentences('Only transactions of one of these directions.', VALUES),
  })
  directionIn?: TransactionDirection[] | null;

  @Field(() => String, { nullable: true, description: 'Only transactions of this category. Absent: all.' })
  category?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: sentences('Only transactions of one of these categories.', VALUES),
  })
  categoryIn?: string[] | null;

  @Field(() => String, {
    nullable: true,
    description: sentences('Only transactions whose category begins with this text.', STARTS),
  })
  categoryStartsWith?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'true: only transactions with a category; false: only those without one. Absent: all.',
  })
  hasCategory?: boolean | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only transactions in this currency, an ISO 4217 code. Absent: all.',
  })
  currency?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: sentences('Only transactions in one of these currencies.', VALUES),
  })
  currencyIn?: string[] | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only transactions with the bank of this name on the other side. Absent: all.',
  })
  counterpartyBank?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: sentences('Only transactions with one of the banks of these names on the other side.', VALUES),
  })
  counterpartyBankIn?: string[] | null;

  @Field(() => String, {
    nullable: true,
    description: sentences('Only transactions with a bank on the other side whose name begins with this text.', STARTS),
  })
  counterpartyBankStartsWith?: string | null;

  @Field(() => String, {
    nullable: true,
    description: sentences('Only transactions whose description begins with this text.', STARTS),
  })
  descriptionStartsWith?: string | null;

  @Field(() => DecimalScalar, { nullable: true, description: 'Lowest amount, whatever its currency. Absent: any.' })
  minAmount?: string | null;

  @Field(() => DecimalScalar, { nullable: true, description: 'Highest amount, whatever its currency. Absent: any.' })
  maxAmount?: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Only transactions booked then or later. Absent: all.' })
  bookedFrom?: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'Only transactions booked then or earlier. Absent: all.',
  })
  bookedTo?: string | null;

  @Field(() => TransactionFilter, {
    nullable: true,
    description: sentences(
      'Only transactions that do not satisfy this filter, those without the value in question among them.',
      NESTING,
      'Absent: all.',
    ),
  })
  not?: TransactionFilter | null;

  @Field(() => [TransactionFilter], {
    nullable: true,
    description: sentences('Only transactions that satisfy all of these filters.', NESTING, 'Absent: all.'),
  })
  and?: TransactionFilter[] | null;

  @Field(() => [TransactionFilter], {
    nullable: true,
    description: sentences(
      'Only transactions that satisfy one of these filters, or more; of an empty list none do.',
      NESTING,
      'Absent: all.',
    ),
  })
  or?: TransactionFilter[] | null;
}

@InputType({ description: 'Order of a list of transactions.' })
export class TransactionOrder {
  @Field(() => TransactionOrderField, { description: 'What to order by.' })
  field!: TransactionOrderField;

  @Field(() => OrderDirection, { defaultValue: OrderDirection.DESC, description: 'Ascending or descending.' })
  direction!: OrderDirection;
}

@InputType({ description: 'One transaction to record, in the currency of its account.' })
export class TransactionInput {
  @Field(() => ID, { description: 'Id of the account, a UUID.' })
  accountId!: string;

  @Field(() => TransactionDirection, { description: 'CREDIT adds to the balance, DEBIT takes from it.' })
  direction!: TransactionDirection;

  @Field(() => DecimalScalar, { description: 'Greater than 0, in the currency of the account.' })
  amount!: string;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: sentences(
      'When the transaction was booked. Absent: when it is recorded.',
      `From ${FIRST_INSTANT} on and before ${END_OF_INSTANTS}.`,
    ),
  })
  bookedAt?: string | null;

  @Field(() => String, {
    nullable: true,
    description: sentences('What it is for. Absent: no category.', lengthOf(LIMITS.transactions.category)),
  })
  category?: string | null;

  @Field(() => String, {
    nullable: true,
    description: sentences(
      'Name of the bank on the other side. Absent: unknown.',
      lengthOf(LIMITS.transactions.counterparty_bank),
    ),
  })
  counterpartyBank?: string | null;

  @Field(() => String, {
    nullable: true,
    description: sentences('Free text. Absent: none.', lengthOf(LIMITS.transactions.description)),
  })
  description?: string | null;
}

@InputType({ description: 'Transactions to record together: all or none.' })
export class RecordTransactionsInput {
  @Field(() => String, {
    description: IDEMPOTENCY_KEY,
  })
  idempotencyKey!: string;

  @Field(() => [TransactionInput], { description: '1 to 1000 transactions, which are recorded in this order.' })
  transactions!: TransactionInput[];
}

@InputType({ description: 'An amount to transfer from one account of the tenant to another of the same currency.' })
export class TransferInput {
  @Field(() => String, {
    description: IDEMPOTENCY_KEY,
  })
  idempotencyKey!: string;

  @Field(() => ID, { description: 'Id of the account that is debited, a UUID.' })
  fromAccountId!: string;

  @Field(() => ID, { description: 'Id of the account that is credited, a UUID.' })
  toAccountId!: string;

  @Field(() => DecimalScalar, { description: 'Greater than 0, in the currency of the account.' })
  amount!: string;

  @Field(() => String, {
    nullable: true,
    description: sentences('Free text. Absent: none.', lengthOf(LIMITS.transactions.description)),
  })
  description?: string | null;
}
