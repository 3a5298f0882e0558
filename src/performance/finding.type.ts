import { Field, ObjectType, registerEnumType } from 'type-graphql';

/** How bad a finding is. */
export enum FindingStatus {
  WARNING = 'WARNING',
  FAULT = 'FAULT',
}

registerEnumType(FindingStatus, {
  name: 'FindingStatus',
  description: 'How bad a finding is.',
  valuesConfig: {
    WARNING: { description: 'The service works, and may not for long, or not as well as it could.' },
    FAULT: { description: 'The service would not start, answers wrongly, or cannot use its cache.' },
  },
});

@ObjectType({ description: 'Something that is wrong with the service or its surroundings.', simpleResolvers: true })
export class Finding {
  @Field(() => String, { description: 'What was looked at, by its name in npm run doctor.' })
  check!: string;

  @Field(() => FindingStatus, { description: 'How bad it is.' })
  status!: FindingStatus;

  @Field(() => String, { description: 'What was found.' })
  found!: string;

  @Field(() => String, { description: 'What to do about it.' })
  remedy!: string;
}
