import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, Info, Int, Query, Resolver } from 'type-graphql';
import { tenantDay } from '../cache/data/tenant-day.ts';
import { statisticsPart } from '../cache/dependencies/dependencies.ts';
import { checkedStalenessMs, MAX_STALENESS } from '../cache/response/max-staleness.ts';
import { StatisticsPeriod } from '../calendar.ts';
import { REFRESH, refresh } from '../context/refresh.ts';
import { RequestContext } from '../context/request-context.ts';
import { DateScalar } from '../graphql/scalars.ts';
import { namesOf, selectedFields } from '../graphql/selection.ts';
import { sentences } from '../graphql/sentences.ts';
import { currentDay } from '../tenants/viewer.resolver.ts';
import { statisticsCost } from './statistics.cost.ts';
import { MAX_BUCKETS, statisticsRange } from './statistics.service.ts';
import { Statistics } from './statistics.type.ts';

const PARTS = [
  ['buckets', 'bucket'],
  ['byCategory', 'category'],
  ['totals', 'total'],
] as const;

@Resolver(() => Statistics)
export class StatisticsResolver {
  @Query(() => Statistics, {
    complexity: statisticsCost,
    description: sentences(
      'Buckets between two days, both included; refresh as for dashboard.',
      `At most ${MAX_BUCKETS} buckets; more are refused.`,
    ),
  })
  async statistics(
    @Arg('period', () => StatisticsPeriod, {
      defaultValue: StatisticsPeriod.DAILY,
      description: 'Length of the buckets.',
    })
    period: StatisticsPeriod,
    @Arg('from', () => DateScalar, {
      nullable: true,
      description: sentences(
        'First day, not after to.',
        'Absent: the first day of the 30 days, 26 weeks, 24 months, 12 quarters or 10 years up to to.',
      ),
    })
    from: string | null,
    @Arg('to', () => DateScalar, { nullable: true, description: "Last day, included. Absent: the tenant's today." })
    to: string | null,
    @Arg('refresh', () => Boolean, REFRESH) refreshes: boolean,
    @Arg('maxStalenessSeconds', () => Int, MAX_STALENESS) maxStalenessSeconds: number | null,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Statistics> {
    const maxStalenessMs = checkedStalenessMs(maxStalenessSeconds, refreshes);
    if (refreshes) await refresh(context, 'statistics');
    context.policy.dependsOn(statisticsPart(period));
    context.policy.isOfKind('statistics');
    const range = await statisticsRange({ period, from, to }, () => today(context));
    const fields = selectedFields(info);
    const wanted = namesOf(fields);
    const parts = PARTS.flatMap(([field, part]) => (wanted.has(field) ? [part] : []));
    const { scope, services, loaders, policy } = context;
    const found = await services.statistics.statistics(scope, range, parts, {
      loadSums: loaders.statistics.sums,
      maxStalenessMs,
      onRead: (sums) => context.chargeSums('read', sums),
    });
    policy.shows(found);
    for (const { name } of fields) context.showSums(sumsShownBy(name, found.statistics));
    return found.statistics;
  }
}

/** The tenant's calendar day, with which the answer ends. */
async function today(context: RequestContext): Promise<string> {
  const { scope, services, policy } = context;
  const day = tenantDay(services.config.cache.ttlSeconds.other);
  const { value } = await services.tenantCache.getOrSet(scope, day, [], () => currentDay(context));
  policy.holdsUntil(value.dayEndsAtMs);
  return value.today;
}

/** How many sums a field of statistics shows; each alias shows them again. */
function sumsShownBy(field: string, { totals, buckets, byCategory }: Statistics): number {
  if (field === 'totals') return totals.length;
  if (field === 'buckets') return buckets.reduce((sum, { flows }) => sum + flows.length, 0);
  return field === 'byCategory' ? byCategory.reduce((sum, { flows }) => sum + flows.length, 0) : 0;
}
