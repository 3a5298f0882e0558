import { Field, Float, Int, ObjectType } from 'type-graphql';

@ObjectType({ description: 'What the answering process uses.', simpleResolvers: true })
export class ResourceUsage {
  @Field(() => Float, { description: 'Resident memory of the process, in bytes.' })
  rssBytes!: number;

  @Field(() => Float, { description: 'Memory of JavaScript objects, in bytes.' })
  heapUsedBytes!: number;

  @Field(() => Float, {
    description: 'CPU time in percent of one core, over the last 10 to 20 seconds; 200: two cores were busy.',
  })
  cpuPercent!: number;

  @Field(() => Float, {
    description: 'Delay of the event loop in milliseconds, 99th percentile over the last 10 to 20 seconds.',
  })
  eventLoopDelayMs!: number;

  @Field(() => Float, { description: 'Memory of the cache entries in the process, in bytes.' })
  cacheMemoryBytes!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Memory of Redis, in bytes; null without Redis or when it does not answer.',
  })
  redisMemoryBytes!: number | null;

  @Field(() => Int, { description: 'Open connections of the process to PostgreSQL.' })
  databaseConnections!: number;
}
