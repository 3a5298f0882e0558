import { Field, Float, ObjectType } from 'type-graphql';
import { DateTimeScalar } from '../graphql/scalars.ts';
import { sentences } from '../graphql/sentences.ts';

@ObjectType({
  description: sentences(
    "An index of one of the product's tables.",
    "Counts are PostgreSQL's, since the statistics of the database were last reset.",
  ),
  simpleResolvers: true,
})
export class IndexUsage {
  @Field(() => String, { description: 'Model of the table, for example BankAccount.' })
  model!: string;

  @Field(() => String, { description: 'Name of the index.' })
  index!: string;

  @Field(() => String, { description: 'SQL statement that creates the index.' })
  definition!: string;

  @Field(() => Float, { description: 'Size on disk, in bytes.' })
  sizeBytes!: number;

  @Field(() => Float, { description: 'How often the index was used to find rows.' })
  scans!: number;

  @Field(() => Float, { description: 'Index entries that these scans returned.' })
  tuplesRead!: number;

  @Field(() => String, {
    description: sentences(
      'Verdict with its reason: used; unused since a day, and what it is kept for;',
      'duplicate of, or covered by, another index; invalid; bloated.',
    ),
  })
  verdict!: string;
}

@ObjectType({
  description: sentences(
    "One of the product's tables, with the rows of all tenants.",
    "Counts are PostgreSQL's, since the statistics of the database were last reset.",
  ),
  simpleResolvers: true,
})
export class TableStatistics {
  @Field(() => String, { description: 'Model of the table, for example BankAccount.' })
  model!: string;

  @Field(() => Float, { description: "Number of rows, by PostgreSQL's estimate." })
  rows!: number;

  @Field(() => Float, {
    description: "Row versions that are no longer visible and await VACUUM, by PostgreSQL's estimate.",
  })
  deadRows!: number;

  @Field(() => Float, { description: 'Size on disk without the indexes, in bytes.' })
  sizeBytes!: number;

  @Field(() => Float, { description: 'Size on disk of all its indexes, in bytes.' })
  indexBytes!: number;

  @Field(() => Float, { description: 'How often the whole table was read.' })
  sequentialScans!: number;

  @Field(() => Float, { description: 'How often an index was used to find rows.' })
  indexScans!: number;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Last VACUUM, automatic or not; null: never.' })
  lastVacuum!: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Last ANALYZE, automatic or not; null: never.' })
  lastAnalyze!: string | null;

  @Field(() => String, {
    description: sentences(
      'Verdict in words: fine; vacuum is behind, or never analyzed, with the statement that helps;',
      'or what share of the rows that are read comes from sequential scans, where that is most of a large table.',
    ),
  })
  verdict!: string;
}
