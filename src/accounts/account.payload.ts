import { Field, ObjectType } from 'type-graphql';
import { UserError } from '../graphql/user-error.type.ts';
import { BankAccount } from './account.type.ts';

const ERRORS = 'The rules that the input breaks; empty when it was done.';

@ObjectType({ description: 'What createAccount did.', simpleResolvers: true })
export class CreateAccountPayload {
  @Field(() => BankAccount, { nullable: true, description: 'The new account; null with userErrors.' })
  account!: BankAccount | null;

  @Field(() => [UserError], { description: ERRORS })
  userErrors!: readonly UserError[];
}

@ObjectType({ description: 'What updateAccount did.', simpleResolvers: true })
export class UpdateAccountPayload {
  @Field(() => BankAccount, { nullable: true, description: 'The account as it is now; null with userErrors.' })
  account!: BankAccount | null;

  @Field(() => [UserError], { description: ERRORS })
  userErrors!: readonly UserError[];
}

@ObjectType({ description: 'What changeAccountStatus did.', simpleResolvers: true })
export class ChangeAccountStatusPayload {
  @Field(() => BankAccount, { nullable: true, description: 'The account as it is now; null with userErrors.' })
  account!: BankAccount | null;

  @Field(() => [UserError], { description: ERRORS })
  userErrors!: readonly UserError[];
}
