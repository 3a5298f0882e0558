import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, FieldResolver, Info, Int, Query, Resolver, Root } from 'type-graphql';
import { BankAccount } from '../accounts/account.type.ts';
import { BatchMapping, relationsOf, withRelations } from '../batching/batch-mapping.ts';
import { checkedStalenessMs, MAX_STALENESS } from '../cache/response/max-staleness.ts';
import { REFRESH, refresh } from '../context/refresh.ts';
import { RequestContext } from '../context/request-context.ts';
import { listCost } from '../graphql/complexity.ts';
import { checkedDay } from '../graphql/input-checks.ts';
import { STATEMENT_POINTS } from '../graphql/prices.ts';
import { DateScalar } from '../graphql/scalars.ts';
import { namesOf, type SelectedField, selectedFields } from '../graphql/selection.ts';
import { MAX_BUCKETS } from '../statistics/statistics.service.ts';
import { Transaction } from '../transactions/transaction.type.ts';
import { firstOf, isMoreBelow, type Lists } from './dashboard.lists.ts';
import { flowsIn, type ReadBelow } from './dashboard.repository.ts';
import {
  DEFAULT_ACTIVITY_DAYS,
  DEFAULT_RECENT_TRANSACTIONS,
  DEFAULT_TOP_ACCOUNTS,
  partsOf,
} from './dashboard.selection.ts';
import { activityOf, dashboardOf } from './dashboard.service.ts';
import { Dashboard, DashboardActivity } from './dashboard.type.ts';

@Resolver(() => Dashboard)
export class DashboardResolver {
  @Query(() => Dashboard, {
    complexity: STATEMENT_POINTS,
    description: "The tenant's dashboard as of a day; refresh skips the cache and replaces what it held.",
  })
  async dashboard(
    @Arg('date', () => DateScalar, {
      nullable: true,
      description: "Last day of the activity. Absent: the tenant's today.",
    })
    date: string | null,
    @Arg('refresh', () => Boolean, REFRESH) refreshes: boolean,
    @Arg('maxStalenessSeconds', () => Int, MAX_STALENESS) maxStalenessSeconds: number | null,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Dashboard> {
    const { scope, services, policy } = context;
    const day = date == null ? null : checkedDay('date', date);
    const maxStalenessMs = checkedStalenessMs(maxStalenessSeconds, refreshes);
    if (refreshes) await refresh(context, 'dashboard');
    policy.isOfKind('dashboard');
    const fields = selectedFields(info);
    let lists: object | undefined;
    const below: ReadBelow = {
      async read(row, within) {
        lists = await relationsOf(context.reading(within), row, fields);
      },
      isSearch: context.timing.searches,
    };
    const asked = {
      date: day,
      parts: partsOf(fields),
      maxStalenessMs,
      onRead: (totals: number, sums: number) => {
        context.chargeTotals(totals);
        context.chargeSums('read', sums);
      },
    };
    if (day === null) services.askedDashboards.add(scope, asked.parts);
    const found = isMoreBelow(fields)
      ? await services.dashboards.read(scope, { ...asked, below })
      : await context.loaders.dashboards.day(asked);
    policy.holdsUntil(found.endsAtMs);
    policy.shows(found);
    lists ??= await relationsOf(context, found.value, fields);
    context.chargeSums('walked', found.value.accounts.length);
    const dashboard = dashboardOf(found, namesOf(fields));
    for (const { name } of fields) context.showSums(sumsShownBy(name, dashboard));
    return { ...dashboard, ...lists };
  }

  @FieldResolver(() => DashboardActivity, {
    complexity: listCost('days', MAX_BUCKETS),
    description: 'The given number of days up to and including date, one entry a day, empty days included.',
  })
  activity(
    @Root() dashboard: Dashboard,
    @Arg('days', () => Int, { defaultValue: DEFAULT_ACTIVITY_DAYS, description: 'How many days, 1 to 366.' })
    days: number,
  ): DashboardActivity {
    return activityOf(dashboard, days);
  }

  @BatchMapping()
  @FieldResolver(() => [BankAccount], {
    complexity: listCost('limit'),
    description: 'The accounts with the highest balances, whatever their currency; the highest first.',
  })
  async topAccounts(
    @Root() [dashboard]: readonly Lists[],
    @Arg('limit', () => Int, {
      defaultValue: DEFAULT_TOP_ACCOUNTS,
      description: 'How many accounts at most, 1 to 100.',
    })
    limit: number,
    @Ctx() context: RequestContext,
    @Info() { fields }: SelectedField,
  ): Promise<(readonly BankAccount[])[]> {
    return [await withRelations(context, firstOf(dashboard?.topAccounts, limit), fields)];
  }

  @BatchMapping()
  @FieldResolver(() => [Transaction], {
    complexity: listCost('limit'),
    description: "The tenant's newest transactions, newest first.",
  })
  async recentTransactions(
    @Root() [dashboard]: readonly Lists[],
    @Arg('limit', () => Int, { defaultValue: DEFAULT_RECENT_TRANSACTIONS, description: 'How many at most, 1 to 100.' })
    limit: number,
    @Ctx() context: RequestContext,
    @Info() { fields }: SelectedField,
  ): Promise<(readonly Transaction[])[]> {
    return [await withRelations(context, firstOf(dashboard?.recentTransactions, limit), fields)];
  }
}

/** How many sums a field of the dashboard shows; each alias shows them again. */
function sumsShownBy(field: string, { dailyFlows, ...groups }: Dashboard): number {
  if (field === 'activity') return flowsIn(dailyFlows);
  if (field !== 'accountsByType' && field !== 'accountsByStatus' && field !== 'accountsByBank') return 0;
  return groups[field].reduce((sum, { balances }) => sum + balances.length, 0);
}
