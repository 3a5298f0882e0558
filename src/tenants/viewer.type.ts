import { Field, ID, ObjectType } from 'type-graphql';
import { Role } from '../auth/caller.ts';

@ObjectType({ description: 'Who is asking, as the token says.', simpleResolvers: true })
export class Viewer {
  @Field(() => ID, { description: "Subject of the token: the identity provider's id of the person or program." })
  id!: string;

  @Field(() => String, { description: 'Name for people, as the token gives it.' })
  name!: string;

  @Field(() => Role, { description: 'What the caller may do.' })
  role!: Role;
}
