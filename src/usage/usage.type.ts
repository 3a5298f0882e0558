import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { sentences } from '../graphql/sentences.ts';

/** What tenants are listed by. */
export enum TenantUsageOrder {
  REQUESTS = 'REQUESTS',
  HITS = 'HITS',
  POINTS = 'POINTS',
  DATABASE_MS = 'DATABASE_MS',
  ROWS = 'ROWS',
  BYTES_KEPT = 'BYTES_KEPT',
  ERRORS = 'ERRORS',
}

registerEnumType(TenantUsageOrder, {
  name: 'TenantUsageOrder',
  description: 'What tenants are listed by: figures of the last day, the highest first; equal ones by slug.',
  valuesConfig: {
    REQUESTS: { description: 'Number of answers.' },
    HITS: { description: 'Number of answers from the response cache.' },
    POINTS: { description: 'Complexity points.' },
    DATABASE_MS: { description: 'Time of the SQL statements, in milliseconds.' },
    ROWS: { description: 'Rows that the SQL statements returned or changed.' },
    BYTES_KEPT: { description: 'Bytes stored in the cache.' },
    ERRORS: { description: 'Number of answers with errors.' },
  },
});

@ObjectType({ description: 'How many answers had errors of one code.', simpleResolvers: true })
export class ErrorCount {
  @Field(() => String, { description: "Code of the answer's first error." })
  code!: string;

  @Field(() => Float, { description: 'Number of these answers.' })
  count!: number;
}

@ObjectType({
  description: 'What a tenant cost within a span of time, in all processes together.',
  simpleResolvers: true,
})
export class UsageReport {
  @Field(() => Float, { description: 'Number of answers, those from the cache included.' })
  requests!: number;

  @Field(() => Float, { description: 'Number of answers from the response cache.' })
  hits!: number;

  @Field(() => Float, { description: 'Complexity points that were charged.' })
  points!: number;

  @Field(() => Float, { description: 'Sum of the times of its SQL statements, in milliseconds.' })
  databaseMs!: number;

  @Field(() => Float, { description: 'Rows that its SQL statements returned or changed.' })
  rows!: number;

  @Field(() => Float, { description: 'Bytes stored in the cache over this span, in the processes and in Redis.' })
  bytesKept!: number;

  @Field(() => [ErrorCount], { description: 'Answers with errors by code, the most frequent first.' })
  errors!: readonly ErrorCount[];
}

@ObjectType({ description: 'What one tenant cost. The figures are some seconds old at most.', simpleResolvers: true })
export class TenantUsage {
  @Field(() => ID, { description: 'Id of the tenant, a UUID.' })
  id!: string;

  @Field(() => String, { description: 'Slug of the tenant.' })
  slug!: string;

  @Field(() => Int, {
    description: sentences(
      'Complexity points that all its callers together may spend in a minute.',
      'Its own limit, else that of the service, LIMIT_TENANT_POINTS_PER_MINUTE.',
    ),
  })
  pointsPerMinute!: number;

  @Field(() => Boolean, { description: 'Whether it has a limit of its own, which npm run tenants:budget sets.' })
  hasOwnLimit!: boolean;

  @Field(() => UsageReport, {
    description: 'Cost of the last hour, in spans of five minutes: those that began within it.',
  })
  hour!: UsageReport;

  @Field(() => UsageReport, { description: 'Cost of the last 24 hours, in the same spans.' })
  day!: UsageReport;
}
