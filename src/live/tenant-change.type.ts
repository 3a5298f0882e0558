import { Field, ObjectType } from 'type-graphql';
import { DateTimeScalar } from '../graphql/scalars.ts';
import { sentences } from '../graphql/sentences.ts';
import { CacheNamespace } from '../invalidation/cache.input.ts';

@ObjectType({ description: "What of a tenant's data has changed.", simpleResolvers: true })
export class TenantChange {
  @Field(() => [CacheNamespace], {
    description: sentences(
      'Kinds of answers that may be others than before, each once.',
      'Empty in the first event, which says from where on changes are told.',
    ),
  })
  namespaces!: CacheNamespace[];

  @Field(() => DateTimeScalar, { description: 'When the service noticed.' })
  at!: string;

  @Field(() => String, { description: 'Where to go on later: the argument after.' })
  cursor!: string;
}
