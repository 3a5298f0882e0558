import { Field, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { sentences } from '../graphql/sentences.ts';
import { UserError } from '../graphql/user-error.type.ts';

/** What can be invalidated by name. */
export enum CacheNamespace {
  ACCOUNTS = 'ACCOUNTS',
  TRANSACTIONS = 'TRANSACTIONS',
  DASHBOARD = 'DASHBOARD',
  STATISTICS = 'STATISTICS',
}
registerEnumType(CacheNamespace, {
  name: 'CacheNamespace',
  description: 'Kinds of cached answers.',
  valuesConfig: {
    ACCOUNTS: { description: 'Answers with accounts, lists of them included.' },
    TRANSACTIONS: { description: 'Answers with transactions.' },
    DASHBOARD: { description: 'Dashboards of all days.' },
    STATISTICS: { description: 'Statistics of all periods.' },
  },
});

@InputType({
  description: sentences(
    "Give namespaces, or a pattern of the tenant's keys such as dashboard:* or statistics:daily:*;",
    'neither means everything of the tenant.',
    'Both together are refused.',
  ),
})
export class InvalidateCacheInput {
  @Field(() => [CacheNamespace], {
    nullable: true,
    description: 'What to invalidate by kind, at least one. Absent: as pattern says.',
  })
  namespaces?: CacheNamespace[] | null;

  @Field(() => String, {
    nullable: true,
    description: sentences(
      'How the keys begin, part by part: dashboard:2026-01-31, statistics:daily.',
      'An asterisk stands for a part, or for the end of one.',
      'The smallest namespace, or part of one, that holds all these keys is invalidated.',
      'Absent: as namespaces say.',
    ),
  })
  pattern?: string | null;
}

@ObjectType({ description: 'Result of invalidateCache.', simpleResolvers: true })
export class InvalidateCachePayload {
  @Field(() => [CacheNamespace], { description: 'Namespaces of which all or a part was invalidated.' })
  namespaces!: CacheNamespace[];

  @Field(() => [UserError], { description: 'Always empty: invalidating breaks no rule.' })
  userErrors!: UserError[];
}
