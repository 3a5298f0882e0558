import { Field, ObjectType } from 'type-graphql';
import { UserError } from '../graphql/user-error.type.ts';
import { BankAccount } from './account.type.ts';

const ERRORS = 'Rules that the input breaks, after which nothing is changed; empty when it was carried out.';

@ObjectType({ description: 'Result of createAccount.', simpleResolvers: true })
export class CreateAccountPayload {
  @Field(() => BankAccount, { nullable: true, description: 'The new account; null with userErrors.' })
  account!: BankAccount | null;

  @Field(() => [UserError], { description: ERRORS })
  userErrors!: readonly UserError[];
}

@ObjectType({ description: 'Result of updateAccount.', simpleResolvers: true })
export class UpdateAccountPayload {
  @Field(() => BankAccount, { nullable: true, description: 'The account as it is now; null with userErrors.' })
  account!: BankAccount | null;

  @Field(() => [UserError], { description: ERRORS })
  userErrors!: readonly UserError[];
}

@ObjectType({ description: 'Result of changeAccountStatus.', simpleResolvers: true })
export class ChangeAccountStatusPayload {
  @Field(() => BankAccount, { nullable: true, description: 'The account as it is now; null with userErrors.' })
  account!: BankAccount | null;

  @Field(() => [UserError], { description: ERRORS })
  userErrors!: readonly UserError[];
}
