import { Prisma } from '../generated/prisma/client.ts';
import { rememberResult } from '../idempotency/idempotency.repository.ts';
import { selectList } from '../tenancy/sql-text.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { TenantTransaction } from '../tenancy/tenant-transaction.ts';
import type { PlannedMovement } from './ledger.rules.ts';
import { ALL_TRANSACTION_COLUMNS, TRANSACTION_COLUMNS } from './transaction.repository.ts';
import type { Transaction } from './transaction.type.ts';

const { sql } = Prisma;

const WHOLE_TRANSACTION = selectList(TRANSACTION_COLUMNS, ALL_TRANSACTION_COLUMNS);

/**
 * Writes movements on locked accounts, their balances and what the idempotency key is to give again, all in one
 * statement: the locks are held for no round trip more. Its text is the same for any number of movements.
 * @returns the transactions in the order of the movements, which their ids ascend in
 */
export async function insertMovements(
  transaction: TenantTransaction,
  scope: TenantScope,
  key: string,
  movements: readonly PlannedMovement[],
): Promise<Transaction[]> {
  const column = <Name extends keyof PlannedMovement>(name: Name) => movements.map((movement) => movement[name]);
  const query = sql`
    WITH ids AS MATERIALIZED (
      SELECT id, row_number() OVER (ORDER BY id) AS position
      FROM (SELECT uuid_v7() AS id FROM generate_series(1, ${movements.length}::integer)) made
    ), movements AS MATERIALIZED (
      SELECT * FROM unnest(${column('accountId')}::uuid[], ${column('direction')}::transaction_direction[],
        ${column('amount')}::numeric[], ${column('currency')}::text[], ${column('balanceAfter')}::numeric[],
        ${column('bookedAt')}::timestamptz[], ${column('category')}::text[], ${column('counterpartyBank')}::text[],
        ${column('description')}::text[]) WITH ORDINALITY AS movement (account_id, direction, amount, currency,
        balance_after, booked_at, category, counterparty_bank, description, position)
    ), moved AS (
      UPDATE bank_accounts account SET balance = balance + total.net, version = version + total.movements,
        updated_at = greatest(statement_timestamp(), updated_at)
      FROM (
        SELECT account_id, count(*)::integer AS movements,
          sum(CASE direction WHEN 'CREDIT' THEN amount ELSE -amount END) AS net
        FROM movements GROUP BY account_id
      ) total
      WHERE account.tenant_id = ${scope.tenantId}::uuid AND account.id = total.account_id
    ), remembered AS (
      ${rememberResult(scope, key, sql`(SELECT array_agg(id ORDER BY position) FROM ids)`)}
    ), recorded AS (
      INSERT INTO transactions (tenant_id, id, account_id, direction, amount, currency, balance_after, booked_at,
        category, counterparty_bank, description)
      SELECT ${scope.tenantId}::uuid, id, account_id, direction, amount, currency, balance_after,
        coalesce(booked_at, statement_timestamp()), category, counterparty_bank, description
      FROM movements JOIN ids USING (position)
      RETURNING ${WHOLE_TRANSACTION}
    )
    SELECT * FROM recorded ORDER BY id`;
  return transaction.finish({ model: 'Transaction', action: 'insertMovements', query });
}

/** Transactions that were recorded together, in their order. */
export async function recordedTransactions(
  transaction: TenantTransaction,
  scope: TenantScope,
  ids: readonly string[],
): Promise<Transaction[]> {
  const query = sql`
    SELECT recorded.* FROM unnest(${ids}::uuid[]) AS asked (id) CROSS JOIN LATERAL (
        SELECT ${WHOLE_TRANSACTION} FROM transactions
        WHERE tenant_id = ${scope.tenantId}::uuid AND id = asked.id LIMIT 1
      ) recorded ORDER BY recorded.id`;
  return transaction.select({ model: 'Transaction', action: 'recordedTransactions', query });
}
