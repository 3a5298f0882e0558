import { Field, Int, ObjectType } from 'type-graphql';
import { DateScalar, DateTimeScalar } from '../graphql/scalars.ts';
import { CashFlow, CurrencyAmount } from '../statistics/cash-flow.type.ts';
import type { DailyFlowText } from './dashboard.repository.ts';

@ObjectType({ description: 'Accounts that have something in common.', simpleResolvers: true })
export class AccountGroup {
  @Field(() => String, { description: "What they have in common: an enum's name or a bank's." })
  key!: string;

  @Field(() => Int)
  count!: number;

  @Field(() => [CurrencyAmount], { description: 'Sum of the balances, for each currency that occurs.' })
  balances!: CurrencyAmount[];
}

@ObjectType({ description: 'All accounts of the tenant together, as of now.', simpleResolvers: true })
export class DashboardOverview {
  @Field(() => Int)
  totalAccounts!: number;

  @Field(() => Int, { description: 'Those whose status is ACTIVE.' })
  activeAccounts!: number;

  @Field(() => [CurrencyAmount], { description: 'Sum of all balances, for each currency that occurs.' })
  balances!: CurrencyAmount[];
}

@ObjectType({ description: 'Movements of one day.', simpleResolvers: true })
export class DailyCashFlow {
  @Field(() => DateScalar)
  date!: string;

  @Field(() => [CashFlow], { description: 'One entry for each currency that occurs.' })
  flows!: CashFlow[];
}

@ObjectType({ description: 'Movements of the days up to and including the date.', simpleResolvers: true })
export class DashboardActivity {
  @Field(() => [CashFlow], { description: 'All days together, for each currency that occurs.' })
  totals!: CashFlow[];

  @Field(() => [DailyCashFlow], { description: 'One entry a day, ascending, empty days included.' })
  series!: DailyCashFlow[];
}

@ObjectType({ description: "The tenant's accounts as of now, and its movements up to a day.", simpleResolvers: true })
export class Dashboard {
  @Field(() => DateScalar, { description: 'The last day of the activity.' })
  date!: string;

  @Field(() => DateTimeScalar, { description: 'When this was computed; an answer from the cache keeps its time.' })
  generatedAt!: string;

  @Field(() => DashboardOverview, { description: 'All accounts together.' })
  overview!: DashboardOverview;

  @Field(() => [AccountGroup], { description: 'Accounts by type.' })
  accountsByType!: AccountGroup[];

  @Field(() => [AccountGroup], { description: 'Accounts by status.' })
  accountsByStatus!: AccountGroup[];

  @Field(() => [AccountGroup], { description: 'Accounts by bank, the banks by name.' })
  accountsByBank!: AccountGroup[];

  /** The days of the longest activity that anybody asked for; `activity` takes its own from them. */
  dailyFlows!: DailyFlowText;
}
