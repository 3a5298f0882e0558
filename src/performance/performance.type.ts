import { Field, Float, Int, ObjectType } from 'type-graphql';
import { fixedCost } from '../graphql/complexity.ts';
import { DateTimeScalar } from '../graphql/scalars.ts';
import { sentences } from '../graphql/sentences.ts';
import { BypassCount, HttpErrorCount } from './counts.type.ts';
import { Latency } from './latency.type.ts';
import { OperationPerformance } from './operation.type.ts';
import { ServiceProcess } from './service-process.type.ts';

@ObjectType({
  description: 'One resolver. Its first 100 calls are timed, then one in ten on average.',
  simpleResolvers: true,
})
export class ResolverPerformance {
  @Field(() => String, { description: 'Coordinate of the field, for example Query.dashboard.' })
  coordinate!: string;

  @Field(() => Latency, { description: 'Time until the value is known, waiting for a batch included.' })
  latency!: Latency;

  @Field(() => Int, { description: 'Number of timed calls that failed.' })
  errors!: number;
}

@ObjectType({ description: 'SQL statements of one model and action.', simpleResolvers: true })
export class QueryPerformance {
  @Field(() => String, { nullable: true, description: 'Model that they read or write; null: of no model.' })
  model!: string | null;

  @Field(() => String, { description: 'What they do, for example page or count.' })
  action!: string;

  @Field(() => Latency, { description: 'Time from sending to the last row, without waiting for a connection.' })
  latency!: Latency;

  @Field(() => Float, { description: 'Number of rows that all of them returned or changed.' })
  rows!: number;
}

@ObjectType({
  description: 'One SQL statement that took longer than the service is set to call slow.',
  simpleResolvers: true,
})
export class SlowQuery {
  @Field(() => String, { description: 'Text with placeholders, cut at 10000 characters; never with values.' })
  sql!: string;

  @Field(() => Float, { description: 'Time from sending to the last row, in milliseconds.' })
  durationMs!: number;

  @Field(() => Int, { nullable: true, description: 'Number of rows returned or changed; null: unknown.' })
  rows!: number | null;

  @Field(() => String, { nullable: true, description: 'Model that it read or wrote; null: of no model.' })
  model!: string | null;

  @Field(() => String, { description: 'What it did, for example page or count.' })
  action!: string;

  @Field(() => String, { nullable: true, description: 'GraphQL operation that it was sent for; null: for none.' })
  operation!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Id of the request that it was sent for, as its x-request-id; null: of none.',
  })
  requestId!: string | null;

  @Field(() => String, {
    nullable: true,
    description: sentences(
      "PostgreSQL's plan for the statement with its values, which are shown as ?.",
      'It is made afterwards, of reading statements only, and of each at most once a minute.',
      'null: none was made, or not yet.',
    ),
  })
  plan!: string | null;

  @Field(() => String, {
    nullable: true,
    description: sentences(
      'What indexes do for the statement by this plan: which answer it, or that none has its conditions.',
      'The rule is that of npm run queries:analyze. Values are shown as ?.',
      'null: there is no plan, or nothing to say.',
    ),
  })
  advice!: string | null;

  @Field(() => DateTimeScalar, { description: 'When it ended.' })
  at!: Date;
}

@ObjectType({ description: 'One place where cache entries are stored.', simpleResolvers: true })
export class CacheTierPerformance {
  @Field(() => String, { description: 'Name of the place: "memory", which is the process, or "redis".' })
  tier!: string;

  @Field(() => Int, { description: 'Number of lookups answered from here.' })
  hits!: number;

  @Field(() => Int, { description: 'Number of entries stored here.' })
  fills!: number;

  @Field(() => Float, { description: 'Bytes of the entries stored here, as stored: compressed or not.' })
  filledBytes!: number;
}

@ObjectType({ description: 'Lookups that found no current entry, for one reason.', simpleResolvers: true })
export class CacheMisses {
  @Field(() => String, {
    description: sentences(
      '"absent": there is no entry; "old": it was invalidated since it was stored;',
      '"expired": its time-to-live is over; "broken": its bytes are no entry.',
    ),
  })
  reason!: string;

