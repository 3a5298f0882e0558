import { Ctx, Field, Int, ObjectType, Query, Resolver } from 'type-graphql';
import type { Allowance } from '../budget/shared-counter.ts';
import { NeverKept } from '../cache/response/cache-control.ts';
import { RequestContext } from '../context/request-context.ts';
import { unauthenticated } from '../errors.ts';
import { DateTimeScalar } from '../graphql/scalars.ts';

@ObjectType({ description: 'How often refresh: true may be asked for in one minute.', simpleResolvers: true })
export class RefreshLimit {
  @Field(() => Int, { description: 'Refreshes of a whole minute.' })
  limit!: number;

  @Field(() => Int, { description: 'Refreshes that are left for this minute; never negative.' })
  remaining!: number;

  @Field(() => DateTimeScalar, { description: 'When the minute ends and all refreshes are available again.' })
  resetAt!: string;
}

@ObjectType({
  description: 'Complexity points of all callers of a tenant together in one minute.',
  simpleResolvers: true,
})
export class TenantRateLimit {
  @Field(() => Int, {
    description: "Points for a whole minute: the tenant's own number, or the default of the service.",
  })
  limit!: number;

  @Field(() => Int, { description: 'Points that are left for this minute; never negative.' })
  remaining!: number;

  @Field(() => DateTimeScalar, { description: 'When the minute ends and all points are available again.' })
  resetAt!: string;

  @Field(() => RefreshLimit, { description: 'The refreshes that all callers of the tenant share.' })
  refreshes!: RefreshLimit;
}

@ObjectType({ description: 'Complexity points of one caller in one minute.', simpleResolvers: true })
export class RateLimit {
  @Field(() => Int, { description: 'Points for a whole minute.' })
  limit!: number;

  @Field(() => Int, {
    description:
      'The price of this operation in points. What is charged beside it is not in it: for a document\n' +
      'that is new to the process, for the bytes of the request and of the answer, and for sums that\n' +
      'turn out to be read.',
  })
  cost!: number;

  @Field(() => Int, { description: 'Points that are left for this minute after this operation; never negative.' })
  remaining!: number;

  @Field(() => DateTimeScalar, { description: 'When the minute ends and all points are available again.' })
  resetAt!: string;

  @Field(() => RefreshLimit, { description: 'The refreshes of this caller, for roles that may refresh.' })
  refreshes!: RefreshLimit;

  @Field(() => TenantRateLimit, {
    nullable: true,
    description: 'The budget that all callers of the tenant share; null for an OPERATOR.',
  })
  tenant!: TenantRateLimit | null;
}

@Resolver()
export class RateLimitResolver {
  @NeverKept()
  @Query(() => RateLimit, { description: 'What this caller may still spend, in complexity points.' })
  async rateLimit(@Ctx() { caller, services, cost }: RequestContext): Promise<RateLimit> {
    if (!caller) throw unauthenticated();
    const [points, refreshes] = await Promise.all([
      services.budget.allowances(caller),
      services.refreshes.allowances(caller),
    ]);
    const ofTenant = points.tenant &&
      refreshes.tenant && { ...shown(points.tenant), refreshes: shown(refreshes.tenant) };
    return { ...shown(points.caller), cost, refreshes: shown(refreshes.caller), tenant: ofTenant };
  }
}

function shown({ limit, remaining, resetAtMs }: Allowance): RefreshLimit {
  return { limit, remaining, resetAt: new Date(resetAtMs).toISOString() };
}
