import { Field, ID, ObjectType } from 'type-graphql';
import { Role } from './caller.ts';

@ObjectType({ description: 'Who is asking, as the token says.', simpleResolvers: true })
export class Viewer {
  @Field(() => ID, { description: "The token's subject." })
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => Role, { description: 'What the caller may do.' })
  role!: Role;
}
