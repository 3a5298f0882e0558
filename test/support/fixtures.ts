import { createHash } from 'node:crypto';
import type { AccountStatus, AccountType, TransactionDirection } from '../../src/generated/prisma/enums.ts';
import { withKeptClient } from './postgres.ts';

export interface TenantFixture {
  /** Also its name. */
  readonly slug: string;
  readonly timeZone?: string;
  /** Absent: made from the slug, so that it is the same in every run. */
  readonly id?: string;
}

/** An account; what is absent is the same for all, the id is made from the bank and the number. */
export interface AccountFixture {
  readonly id?: string;
  readonly bankName?: string;
  readonly accountNumber: string;
  readonly accountType?: AccountType;
  readonly status?: AccountStatus;
  readonly currency?: string;
  readonly balance?: string;
  readonly version?: number;
  readonly createdAt?: string;
  readonly updatedAt?: string;
}

/**
 * A transaction; what is absent is the same for all or null, the currency the account's, the id
 * made from all the rest.
 */
export interface TransactionFixture {
  readonly id?: string;
  readonly accountId: string;
  readonly bookedAt: string;
  readonly direction?: TransactionDirection;
  readonly amount?: string;
  readonly balanceAfter?: string | null;
  readonly category?: string | null;
  readonly counterpartyBank?: string | null;
  readonly description?: string | null;
}

/** @returns the tenant's id */
export async function insertTenant(url: string, { slug, timeZone = 'UTC', id }: TenantFixture): Promise<string> {
  const row = [id ?? fixtureId('tenant', slug), slug, timeZone];
  await run(url, 'INSERT INTO tenants (id, slug, name, time_zone, created_at) VALUES ($1, $2, $2, $3, $4)', [
    ...row,
    '2020-01-01T00:00:00Z',
  ]);
  return row[0] as string;
}

/** @returns the accounts' ids, in the order of the rows */
export async function insertAccounts(
  url: string,
  tenantId: string,
  accounts: readonly AccountFixture[],
): Promise<string[]> {
  const rows = accounts.map((account) => ({
    bankName: 'First Bank',
    accountType: 'CHECKING',
    status: 'ACTIVE',
    currency: 'EUR',
    balance: '0',
    version: 1,
    createdAt: '2024-01-01T00:00:00Z',
    updatedAt: account.createdAt ?? '2024-01-01T00:00:00Z',
    ...account,
    id: account.id ?? fixtureId('account', account.bankName ?? 'First Bank', account.accountNumber),
  }));
  await run(
    url,
    `INSERT INTO bank_accounts (tenant_id, id, bank_name, account_number, account_type, status, currency, balance, version, created_at, updated_at)
     SELECT $1, row.* FROM jsonb_to_recordset($2) AS row (id uuid, "bankName" text, "accountNumber" text,
       "accountType" account_type, status account_status, currency text, balance numeric, version integer,
       "createdAt" timestamptz, "updatedAt" timestamptz)`,
    [tenantId, JSON.stringify(rows)],
  );
  return rows.map(({ id }) => id);
}

/** @returns the transactions' ids, in the order of the rows */
export async function insertTransactions(
  url: string,
  tenantId: string,
  transactions: readonly TransactionFixture[],
): Promise<string[]> {
  const rows = transactions.map((transaction, index) => ({
    direction: 'CREDIT',
    amount: '1',
    ...transaction,
    id: transaction.id ?? fixtureId('transaction', transaction.accountId, transaction.bookedAt, String(index)),
  }));
  await run(
    url,
    `INSERT INTO transactions (tenant_id, id, account_id, booked_at, direction, amount, currency, balance_after, category, counterparty_bank, description)
     SELECT $1, row.id, row."accountId", row."bookedAt", row.direction, row.amount, account.currency, row."balanceAfter",
       row.category, row."counterpartyBank", row.description
     FROM jsonb_to_recordset($2) AS row (id uuid, "accountId" uuid, "bookedAt" timestamptz, direction transaction_direction,
       amount numeric, "balanceAfter" numeric, category text, "counterpartyBank" text, description text)
     LEFT JOIN bank_accounts account ON account.tenant_id = $1 AND account.id = row."accountId"`,
    [tenantId, JSON.stringify(rows)],
  );
  return rows.map(({ id }) => id);
}

/** A UUID that is the same in every run and in no order with what it is made from. */
export function fixtureId(...parts: readonly string[]): string {
  const hex = createHash('sha1').update(parts.join('\0')).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function run(url: string, sql: string, values: readonly unknown[]) {
  return withKeptClient(url, (client) => client.query(sql, [...values]));
}
