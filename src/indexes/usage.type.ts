import { Field, Float, ObjectType } from 'type-graphql';
import { DateTimeScalar } from '../graphql/scalars.ts';

@ObjectType({
  description: "An index, and what PostgreSQL has counted of it since the database's statistics were last reset.",
  simpleResolvers: true,
})
export class IndexUsage {
  @Field(() => String, { description: 'Model of the table.' })
  model!: string;

  @Field(() => String, { description: 'Name of the index.' })
  index!: string;

  @Field(() => String, { description: 'The statement that makes it.' })
  definition!: string;

  @Field(() => Float, { description: 'Size on disk.' })
  sizeBytes!: number;

  @Field(() => Float, { description: 'How often it was used to find rows.' })
  scans!: number;

  @Field(() => Float, { description: 'Index entries that these scans returned.' })
  tuplesRead!: number;

  @Field(() => String, {
    description:
      'What to think of it, and why: used; unused since a day, with what keeps it; duplicate of or covered by another; invalid; bloated.',
  })
  verdict!: string;
}

@ObjectType({
  description: "A table, and what PostgreSQL has counted of it since the database's statistics were last reset.",
  simpleResolvers: true,
})
export class TableStatistics {
  @Field(() => String, { description: 'Model of the table.' })
  model!: string;

  @Field(() => Float, { description: "Rows of all tenants, by PostgreSQL's estimate." })
  rows!: number;

  @Field(() => Float, { description: 'Rows that were changed or deleted and not cleaned up yet, estimated.' })
  deadRows!: number;

  @Field(() => Float, { description: 'Size on disk without the indexes.' })
  sizeBytes!: number;

  @Field(() => Float, { description: 'Size on disk of all its indexes.' })
  indexBytes!: number;

  @Field(() => Float, { description: 'How often the whole table was read.' })
  sequentialScans!: number;

  @Field(() => Float, { description: 'How often an index was used to find rows.' })
  indexScans!: number;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Last VACUUM, automatic or not.' })
  lastVacuum!: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Last ANALYZE, automatic or not.' })
  lastAnalyze!: string | null;
}
