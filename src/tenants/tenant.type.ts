import { Field, ID, ObjectType } from 'type-graphql';
import { DateTimeScalar } from '../graphql/scalars.ts';

@ObjectType({
  description: 'The bank customer whose data the caller sees. Everything else belongs to exactly one tenant.',
  simpleResolvers: true,
})
export class Tenant {
  @Field(() => ID, { description: 'Stable id, a UUID.' })
  id!: string;

  @Field(() => String, { description: 'Short unique name: 1 to 100 of a-z, 0-9 and hyphens.' })
  slug!: string;

  @Field(() => String, { description: 'Name for people, 1 to 200 characters.' })
  name!: string;

  @Field(() => String, { description: 'IANA name, for example Europe/Prague. It decides when a day begins and ends.' })
  timeZone!: string;

  @Field(() => DateTimeScalar, { description: 'When the tenant was created.' })
  createdAt!: string;
}
