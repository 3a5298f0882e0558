import { Field, Int, ObjectType } from 'type-graphql';
import { sentences } from '../graphql/sentences.ts';

@ObjectType({ description: 'Answers with errors of one HTTP status and code.', simpleResolvers: true })
export class HttpErrorCount {
  @Field(() => Int, { description: 'HTTP status; 0: several, see the code.' })
  status!: number;

  @Field(() => String, {
    description: "Code of the answer's first error; (other) stands for all beyond the first 100 pairs.",
  })
  code!: string;

  @Field(() => Int, { description: 'Number of these answers; 2147483647 also stands for more.' })
  count!: number;
}

@ObjectType({ description: 'Requests that were not looked up in the cache, for one reason.', simpleResolvers: true })
export class BypassCount {
  @Field(() => String, {
    description: sentences(
      '"off": by the setting; "untrusted": writes may have gone by unseen; "unreachable": Redis does not answer;',
      '"no-tenant": no caller, or one without a tenant; "mutation"; "refresh": asked for;',
      '"momentary": answers that are never kept; "unreadable": no operation that the cache could read.',
    ),
  })
  reason!: string;

  @Field(() => Int, { description: 'Number of these requests; 2147483647 also stands for more.' })
  count!: number;
}
