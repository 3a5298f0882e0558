import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { fixedCost } from '../graphql/complexity.ts';
import { DateScalar, DateTimeScalar } from '../graphql/scalars.ts';
import { StatisticsPeriod } from './calendar.ts';
import { CashFlow } from './cash-flow.type.ts';

registerEnumType(StatisticsPeriod, {
  name: 'StatisticsPeriod',
  description: 'Lengths of time that statistics are cut into. Weeks start on Monday.',
});

@ObjectType({ description: 'Movements of one period, clipped to the range.', simpleResolvers: true })
export class StatisticsBucket {
  @Field(() => DateScalar, { description: 'First day.' })
  start!: string;

  @Field(() => DateScalar, { description: 'Last day, included.' })
  end!: string;

  @Field(() => [CashFlow], { description: 'One entry for each currency that occurs.' })
  flows!: CashFlow[];
}

@ObjectType({ description: 'Movements of one category.', simpleResolvers: true })
export class CategoryCashFlow {
  @Field(() => String, { nullable: true, description: 'null: movements without a category.' })
  category!: string | null;

  @Field(() => [CashFlow], { description: 'One entry for each currency that occurs.' })
  flows!: CashFlow[];
}

@ObjectType({ description: 'Movements between two days, both included, cut into periods.', simpleResolvers: true })
export class Statistics {
  @Field(() => StatisticsPeriod, { description: 'What the buckets are.' })
  period!: StatisticsPeriod;

  @Field(() => DateScalar, { description: 'First day.' })
  from!: string;

  @Field(() => DateScalar, { description: 'Last day, included.' })
  to!: string;

  @Field(() => DateTimeScalar, { description: 'When this was computed; an answer from the cache keeps its time.' })
  generatedAt!: string;

  @Field(() => [CashFlow], { description: 'The whole range, one entry for each currency that occurs.' })
  totals!: CashFlow[];

  @Field(() => [StatisticsBucket], {
    complexity: fixedCost(30),
    description: 'In order; empty buckets included. Weeks start on Monday.',
  })
  buckets!: StatisticsBucket[];

  @Field(() => [CategoryCashFlow], { description: 'By name; movements without a category come last.' })
  byCategory!: CategoryCashFlow[];
}
