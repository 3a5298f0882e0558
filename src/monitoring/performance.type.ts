import { Field, Float, Int, ObjectType } from 'type-graphql';
import { DateTimeScalar } from '../graphql/scalars.ts';
import { Latency } from './latency.type.ts';

@ObjectType({ description: 'One GraphQL operation, by the name its clients give it.', simpleResolvers: true })
export class OperationPerformance {
  @Field(() => String, {
    description:
      'In parentheses where there is none: (anonymous), (invalid), (no caller), and (other) for names beyond the first 200 (50 of one tenant).',
  })
  name!: string;

  @Field(() => Latency, { description: 'From the request to its answer, cache hits included.' })
  latency!: Latency;

  @Field(() => Int, { description: 'Answers with errors.' })
  errors!: number;

  @Field(() => Int, { description: 'Answers taken from the response cache.' })
  cacheHits!: number;

  @Field(() => Float, { description: 'SQL statements sent for it, all together.' })
  statements!: number;

  @Field(() => Float, {
    description: 'Time of its SQL statements, all together; those sent at the same time count each.',
  })
  databaseMs!: number;
}

@ObjectType({
  description: 'One resolver. Its first 100 calls are timed, then one in ten.',
  simpleResolvers: true,
})
export class ResolverPerformance {
  @Field(() => String, { description: 'Type.field.' })
  coordinate!: string;

  @Field(() => Latency, { description: 'Until its value was there, waiting for its batch included.' })
  latency!: Latency;

  @Field(() => Int, { description: 'Timed calls that failed.' })
  errors!: number;
}

@ObjectType({ description: 'SQL statements of one kind.', simpleResolvers: true })
export class QueryPerformance {
  @Field(() => String, { nullable: true, description: 'What they read or write; null for statements about no model.' })
  model!: string | null;

  @Field(() => String, { description: 'What they are for.' })
  action!: string;

  @Field(() => Latency, { description: 'From sending to the last row; waiting for a connection not included.' })
  latency!: Latency;

  @Field(() => Float, { description: 'Rows returned or changed, all together.' })
  rows!: number;
}

@ObjectType({ description: 'One SQL statement that took long.', simpleResolvers: true })
export class SlowQuery {
  @Field(() => String, { description: 'With placeholders; values are never kept.' })
  sql!: string;

  @Field(() => Float, { description: 'From sending to the last row.' })
  durationMs!: number;

  @Field(() => Int, { nullable: true, description: 'Rows returned or changed.' })
  rows!: number | null;

  @Field(() => String, { nullable: true, description: 'What it read or wrote; null for statements about no model.' })
  model!: string | null;

  @Field(() => String, { description: 'What it was for.' })
  action!: string;

  @Field(() => String, { nullable: true, description: 'The GraphQL operation that sent it.' })
  operation!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      "PostgreSQL's plan for the statement with its values, which are shown as ?. Taken afterwards, of reading statements, of each at most once a minute; null where it was not.",
  })
  plan!: string | null;

  @Field(() => DateTimeScalar, { description: 'When it had ended.' })
  at!: Date;
}

@ObjectType({ description: 'A place where entries are.', simpleResolvers: true })
export class CacheTierPerformance {
  @Field(() => String, { description: '"memory", which is the process, or "redis".' })
  tier!: string;

  @Field(() => Int, { description: 'Lookups answered from here.' })
  hits!: number;

  @Field(() => Int, { description: 'Entries stored here.' })
  fills!: number;

  @Field(() => Float, { description: 'Their bytes as they lie here, compressed or not.' })
  filledBytes!: number;
}

@ObjectType({ description: 'Lookups that found nothing current, for one reason.', simpleResolvers: true })
export class CacheMisses {
  @Field(() => String, {
    description:
      '"absent": no entry; "old": written over since; "expired": kept for its time; "broken": no whole entry.',
  })
  reason!: string;

  @Field(() => Int, { description: 'How often.' })
  count!: number;
}

@ObjectType({ description: 'One namespace of the cache.', simpleResolvers: true })
export class CachePerformance {
  @Field(() => String, { description: 'Name of the namespace.' })
  namespace!: string;

  @Field(() => Int, { description: 'Lookups answered from the cache.' })
  hits!: number;

  @Field(() => Int, { description: 'Lookups that found nothing current.' })
  misses!: number;

  @Field(() => [CacheMisses], { description: 'The same by their reasons.' })
  missReasons!: CacheMisses[];

  @Field(() => [CacheTierPerformance], { description: 'Hits and fills by where the entries are.' })
  tiers!: CacheTierPerformance[];

  @Field(() => Int, { description: 'Misses that waited for the same load of another request or process.' })
  joined!: number;

  @Field(() => Float, { description: 'Share of hits in all lookups, 0 to 1; 0 without lookups.' })
  hitRate!: number;

  @Field(() => Int, { description: 'How often its entries were made outdated.' })
  invalidations!: number;

  @Field(() => Int, { description: 'Failures of the cache; the requests went on without it.' })
  errors!: number;

  @Field(() => Latency, { description: 'Reading.' })
  get!: Latency;

  @Field(() => Latency, { description: 'Writing.' })
  set!: Latency;
}

@ObjectType({
  description:
    'How the answering process performs since it started. An OPERATOR sees everything; ANALYST and ADMIN see the operations of their own tenant and the resources, and empty lists elsewhere, as the rest tells of all tenants together.',
  simpleResolvers: true,
})
export class PerformanceReport {
  @Field(() => DateTimeScalar, { description: 'When the counting began.' })
  since!: Date;

  @Field(() => [OperationPerformance], {
    description:
      "Those that took the most time in all first. For ANALYST and ADMIN the own tenant's, and anew when the tenant was quiet for long.",
  })
  operations!: OperationPerformance[];

  @Field(() => [ResolverPerformance], {
    description: 'Those that took the most time in all first. For an OPERATOR; empty for others.',
  })
  resolvers!: ResolverPerformance[];

  @Field(() => [QueryPerformance], {
    description: 'Those that took the most time in all first. For an OPERATOR; empty for others.',
  })
  queries!: QueryPerformance[];

  @Field(() => [SlowQuery], { description: 'The last 100, newest first. For an OPERATOR; empty for others.' })
  slowQueries!: SlowQuery[];

  @Field(() => [CachePerformance], { description: 'By namespace. For an OPERATOR; empty for others.' })
  cache!: CachePerformance[];
}
