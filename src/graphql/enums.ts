import { registerEnumType } from 'type-graphql';
import { Role } from '../auth/caller.ts';
import { AccountStatus, AccountType, TransactionDirection } from '../generated/prisma/enums.ts';

/** Ascending or descending. */
export enum OrderDirection {
  ASC = 'ASC',
  DESC = 'DESC',
}

registerEnumType(Role, {
  name: 'Role',
  description: 'What a caller may do. The token says it.',
  valuesConfig: {
    VIEWER: { description: "Reads the tenant's data." },
    ANALYST: { description: "What a VIEWER may; also refreshes answers and sees how the tenant's operations perform." },
    ADMIN: { description: "What an ANALYST may; also writes, invalidates the tenant's cache and reads its audit log." },
    OPERATOR: { description: "Sees how the service performs for all tenants, and no tenant's data." },
  },
});
registerEnumType(AccountType, {
  name: 'AccountType',
  description: 'Kind of account.',
  valuesConfig: {
    CHECKING: { description: 'Account for everyday payments. The API never overdraws it.' },
    SAVINGS: { description: 'Account for savings. The API never overdraws it.' },
    CREDIT: { description: 'Credit account, such as that of a credit card. Its balance may be below zero.' },
    LOAN: { description: 'Account of a loan. Its balance may be below zero.' },
    INVESTMENT: { description: 'Account for investments. The API never overdraws it.' },
  },
});
registerEnumType(AccountStatus, {
  name: 'AccountStatus',
  description: 'State of an account; isActive is always status = ACTIVE.',
  valuesConfig: {
    PENDING: { description: 'Not active yet. Takes credits and no debits.' },
    ACTIVE: { description: 'In use. Takes credits and debits.' },
    FROZEN: { description: 'Blocked. Takes credits and no debits.' },
    CLOSED: { description: 'No longer in use. Takes no transactions; the balance stays.' },
  },
});
registerEnumType(TransactionDirection, {
  name: 'TransactionDirection',
  description: 'CREDIT adds to the balance, DEBIT takes from it.',
  valuesConfig: {
    CREDIT: { description: 'Adds the amount to the balance.' },
    DEBIT: { description: 'Takes the amount from the balance.' },
  },
});
registerEnumType(OrderDirection, {
  name: 'OrderDirection',
  description: 'Ascending or descending.',
  valuesConfig: {
    ASC: { description: 'The lowest or earliest first.' },
    DESC: { description: 'The highest or latest first.' },
  },
});
