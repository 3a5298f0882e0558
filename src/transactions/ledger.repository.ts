import { afterChange, changeTime, FOR_STATE_CHANGE } from '../accounts/account.locks.ts';
import { selectList } from '../database/sql-text.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { type KeyedRequest, rememberResult } from '../idempotency/idempotency.repository.ts';
import { MAX_INTEGER } from '../limits.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { TenantTransaction } from '../tenancy/tenant-transaction.ts';
import { BALANCE_LIMIT, type NewTransaction, type PlannedTransaction } from './ledger.rules.ts';
import { ALL_TRANSACTION_COLUMNS, TRANSACTION_COLUMNS } from './transaction.repository.ts';
import type { Transaction } from './transaction.type.ts';

const { sql } = Prisma;

const WHOLE_TRANSACTION = selectList(TRANSACTION_COLUMNS, ALL_TRANSACTION_COLUMNS);

/**
 * Locks the accounts, takes the key and books the transactions in one statement, which travels with
 * BEGIN and COMMIT: one round trip. Only where no rule can be broken, whatever kind the accounts
 * are of: all are active, no debit ends below zero, no balance or version is out of range and both
 * sides of a transfer have one currency. Else `planTransactions` says what holds. Transactions
 * without a time happen when the accounts are locked. What that is, the locked rows alone can tell:
 * a statement that waited for a lock reads the locked row as it is by now, and all other tables as
 * they were before.
 * @returns the transactions as recorded, in the order asked for, which their ids ascend in; none
 *   when nothing was done, because a rule could be broken or the key was used
 */
export async function recordAtOnce(
  transaction: TenantTransaction,
  scope: TenantScope,
  { key, hash }: KeyedRequest,
  newTransactions: readonly NewTransaction[],
): Promise<Transaction[]> {
  const column = <Name extends keyof NewTransaction>(name: Name) => newTransactions.map((one) => one[name] ?? null);
  const query = sql`
    WITH ids AS MATERIALIZED (
      SELECT array_agg(id ORDER BY id) AS ids
      FROM (SELECT uuid_v7() AS id FROM generate_series(1, ${newTransactions.length}::integer)) made
    ), new_transactions AS MATERIALIZED (
      SELECT *, CASE direction WHEN 'CREDIT' THEN amount ELSE -amount END AS net
      FROM unnest(${column('accountId')}::uuid[], ${column('direction')}::transaction_direction[],
        ${column('amount')}::numeric[], ${column('bookedAt')}::timestamptz[], ${column('category')}::text[],
        ${column('counterpartyBank')}::text[], ${column('description')}::text[], ${column('counterpartyId')}::uuid[])
        WITH ORDINALITY AS given (account_id, direction, amount, booked_at, category, counterparty_bank, description,
        counterparty_id, position)
    ), accounts AS MATERIALIZED (
      SELECT account.* FROM (SELECT DISTINCT account_id AS id FROM new_transactions ORDER BY account_id) asked
        CROSS JOIN LATERAL (
          SELECT id, bank_name, status, currency, balance, version, updated_at FROM bank_accounts
          WHERE tenant_id = ${scope.tenantId}::uuid AND id = asked.id ${FOR_STATE_CHANGE}
        ) account
    ), locked AS MATERIALIZED (
      SELECT ${changeTime(sql`max(${afterChange(sql`updated_at`)})`)} AS changed_at FROM accounts
    ), planned AS MATERIALIZED (
      SELECT given.*, account.status, account.currency, account.version, other.bank_name AS other_bank, other.currency AS other_currency,
        account.balance + sum(net) OVER (PARTITION BY account_id ORDER BY position) AS balance_after
      FROM new_transactions given LEFT JOIN accounts account ON account.id = account_id
        LEFT JOIN accounts other ON other.id = counterparty_id
    ), claimed AS (
      INSERT INTO idempotency_keys (tenant_id, key, request_hash, transaction_ids)
      SELECT ${scope.tenantId}::uuid, ${key}, decode(${hash}, 'hex'), ids FROM ids
      WHERE (SELECT bool_and(status IS NOT DISTINCT FROM 'ACTIVE' AND (direction = 'CREDIT' OR balance_after >= 0)
        AND abs(balance_after) < ${BALANCE_LIMIT.toFixed()}::numeric AND version <= ${MAX_INTEGER - newTransactions.length}::integer
        AND (counterparty_id IS NULL OR other_currency IS NOT DISTINCT FROM currency)) FROM planned)
      ON CONFLICT (tenant_id, key) DO NOTHING RETURNING transaction_ids
    ), moved AS (
      UPDATE bank_accounts account SET balance = balance + total.net, version = version + total.transactions,
        updated_at = greatest(changed_at, updated_at)
      FROM locked CROSS JOIN (
        SELECT account_id, count(*)::integer AS transactions, sum(net) AS net FROM planned CROSS JOIN claimed GROUP BY account_id
      ) total
      WHERE account.tenant_id = ${scope.tenantId}::uuid AND account.id = total.account_id
    ), recorded AS (
      INSERT INTO transactions (tenant_id, id, account_id, direction, amount, currency, balance_after, booked_at,
        category, counterparty_bank, description)
      SELECT ${scope.tenantId}::uuid, transaction_ids[position], account_id, direction, amount, currency, balance_after,
        coalesce(booked_at, changed_at), category, coalesce(other_bank, counterparty_bank), description
      FROM planned CROSS JOIN claimed CROSS JOIN locked
      RETURNING ${WHOLE_TRANSACTION}
    ), ${transaction.audited(sql`recorded`)}
    SELECT * FROM recorded ORDER BY id`;
  return transaction.attempt({ model: 'Transaction', action: 'recordAtOnce', query });
}

