import { Field, Float, Int, ObjectType } from 'type-graphql';
import { fixedCost } from '../graphql/complexity.ts';
import { sentences } from '../graphql/sentences.ts';
import { Latency } from './latency.type.ts';

@ObjectType({ description: 'SQL statements of one model and action that one operation sent.', simpleResolvers: true })
export class OperationQuery {
  @Field(() => String, { nullable: true, description: 'Model that they read or write; null: of no model.' })
  model!: string | null;

  @Field(() => String, { description: 'What they do, for example page or count.' })
  action!: string;

  @Field(() => Int, { description: 'How many were sent; 2147483647 also stands for more.' })
  count!: number;

  @Field(() => Float, { description: 'Arithmetic mean of their times, in milliseconds.' })
  meanMs!: number;

  @Field(() => Float, { description: 'Time of the slowest one, in milliseconds.' })
  maxMs!: number;

  @Field(() => String, {
    nullable: true,
    description: sentences(
      'Text of the slowest one with placeholders, cut at 10000 characters; never with values.',
      'null: it was not kept.',
    ),
  })
  sql!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The last plan of a statement with this text, as slowQueries has it; null: none was made.',
  })
  plan!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'What indexes do for it by this plan, as slowQueries has it; null: no plan, or nothing to say.',
  })
  advice!: string | null;
}

@ObjectType({ description: 'One GraphQL operation, by the name its clients give it.', simpleResolvers: true })
export class OperationPerformance {
  @Field(() => String, {
    description: sentences(
      'Name of the operation.',
      'In parentheses where it has none: (anonymous), (invalid), (no caller).',
      '(other) stands for all names beyond the first 200, or the first 50 of one tenant.',
    ),
  })
  name!: string;

  @Field(() => Latency, { description: 'Time from the request to its answer, cache hits included.' })
  latency!: Latency;

  @Field(() => Int, { description: 'Number of answers with errors.' })
  errors!: number;

  @Field(() => Int, { description: 'Number of answers from the response cache.' })
  cacheHits!: number;

  @Field(() => Float, { description: 'Number of SQL statements that were sent for it.' })
  statements!: number;

  @Field(() => Float, {
    description: 'Sum of the times of its SQL statements, in milliseconds; parallel ones count each.',
  })
  databaseMs!: number;

  @Field(() => [OperationQuery], {
    description: sentences(
      'SQL statements that were sent for it, those with the most time first: up to 20 kinds, then (other).',
      'For an OPERATOR; empty for others.',
    ),
    complexity: fixedCost(3),
  })
  queries!: OperationQuery[];
}