  @Field(() => Int, { description: 'Number of these lookups.' })
  count!: number;
}

@ObjectType({ description: 'One namespace of the cache.', simpleResolvers: true })
export class CachePerformance {
  @Field(() => String, { description: 'Name of the namespace.' })
  namespace!: string;

  @Field(() => Int, { description: 'Number of lookups answered from the cache.' })
  hits!: number;

  @Field(() => Int, { description: 'Number of lookups that found no current entry.' })
  misses!: number;

  @Field(() => [CacheMisses], { description: 'The misses by their reasons.', complexity: fixedCost(4) })
  missReasons!: CacheMisses[];

  @Field(() => [CacheTierPerformance], {
    description: 'Hits and fills by where the entries are stored.',
    complexity: fixedCost(2),
  })
  tiers!: CacheTierPerformance[];

  @Field(() => Int, { description: 'Number of misses that waited for the same load of another request or process.' })
  joined!: number;

  @Field(() => Float, { description: 'Hits divided by lookups, 0 to 1; 0 without lookups.' })
  hitRate!: number;

  @Field(() => Int, { description: 'How often entries of it were invalidated.' })
  invalidations!: number;

  @Field(() => Int, { description: 'Number of failures of the cache; the requests went on without it.' })
  errors!: number;

  @Field(() => Latency, { description: 'Time of reads from Redis.' })
  get!: Latency;

  @Field(() => Latency, { description: 'Time of writes to Redis.' })
  set!: Latency;
}

@ObjectType({
  description: sentences(
    'How the answering process, or all processes together, perform since they started.',
    'An OPERATOR sees everything.',
    'ANALYST and ADMIN see the resources, and the operations and the cost of their own tenant.',
    'The other lists are empty for them, since they tell of all tenants together.',
  ),
  simpleResolvers: true,
})
export class PerformanceReport {
  @Field(() => DateTimeScalar, { description: 'When the process began to count; of several the first one.' })
  since!: Date;

  @Field(() => [OperationPerformance], {
    description: sentences(
      'Operations by name, those with the most time in total first.',
      "For ANALYST and ADMIN the own tenant's, counted anew when the tenant was quiet for long.",
    ),
    complexity: fixedCost(50),
  })
  operations!: OperationPerformance[];

  @Field(() => [ResolverPerformance], {
    description: 'Resolvers by field, those with the most time first. For an OPERATOR; empty for others.',
    complexity: fixedCost(50),
  })
  resolvers!: ResolverPerformance[];

  @Field(() => [QueryPerformance], {
    description: 'SQL statements by kind, those with the most time first. For an OPERATOR; empty for others.',
    complexity: fixedCost(30),
  })
  queries!: QueryPerformance[];

  @Field(() => [SlowQuery], {
    description: 'The last 100 slow SQL statements, newest first. For an OPERATOR; empty for others.',
    complexity: fixedCost(50),
  })
  slowQueries!: SlowQuery[];

  @Field(() => [CachePerformance], {
    description: 'The cache by namespace, by name. For an OPERATOR; empty for others.',
    complexity: fixedCost(10),
  })
  cache!: CachePerformance[];

  @Field(() => [HttpErrorCount], {
    description: 'Answers with errors, the most frequent first. For an OPERATOR; empty for others.',
    complexity: fixedCost(10),
  })
  errors!: HttpErrorCount[];

  @Field(() => [BypassCount], {
    description: sentences(
      'Requests that were not looked up in the cache, the most frequent reason first.',
      'For an OPERATOR; empty for others.',
    ),
    complexity: fixedCost(8),
  })
  bypasses!: BypassCount[];

  @Field(() => [ServiceProcess], {
    description: sentences(
      'Processes whose figures are in this report, by their start.',
      'For an OPERATOR; empty for others.',
    ),
    complexity: fixedCost(10),
  })
  processes!: ServiceProcess[];
}
