import { Field, Int, ObjectType } from 'type-graphql';
import { DecimalScalar } from '../graphql/scalars.ts';

@ObjectType({ description: 'Money of one currency. Sums never mix currencies.', simpleResolvers: true })
export class CurrencyAmount {
  @Field(() => String, { description: 'ISO 4217.' })
  currency!: string;

  @Field(() => DecimalScalar)
  amount!: string;
}

@ObjectType({ description: 'What came in and went out in one currency.', simpleResolvers: true })
export class CashFlow {
  @Field(() => String, { description: 'ISO 4217.' })
  currency!: string;

  @Field(() => Int, { description: 'Movements in both directions.' })
  transactionCount!: number;

  @Field(() => DecimalScalar, { description: 'Sum of the credits; never negative.' })
  inflow!: string;

  @Field(() => DecimalScalar, { description: 'Sum of the debits; never negative.' })
  outflow!: string;

  @Field(() => DecimalScalar, { description: 'Inflow minus outflow.' })
  net!: string;
}
