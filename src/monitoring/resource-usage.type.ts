import { Field, Float, Int, ObjectType } from 'type-graphql';

@ObjectType({ description: 'What the answering process uses.', simpleResolvers: true })
export class ResourceUsage {
  @Field(() => Float, { description: 'Memory of the process.' })
  rssBytes!: number;

  @Field(() => Float, { description: 'JavaScript objects.' })
  heapUsedBytes!: number;

  @Field(() => Float, { description: 'Of one core, over the last 10 to 20 seconds; 200: two cores were busy.' })
  cpuPercent!: number;

  @Field(() => Float, { description: 'How late the event loop was over these seconds, at the 99th percentile.' })
  eventLoopDelayMs!: number;

  @Field(() => Float, { description: 'Cache entries in the process.' })
  cacheMemoryBytes!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Memory of Redis; null without Redis or when it does not answer.',
  })
  redisMemoryBytes!: number | null;

  @Field(() => Int, { description: 'Open connections to PostgreSQL.' })
  databaseConnections!: number;
}
