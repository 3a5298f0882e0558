import type { BankAccount as AccountRow } from '../generated/prisma/client.ts';
import { AccountStatus } from '../generated/prisma/enums.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { BankAccount } from './account.type.ts';

/** Digits behind the point of an amount, as PostgreSQL keeps and shows them. */
const AMOUNT_DIGITS = 4;

/** One account by its key, by Prisma Client. Sets are SQL: `AccountRepository`. */
export class AccountRows {
  constructor(
    private readonly database: TenantDatabase,
    private readonly ttlSeconds: number,
  ) {}

  /**
   * The account with this id; null when the tenant has none.
   * @param wanted the properties that are read; the others are absent
   */
  async byId(scope: TenantScope, id: string, wanted: ReadonlySet<string>): Promise<BankAccount | null> {
    const { tenantId } = scope;
    const found = await this.database.prisma(scope, (prisma) =>
      prisma.bankAccount.findUnique({ where: { tenantId_id: { tenantId, id } }, select: selectOf(wanted) }),
    );
    return found && accountOf(found);
  }

  /**
   * The account with this number; of several, at different banks, the oldest. Kept until an account
   * is changed.
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

/** The field that each property of an account is made from. */
const FIELD_OF: Readonly<Record<keyof BankAccount, keyof AccountRow>> = {
  id: 'id',
  bankName: 'bankName',
  accountNumber: 'accountNumber',
  accountType: 'accountType',
  status: 'status',
  isActive: 'status',
  currency: 'currency',
  balance: 'balance',
  version: 'version',
  createdAt: 'createdAt',
  updatedAt: 'updatedAt',
};

function selectOf(wanted: ReadonlySet<string>): { [Field in keyof AccountRow]?: true } {
  const read = Object.entries(FIELD_OF).filter(([property]) => wanted.has(property));
  return { id: true, ...Object.fromEntries(read.map(([, field]) => [field, true])) };
}

/** As the SQL of account.repository.ts shows one; what was not read is absent. */
export function accountOf({ tenantId: _, balance, createdAt, updatedAt, ...row }: Partial<AccountRow>): BankAccount {
  return {
    ...row,
    ...(row.status && { isActive: row.status === AccountStatus.ACTIVE }),
    ...(balance && { balance: balance.toFixed(AMOUNT_DIGITS) }),
    ...(createdAt && { createdAt: createdAt.toISOString() }),
    ...(updatedAt && { updatedAt: updatedAt.toISOString() }),
  } as BankAccount;
}
