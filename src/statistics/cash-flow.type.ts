import { Field, Int, ObjectType } from 'type-graphql';
import { DecimalScalar } from '../graphql/scalars.ts';

@ObjectType({ description: 'Money of one currency. Sums never mix currencies.', simpleResolvers: true })
export class CurrencyAmount {
  @Field(() => String, { description: 'ISO 4217 code, three capital letters.' })
  currency!: string;

  @Field(() => DecimalScalar, { description: 'The sum, in this currency; it may be below zero.' })
  amount!: string;
}

@ObjectType({ description: 'What came in and went out in one currency.', simpleResolvers: true })
export class CashFlow {
  @Field(() => String, { description: 'ISO 4217 code, three capital letters.' })
  currency!: string;

  @Field(() => Int, { description: 'Number of transactions in both directions.' })
  transactionCount!: number;

  @Field(() => DecimalScalar, { description: 'Sum of the credits, in this currency; never negative.' })
  inflow!: string;

  @Field(() => DecimalScalar, { description: 'Sum of the debits, in this currency; never negative.' })
  outflow!: string;

  @Field(() => DecimalScalar, { description: 'Inflow minus outflow; it may be below zero.' })
  net!: string;
}
