import { registerEnumType } from 'type-graphql';
import { Role } from '../context/caller.ts';
import { AccountStatus, AccountType, TransactionDirection } from '../generated/prisma/enums.ts';

/** Ascending or descending. */
export enum OrderDirection {
  ASC = 'ASC',
  DESC = 'DESC',
}

registerEnumType(Role, { name: 'Role', description: 'What a caller may do.' });
registerEnumType(AccountType, { name: 'AccountType', description: 'Kind of account.' });
registerEnumType(AccountStatus, {
  name: 'AccountStatus',
  description: 'Where an account is in its life; isActive is always status = ACTIVE.',
});
registerEnumType(TransactionDirection, {
  name: 'TransactionDirection',
  description: 'CREDIT adds to the balance, DEBIT takes from it.',
});
registerEnumType(OrderDirection, { name: 'OrderDirection', description: 'Ascending or descending.' });
