import { Field, Int, ObjectType } from 'type-graphql';
import { fixedCost } from '../graphql/complexity.ts';
import { DateScalar, DateTimeScalar } from '../graphql/scalars.ts';
import { CashFlow, CurrencyAmount } from '../statistics/cash-flow.type.ts';
import type { DailyFlowText } from './dashboard.repository.ts';

const GROUPS = fixedCost(10);

@ObjectType({ description: 'Accounts of one type, status or bank.', simpleResolvers: true })
export class AccountGroup {
  @Field(() => String, {
    description: 'What they have in common: the name of an AccountType, an AccountStatus or a bank.',
  })
  key!: string;

  @Field(() => Int, { description: 'Number of accounts in the group.' })
  count!: number;

  @Field(() => [CurrencyAmount], { description: 'Sum of their balances, one entry for each currency that occurs.' })
  balances!: CurrencyAmount[];
}

@ObjectType({ description: 'All accounts of the tenant together, as of now.', simpleResolvers: true })
export class DashboardOverview {
  @Field(() => Int, { description: 'Number of accounts, whatever their status.' })
  totalAccounts!: number;

  @Field(() => Int, { description: 'Number of accounts whose status is ACTIVE.' })
  activeAccounts!: number;

  @Field(() => [CurrencyAmount], { description: 'Sum of all balances, one entry for each currency that occurs.' })
  balances!: CurrencyAmount[];
}

@ObjectType({ description: 'Transactions of one day.', simpleResolvers: true })
export class DailyCashFlow {
  @Field(() => DateScalar, { description: 'The day.' })
  date!: string;

  @Field(() => [CashFlow], { description: 'One entry for each currency that occurs; empty without transactions.' })
  flows!: CashFlow[];
}

@ObjectType({
  description: "Transactions of the days up to and including the dashboard's date.",
  simpleResolvers: true,
})
export class DashboardActivity {
  @Field(() => [CashFlow], { description: 'All days together, one entry for each currency that occurs.' })
  totals!: CashFlow[];

  @Field(() => [DailyCashFlow], { description: 'One entry a day, ascending, empty days included.' })
  series!: DailyCashFlow[];
}

@ObjectType({
  description: "The tenant's accounts as of now, and its transactions up to a day.",
  simpleResolvers: true,
})
export class Dashboard {
  @Field(() => DateScalar, { description: 'Last day of the activity.' })
  date!: string;

  @Field(() => DateTimeScalar, { description: 'When the answer was computed; one from the cache keeps its time.' })
  generatedAt!: string;

  @Field(() => DashboardOverview, { description: 'All accounts together.' })
  overview!: DashboardOverview;

  @Field(() => [AccountGroup], { complexity: GROUPS, description: 'Accounts by type, for each type that occurs.' })
  accountsByType!: AccountGroup[];

  @Field(() => [AccountGroup], { complexity: GROUPS, description: 'Accounts by status, for each status that occurs.' })
  accountsByStatus!: AccountGroup[];

  @Field(() => [AccountGroup], { complexity: GROUPS, description: 'Accounts by bank, in the order of the names.' })
  accountsByBank!: AccountGroup[];

  /**
   * The days of the longest activity that anybody asked for; `activity` takes its own from them.
   */
  dailyFlows!: DailyFlowText;
}
