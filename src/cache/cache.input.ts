import { Field, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { UserError } from '../graphql/user-error.type.ts';

/** What can be invalidated by name. */
export enum CacheNamespace {
  ACCOUNTS = 'ACCOUNTS',
  TRANSACTIONS = 'TRANSACTIONS',
  DASHBOARD = 'DASHBOARD',
  STATISTICS = 'STATISTICS',
}
registerEnumType(CacheNamespace, { name: 'CacheNamespace', description: 'Kinds of answers that are kept.' });

@InputType({
  description:
    "Give namespaces, or a pattern of the tenant's keys such as dashboard:* or statistics:daily:*; neither means everything of the tenant.",
})
export class InvalidateCacheInput {
  @Field(() => [CacheNamespace], { nullable: true, description: 'At least one.' })
  namespaces?: CacheNamespace[] | null;

  @Field(() => String, {
    nullable: true,
    description:
      'How the keys begin, part by part: dashboard:2026-01-31, statistics:daily. An asterisk stands for a part, or for the end of one. The smallest namespace that holds all of them is invalidated.',
  })
  pattern?: string | null;
}

@ObjectType({ description: 'What was invalidated.', simpleResolvers: true })
export class InvalidateCachePayload {
  @Field(() => [CacheNamespace], { description: 'The namespaces of which something was invalidated.' })
  namespaces!: CacheNamespace[];

  @Field(() => [UserError])
  userErrors!: UserError[];
}
