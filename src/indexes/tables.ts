import { Prisma } from '../generated/prisma/client.ts';

/** The table of each Prisma model. The type makes a new model without its table an error. */
export const TABLE_OF_MODEL: Readonly<Record<Prisma.ModelName, string>> = {
  Tenant: 'tenants',
  BankAccount: 'bank_accounts',
  Transaction: 'transactions',
  IdempotencyKey: 'idempotency_keys',
  DailyTotal: 'daily_totals',
  AccountTotal: 'account_totals',
};

export const MODELS = Object.keys(TABLE_OF_MODEL) as readonly Prisma.ModelName[];

export function isModel(name: string): name is Prisma.ModelName {
  return Object.hasOwn(TABLE_OF_MODEL, name);
}
