import { Field, Float, Int, ObjectType } from 'type-graphql';
import { DateTimeScalar } from '../graphql/scalars.ts';
import { Latency } from './latency.type.ts';

@ObjectType({ description: 'One minute of all processes together.', simpleResolvers: true })
export class PerformanceMinute {
  @Field(() => DateTimeScalar, { description: "When it began, by the database's clock." })
  start!: Date;

  @Field(() => Int, { description: 'Number of processes that served in it.' })
  processes!: number;

  @Field(() => Int, { description: 'Number of answers, those from the cache included.' })
  requests!: number;

  @Field(() => Int, { description: 'Number of answers from the response cache.' })
  hits!: number;

  @Field(() => Int, { description: 'Number of answers that were looked up in the cache and not found.' })
  misses!: number;

  @Field(() => Int, { description: 'Number of requests that were not looked up in the cache.' })
  bypasses!: number;

  @Field(() => Int, { description: 'Number of answers with errors.' })
  errors!: number;

  @Field(() => Int, {
    description: 'Number of requests refused without being worked on: the queue was full, or the budget spent.',
  })
  refusals!: number;

  @Field(() => Latency, { description: 'Time from the requests to their answers, cache hits included.' })
  latency!: Latency;

  @Field(() => Latency, { description: 'The same of the answers from the response cache alone.' })
  hitLatency!: Latency;

  @Field(() => Float, { description: 'Number of SQL statements.' })
  statements!: number;

  @Field(() => Float, {
    description: 'Sum of the times of the SQL statements, in milliseconds; parallel ones count each.',
  })
  databaseMs!: number;

  @Field(() => Boolean, {
    description: 'Whether some process, for safety, took no answers from its cache in it.',
  })
  untrusted!: boolean;
}
