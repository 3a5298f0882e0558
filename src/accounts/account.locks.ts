import { instantText, selectList } from '../database/sql-text.ts';
import { Prisma } from '../generated/prisma/client.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { TenantTransaction } from '../tenancy/tenant-transaction.ts';
import { ACCOUNT_COLUMNS, ALL_ACCOUNT_COLUMNS } from './account.repository.ts';
import type { BankAccount } from './account.type.ts';

const { sql } = Prisma;

const WHOLE_ACCOUNT = selectList(ACCOUNT_COLUMNS, ALL_ACCOUNT_COLUMNS);

/** Balance and status: rows that refer to the account, as an import inserts them, need not wait. */
export const FOR_STATE_CHANGE = sql`FOR NO KEY UPDATE`;
/**
 * What is part of a unique key, as the bank's name: taken at once, since raising a lock later can
 * deadlock.
 */
export const FOR_KEY_CHANGE = sql`FOR UPDATE`;

/**
 * Further ahead than any clock is wrong: an account that was last changed then was dated so by
 * somebody, as by an import of accounts of tomorrow, and what happens to it does not follow it
 * there.
 */
const CLOCK_TOLERANCE = sql`interval '1 day'`;

/**
 * The earliest time for a change of an account that was changed at `updatedAt`: later, so that no
 * two have the same.
 */
export function afterChange(updatedAt: Prisma.Sql): Prisma.Sql {
  return sql`CASE WHEN ${updatedAt} < clock_timestamp() + ${CLOCK_TOLERANCE} THEN ${updatedAt} + interval '1 millisecond' END`;
}

/**
 * When a change of locked accounts happens: later than the change before it, whatever the clock
 * says, so that the times of an account's changes are in the order of the changes. The clock must
 * be read when the locks are had: statements and transactions begin before.
 * @param earliest what `afterChange` says of the locked rows; of several the latest
 */
export function changeTime(earliest: Prisma.Sql): Prisma.Sql {
  return sql`greatest(date_trunc('milliseconds', clock_timestamp()), ${earliest})`;
}

/** Outside of the SELECT that locks: there it would be read before the lock is had. */
const LOCKED_AT = sql`account."updatedAt"::timestamptz`;
const CHANGE_TIME = instantText(sql`greatest(${changeTime(afterChange(LOCKED_AT))}, ${LOCKED_AT})`);

/** An account that nobody else changes until the transaction ends. */
export interface LockedAccount extends BankAccount {
  /** When a change of it alone happens, by the clock of the database. */
  readonly changeTime: string;
}

/**
 * The accounts as they are, kept from being changed by others until the transaction ends. Always in
 * the order of their ids, so that transactions that want the same accounts wait for one another and
 * never deadlock.
 */
export async function lockAccounts(
  transaction: TenantTransaction,
  scope: TenantScope,
  ids: readonly string[],
  strength: Prisma.Sql,
): Promise<LockedAccount[]> {
  const query = sql`
    SELECT account.*, ${CHANGE_TIME} AS "changeTime" FROM (SELECT DISTINCT id FROM unnest(${ids}::uuid[]) AS given (id) ORDER BY id) asked
      CROSS JOIN LATERAL (
        SELECT ${WHOLE_ACCOUNT} FROM bank_accounts
        WHERE tenant_id = ${scope.tenantId}::uuid AND id = asked.id ${strength}
      ) account`;
  return transaction.select({ model: 'BankAccount', action: 'lockAccounts', query });
}
