import { Ctx, Field, Int, ObjectType, Query, Resolver } from 'type-graphql';
import { NeverKept } from '../cache/cache-control.ts';
import { callerKey } from '../context/caller.ts';
import { RequestContext } from '../context/request-context.ts';
import { unauthenticated } from '../errors.ts';
import { DateTimeScalar } from './scalars.ts';

@ObjectType({ description: 'Complexity points of one caller in one minute.', simpleResolvers: true })
export class RateLimit {
  @Field(() => Int, { description: 'Points of a whole minute.' })
  limit!: number;

  @Field(() => Int, { description: 'What this operation cost.' })
  cost!: number;

  @Field(() => Int, { description: 'What is left of this minute, this operation taken off.' })
  remaining!: number;

  @Field(() => DateTimeScalar, { description: 'When the points are there again.' })
  resetAt!: string;
}

@Resolver()
export class RateLimitResolver {
  @NeverKept()
  @Query(() => RateLimit, { description: 'What this caller may still spend, in complexity points.' })
  rateLimit(@Ctx() { caller, services, cost }: RequestContext): RateLimit {
    if (!caller) throw unauthenticated();
    const { limit, remaining, resetAtMs } = services.rateLimiter.allowance(callerKey(caller));
    return { limit, cost, remaining, resetAt: new Date(resetAtMs).toISOString() };
  }
}
