import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { StatisticsPeriod } from '../calendar.ts';
import { DateScalar, DateTimeScalar } from '../graphql/scalars.ts';
import { CashFlow } from './cash-flow.type.ts';

registerEnumType(StatisticsPeriod, {
  name: 'StatisticsPeriod',
  description: 'Length of the buckets that statistics are cut into. Weeks start on Monday.',
  valuesConfig: {
    DAILY: { description: 'Calendar days.' },
    WEEKLY: { description: 'Weeks from Monday to Sunday.' },
    MONTHLY: { description: 'Calendar months.' },
    QUARTERLY: { description: 'Quarters, which begin in January, April, July and October.' },
    YEARLY: { description: 'Calendar years.' },
  },
});

/**
 * All that is selected is reckoned as often as there are buckets: beside theirs, the values of
 * these are few.
 */
const FEW = () => 1;

@ObjectType({ description: 'Transactions of one period, clipped to the range.', simpleResolvers: true })
export class StatisticsBucket {
  @Field(() => DateScalar, { description: 'First day of the bucket, included.' })
  start!: string;

  @Field(() => DateScalar, { description: 'Last day of the bucket, included.' })
  end!: string;

  @Field(() => [CashFlow], { description: 'One entry for each currency that occurs; empty without transactions.' })
  flows!: CashFlow[];
}

@ObjectType({ description: 'Transactions of one category within the range.', simpleResolvers: true })
export class CategoryCashFlow {
  @Field(() => String, { nullable: true, description: 'The category; null: transactions without one.' })
  category!: string | null;

  @Field(() => [CashFlow], { description: 'One entry for each currency that occurs; empty without transactions.' })
  flows!: CashFlow[];
}

@ObjectType({ description: 'Transactions between two days, both included, cut into periods.', simpleResolvers: true })
export class Statistics {
  @Field(() => StatisticsPeriod, { description: 'Length of the buckets.' })
  period!: StatisticsPeriod;

  @Field(() => DateScalar, { description: 'First day of the range, included.' })
  from!: string;

  @Field(() => DateScalar, { description: 'Last day of the range, included.' })
  to!: string;

  @Field(() => DateTimeScalar, { description: 'When the answer was computed; one from the cache keeps its time.' })
  generatedAt!: string;

  @Field(() => [CashFlow], {
    complexity: FEW,
    description: 'The whole range, one entry for each currency that occurs.',
  })
  totals!: CashFlow[];

  @Field(() => [StatisticsBucket], {
    description: 'In order; empty buckets included. Weeks start on Monday.',
  })
  buckets!: StatisticsBucket[];

  @Field(() => [CategoryCashFlow], {
    complexity: FEW,
    description: 'Categories by name; transactions without a category come last.',
  })
  byCategory!: CategoryCashFlow[];
}
