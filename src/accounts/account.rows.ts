import type { BankAccount as AccountRow } from '../generated/prisma/client.ts';
import { AccountStatus } from '../generated/prisma/enums.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { BankAccount } from './account.type.ts';

/** Digits behind the point of an amount, as PostgreSQL keeps and shows them. */
const AMOUNT_DIGITS = 4;

/** Accounts by a key of theirs, by Prisma Client: each is kept until an account is changed. */
export class AccountRows {
  constructor(
    private readonly database: TenantDatabase,
    private readonly ttlSeconds: number,
  ) {}

  /**
   * The account with this number; of several, at different banks, the oldest.
   * @param bankName null for any bank
   */
  async byNumber(scope: TenantScope, accountNumber: string, bankName: string | null): Promise<BankAccount | null> {
    const found = await this.database.prisma(scope, (prisma) =>
      prisma.bankAccount.findFirst({
        where: { accountNumber, ...(bankName !== null && { bankName }) },
        orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
        cache: { namespace: 'accounts', ttlSeconds: this.ttlSeconds },
      }),
    );
    return found && accountOf(found);
  }
}

/** As the SQL of account.repository.ts shows one. */
function accountOf({ tenantId: _, balance, createdAt, updatedAt, ...row }: AccountRow): BankAccount {
  return {
    ...row,
    isActive: row.status === AccountStatus.ACTIVE,
    balance: balance.toFixed(AMOUNT_DIGITS),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
