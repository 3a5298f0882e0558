import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionTypes } from '../graphql/pagination.type.ts';
import { DateTimeScalar } from '../graphql/scalars.ts';
import { AuditOutcome } from '../tenancy/audit-line.ts';

registerEnumType(AuditOutcome, {
  name: 'AuditOutcome',
  description: 'How an action ended.',
  valuesConfig: {
    DONE: { description: 'It was carried out.' },
    REFUSED: { description: 'It broke a rule of the business; nothing was changed.' },
    FAILED: { description: 'It ended with an error, which codes name.' },
    UNKNOWN: { description: 'The connection was lost at the commit: it may have been carried out or not.' },
  },
});

@ObjectType({
  description: 'Who did what, and how it ended. It holds no amounts, names or other values.',
  simpleResolvers: true,
})
export class AuditEntry {
  @Field(() => ID, { description: 'Stable id, a UUID.' })
  id!: string;

  @Field(() => DateTimeScalar, { description: 'When it ended; of several, the first one.' })
  at!: string;

  @Field(() => String, {
    nullable: true,
    description: "Subject of the token, or operator:<user> of an operator's command; null: unknown.",
  })
  subject!: string | null;

  @Field(() => String, { nullable: true, description: "Role of the caller; null for an operator's command." })
  role!: string | null;

  @Field(() => String, { description: "Name of the mutation or of the operator's command, or refresh." })
  action!: string;

  @Field(() => String, {
    nullable: true,
    description: "What it was done to: an account's id, an idempotency key, a namespace, a pattern; null: unknown.",
  })
  key!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Id of the request, as in the header x-request-id of its answer; of several, the first; null: none.',
  })
  requestId!: string | null;

  @Field(() => AuditOutcome, { description: 'How it ended.' })
  outcome!: AuditOutcome;

  @Field(() => [String], { description: 'Codes of the user errors, or of the error; empty when it was carried out.' })
  codes!: readonly string[];

  @Field(() => Int, {
    description: 'How often within a minute; more than 1 only for refused callers, whose equal entries are merged.',
  })
  times!: number;
}

export const { Connection: AuditEntryConnection, Edge: AuditEntryEdge } = connectionTypes(
  'AuditEntry',
  () => AuditEntry,
);
