import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, Info, Query, Resolver } from 'type-graphql';
import { statisticsPart } from '../cache/namespaces.ts';
import { refresh } from '../cache/refresh.ts';
import { RequestContext } from '../context/request-context.ts';
import { currentTenant } from '../context/viewer.resolver.ts';
import { DateScalar } from '../graphql/scalars.ts';
import { namesOf, selectedFields } from '../graphql/selection.ts';
import { StatisticsPeriod } from './calendar.ts';
import { statisticsRange } from './statistics.service.ts';
import { Statistics } from './statistics.type.ts';

@Resolver(() => Statistics)
export class StatisticsResolver {
  @Query(() => Statistics, { description: 'Buckets between two days, both included; refresh as for dashboard.' })
  async statistics(
    @Arg('period', () => StatisticsPeriod, { defaultValue: StatisticsPeriod.DAILY }) period: StatisticsPeriod,
    @Arg('from', () => DateScalar, {
      nullable: true,
      description:
        'When absent: the first day of the 30 days, 26 weeks, 24 months, 12 quarters or 10 years that end with to.',
    })
    from: string | null,
    @Arg('to', () => DateScalar, { nullable: true, description: "The tenant's today when absent." }) to: string | null,
    @Arg('refresh', () => Boolean, { defaultValue: false, description: 'Needs the role ANALYST or ADMIN.' })
    refreshes: boolean,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Statistics> {
    if (refreshes) await refresh(context, 'statistics');
    context.policy.dependsOn('statistics', statisticsPart(period), 'tenant');
    context.policy.isOfKind('statistics');
    const range = await statisticsRange({ period, from, to }, () => today(context));
    const wanted = namesOf(selectedFields(info));
    return context.services.statistics.statistics(context.scope, range, {
      buckets: wanted.has('buckets'),
      categories: wanted.has('byCategory'),
      totals: wanted.has('totals'),
    });
  }
}

/** The tenant's calendar day, with which the answer ends. */
async function today(context: RequestContext): Promise<string> {
  const tenant = await currentTenant(context);
  context.policy.holdsUntil(tenant.dayEndsAtMs);
  return tenant.today;
}
