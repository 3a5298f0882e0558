import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionTypes } from '../graphql/pagination.type.ts';
import { DateTimeScalar } from '../graphql/scalars.ts';
import { AuditOutcome } from './audit-line.ts';

registerEnumType(AuditOutcome, {
  name: 'AuditOutcome',
  description: 'What came of something that was done.',
  valuesConfig: {
    REFUSED: { description: 'A rule of the business was broken; nothing was changed.' },
    UNKNOWN: { description: 'The connection to the database was lost while it was committed.' },
  },
});

@ObjectType({ description: 'Who did what, and what came of it. No values.', simpleResolvers: true })
export class AuditEntry {
  @Field(() => ID, { description: 'Stable id, a UUID.' })
  id!: string;

  @Field(() => DateTimeScalar, { description: 'When.' })
  at!: string;

  @Field(() => String, {
    nullable: true,
    description: "The token's subject; operator:<user> for an operator's command.",
  })
  subject!: string | null;

  @Field(() => String, { nullable: true, description: 'What the caller was allowed to do.' })
  role!: string | null;

  @Field(() => String, { description: "The mutation, refresh, or an operator's command." })
  action!: string;

  @Field(() => String, { nullable: true, description: "An account's id, an idempotency key, a pattern." })
  key!: string | null;

  @Field(() => String, { nullable: true, description: 'As the header x-request-id of the answer says.' })
  requestId!: string | null;

  @Field(() => AuditOutcome, { description: 'What came of it.' })
  outcome!: AuditOutcome;

  @Field(() => [String], { description: 'Of the user errors, or of the error.' })
  codes!: readonly string[];

  @Field(() => Int, { description: 'How often within a minute: equal refusals share a line.' })
  times!: number;
}

export const { Connection: AuditEntryConnection, Edge: AuditEntryEdge } = connectionTypes(
  'AuditEntry',
  () => AuditEntry,
);
