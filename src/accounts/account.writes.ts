import type { AccountStatus, AccountType } from '../generated/prisma/enums.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { TenantTransaction } from '../tenancy/tenant-transaction.ts';
import type { LockedAccount } from './account.locks.ts';
import { accountOf } from './account.rows.ts';
import type { BankAccount } from './account.type.ts';

export interface NewAccount {
  readonly bankName: string;
  readonly accountNumber: string;
  readonly accountType: AccountType;
  readonly status: AccountStatus;
  readonly currency: string;
  readonly balance: string;
}

/**
 * Waits for another transaction that is just using the number.
 * @throws a unique violation when the bank has the number already
 */
export async function insertAccount(
  transaction: TenantTransaction,
  { tenantId }: TenantScope,
  account: NewAccount,
): Promise<BankAccount> {
  const created = await transaction.prisma((prisma) => prisma.bankAccount.create({ data: { tenantId, ...account } }));
  transaction.changed(created.id);
  return accountOf(created);
}

/**
 * Writes what changes of a locked account.
 * @throws a unique violation when the new bank has the number already
 */
export async function updateAccount(
  transaction: TenantTransaction,
  { tenantId }: TenantScope,
  { id, changeTime }: Pick<LockedAccount, 'id' | 'changeTime'>,
  change: Partial<Pick<BankAccount, 'bankName' | 'accountType' | 'status'>>,
): Promise<BankAccount> {
  const updated = await transaction.prisma((prisma) =>
    prisma.bankAccount.update({
      where: { tenantId_id: { tenantId, id } },
      data: { ...change, version: { increment: 1 }, updatedAt: changeTime },
    }),
  );
  transaction.changed(id);
  return accountOf(updated);
}
