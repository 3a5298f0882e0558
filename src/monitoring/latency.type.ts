import { Field, Float, Int, ObjectType } from 'type-graphql';

@ObjectType({
  description: 'Durations are milliseconds. Percentiles are right to 1.6 %; count, mean and max are exact.',
  simpleResolvers: true,
})
export class Latency {
  @Field(() => Int, { description: 'How many were timed; stays at 2147483647 when there were more.' })
  count!: number;

  @Field(() => Float, { description: 'Arithmetic mean.' })
  mean!: number;

  @Field(() => Float, { description: 'Half of them were at most this long.' })
  p50!: number;

  @Field(() => Float, { description: '95 of 100 were at most this long.' })
  p95!: number;

  @Field(() => Float, { description: '99 of 100 were at most this long.' })
  p99!: number;

  @Field(() => Float, { description: 'The longest.' })
  max!: number;
}
