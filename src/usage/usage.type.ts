import { Field, Float, ID, ObjectType, registerEnumType } from 'type-graphql';

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
  description: 'Figures of the last day; the highest first.',
});

@ObjectType({ description: 'Answers with errors of one code.', simpleResolvers: true })
export class ErrorCount {
  @Field(() => String, { description: "The first error's code." })
  code!: string;

  @Field(() => Float, { description: 'How many.' })
  count!: number;
}

@ObjectType({ description: 'What a tenant cost within a span of time, over all processes.', simpleResolvers: true })
export class UsageReport {
  @Field(() => Float, { description: 'Answers, those from the cache included.' })
  requests!: number;

  @Field(() => Float, { description: 'Answers taken from the response cache.' })
  hits!: number;

  @Field(() => Float, { description: 'Complexity points taken.' })
  points!: number;

  @Field(() => Float, { description: 'Time of its SQL statements, all together.' })
  databaseMs!: number;

  @Field(() => Float, { description: 'Rows that its statements returned or changed.' })
  rows!: number;

  @Field(() => Float, { description: 'Bytes stored in the cache, in the processes and in Redis.' })
  bytesKept!: number;

  @Field(() => [ErrorCount], { description: 'Answers with errors, by code.' })
  errors!: readonly ErrorCount[];
}

@ObjectType({ description: 'What one tenant cost. Some seconds old at most.', simpleResolvers: true })
export class TenantUsage {
  @Field(() => ID, { description: "The tenant's id." })
  id!: string;

  @Field(() => String, { description: "The tenant's slug." })
  slug!: string;

  @Field(() => UsageReport, {
    description: 'The running five minutes and those before that began within the last hour.',
  })
  hour!: UsageReport;

  @Field(() => UsageReport, { description: 'The same of the last day.' })
  day!: UsageReport;
}
