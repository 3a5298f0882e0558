import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { DateTimeScalar } from '../graphql/scalars.ts';
import { sentences } from '../graphql/sentences.ts';

@ObjectType({
  description: 'One process of the deployment, as it was when it was last seen.',
  simpleResolvers: true,
})
export class ServiceProcess {
  @Field(() => ID, { description: 'Id of the process, a UUID that it draws when it starts.' })
  id!: string;

  @Field(() => String, { description: 'Name of its machine or container.' })
  host!: string;

  @Field(() => Int, { description: 'Its number on that machine.' })
  pid!: number;

  @Field(() => String, { description: 'Version of the service that it runs.' })
  version!: string;

  @Field(() => DateTimeScalar, { description: 'When it started.' })
  startedAt!: Date;

  @Field(() => DateTimeScalar, {
    description: 'When it wrote its figures last; now for the answering process.',
  })
  seenAt!: Date;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether it takes answers from the cache or, for safety, not; null: the cache is off.',
  })
  cacheTrusted!: boolean | null;

  @Field(() => Boolean, { description: 'Whether it relays the outbox of writes to Redis.' })
  isRelay!: boolean;

  @Field(() => Float, {
    nullable: true,
    description: sentences(
      'From its last poll of the outbox until all it saw was in the versions, in milliseconds.',
      'null: it polls none.',
    ),
  })
  outboxLagMs!: number | null;

  @Field(() => Float, { description: 'Resident memory, in bytes.' })
  memoryBytes!: number;

  @Field(() => Float, {
    description: 'CPU time as a share of one core, over the last 10 to 20 seconds; 2: two cores were busy.',
  })
  cpu!: number;

  @Field(() => Float, {
    description: 'Delay of the event loop in milliseconds, 99th percentile over the last 10 to 20 seconds.',
  })
  eventLoopP99Ms!: number;

  @Field(() => Int, { description: 'Open connections to PostgreSQL.' })
  databaseConnections!: number;

  @Field(() => Int, { description: 'Statements and transactions that wait for a connection, or to search.' })
  databaseQueueLength!: number;

  @Field(() => Int, { description: 'Requests that wait to be worked on.' })
  requestQueueLength!: number;
}
