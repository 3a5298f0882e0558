import { Field, Float, Int, ObjectType } from 'type-graphql';
import { sentences } from '../graphql/sentences.ts';

@ObjectType({
  description: sentences(
    'Durations are milliseconds. Percentiles are right to 1.6 %; count, mean and max are exact.',
    'All are 0 when nothing was timed.',
  ),
  simpleResolvers: true,
})
export class Latency {
  @Field(() => Int, { description: 'How many were timed; 2147483647 also stands for more.' })
  count!: number;

  @Field(() => Float, { description: 'Arithmetic mean.' })
  mean!: number;

  @Field(() => Float, { description: 'Median: half of them took at most this long.' })
  p50!: number;

  @Field(() => Float, { description: '95 % of them took at most this long.' })
  p95!: number;

  @Field(() => Float, { description: '99 % of them took at most this long.' })
  p99!: number;

  @Field(() => Float, { description: 'The longest one.' })
  max!: number;
}