/**
 * Writes transactions on locked accounts, their balances and what the idempotency key is to give
 * again, all in one statement: the locks are held for no round trip more. Its text is the same for
 * any number of transactions.
 * @returns the transactions as recorded, in the order asked for, which their ids ascend in
 */
export async function insertTransactions(
  transaction: TenantTransaction,
  scope: TenantScope,
  key: string,
  newTransactions: readonly PlannedTransaction[],
): Promise<Transaction[]> {
  const column = <Name extends keyof PlannedTransaction>(name: Name) => newTransactions.map((one) => one[name]);
  const query = sql`
    WITH ids AS MATERIALIZED (
      SELECT id, row_number() OVER (ORDER BY id) AS position
      FROM (SELECT uuid_v7() AS id FROM generate_series(1, ${newTransactions.length}::integer)) made
    ), new_transactions AS MATERIALIZED (
      SELECT * FROM unnest(${column('accountId')}::uuid[], ${column('direction')}::transaction_direction[],
        ${column('amount')}::numeric[], ${column('currency')}::text[], ${column('balanceAfter')}::numeric[],
        ${column('bookedAt')}::timestamptz[], ${column('category')}::text[], ${column('counterpartyBank')}::text[],
        ${column('description')}::text[]) WITH ORDINALITY AS given (account_id, direction, amount, currency,
        balance_after, booked_at, category, counterparty_bank, description, position)
    ), locked AS MATERIALIZED (
      SELECT ${changeTime(sql`max(${afterChange(sql`updated_at`)})`)} AS changed_at
      FROM unnest(${column('accountUpdatedAt')}::timestamptz[]) AS account (updated_at)
    ), moved AS (
      UPDATE bank_accounts account SET balance = balance + total.net, version = version + total.transactions,
        updated_at = greatest(changed_at, updated_at)
      FROM locked CROSS JOIN (
        SELECT account_id, count(*)::integer AS transactions,
          sum(CASE direction WHEN 'CREDIT' THEN amount ELSE -amount END) AS net
        FROM new_transactions GROUP BY account_id
      ) total
      WHERE account.tenant_id = ${scope.tenantId}::uuid AND account.id = total.account_id
    ), remembered AS (
      ${rememberResult(scope, key, sql`(SELECT array_agg(id ORDER BY position) FROM ids)`)}
    ), recorded AS (
      INSERT INTO transactions (tenant_id, id, account_id, direction, amount, currency, balance_after, booked_at,
        category, counterparty_bank, description)
      SELECT ${scope.tenantId}::uuid, id, account_id, direction, amount, currency, balance_after,
        coalesce(booked_at, changed_at), category, counterparty_bank, description
      FROM new_transactions JOIN ids USING (position) CROSS JOIN locked
      RETURNING ${WHOLE_TRANSACTION}
    ), ${transaction.audited(sql`recorded`)}
    SELECT * FROM recorded ORDER BY id`;
  return transaction.finish({ model: 'Transaction', action: 'insertTransactions', query });
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
