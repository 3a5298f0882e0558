import { Field, ID, ObjectType } from 'type-graphql';
import { DateTimeScalar } from '../graphql/scalars.ts';

@ObjectType({
  description: 'The bank customer whose data the caller sees. Everything else belongs to exactly one tenant.',
  simpleResolvers: true,
})
export class Tenant {
  @Field(() => ID)
  id!: string;

  @Field(() => String, { description: 'Short unique name, a-z, 0-9 and hyphens.' })
  slug!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String, { description: 'IANA name, for example Europe/Prague; decides what a day is.' })
  timeZone!: string;

  @Field(() => DateTimeScalar)
  createdAt!: string;
}
