import { defineIndex } from '../database/index-definition.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { modelIndexes } from './model-queries.ts';

const ACTIVE = "(status = 'ACTIVE'::account_status)";
const EVERY_ORDER = ['BankAccount.page', 'BankAccount.numberedPage'] as const;
const FILTERED = [...EVERY_ORDER, 'BankAccount.count'] as const;

/**
 * Every index of the product. The database and prisma/schema.prisma have these and no others: a
 * test compares them.
 */
export const INDEX_CATALOG: readonly CatalogEntry[] = [
  {
    definition: defineIndex('tenants', 'tenants_pkey', 'id', { primary: true }),
    purpose: 'A tenant by its id.',
    queries: ['Tenant.findFirst', 'Tenant.day', 'Dashboard.parts'],
    keeps: 'the primary key, and what foreign keys refer to',
  },
  {
    definition: defineIndex('tenants', 'tenants_slug_key', 'slug', { unique: true }),
    purpose: "A tenant by the slug of a caller's token.",
    queries: [],
    keeps: 'a slug belongs to one tenant; the directory of tenants looks slugs up',
  },
  {
    definition: defineIndex('bank_accounts', 'bank_accounts_pkey', 'tenant_id, id', { primary: true }),
    purpose: 'Accounts by their ids; all rows of a tenant.',
    queries: [
      'BankAccount.byIds',
      'BankAccount.findFirst',
      'BankAccount.lockAccounts',
      'BankAccount.update',
      'Transaction.recordAtOnce',
      'Transaction.insertTransactions',
    ],
    keeps: 'the primary key; every transaction finds and locks its accounts by it',
  },
  {
    definition: defineIndex(
      'bank_accounts',
      'bank_accounts_tenant_bank_number_key',
      'tenant_id, bank_name, account_number',
      { unique: true },
    ),
    purpose: "An account by its bank and number; a bank's accounts.",
    queries: ['BankAccount.findFirst', 'BankAccount.count'],
    keeps: 'a bank gives a number once within a tenant',
  },
  {
    definition: defineIndex('bank_accounts', 'bank_accounts_tenant_created_idx', 'tenant_id, created_at, id'),
    purpose: 'Order by creation, which is the order of lists that ask for none; ranges of it.',
    queries: FILTERED,
  },
  {
    definition: defineIndex('bank_accounts', 'bank_accounts_tenant_updated_idx', 'tenant_id, updated_at, id'),
    purpose: 'Order by the last change.',
    queries: EVERY_ORDER,
  },
  {
    definition: defineIndex('bank_accounts', 'bank_accounts_tenant_balance_idx', 'tenant_id, balance, id'),
    purpose: "Order by balance, ranges of it, and a dashboard's largest accounts.",
    queries: [...FILTERED, 'Dashboard.parts'],
  },
  {
    definition: defineIndex('bank_accounts', 'bank_accounts_tenant_number_idx', 'tenant_id, account_number, id'),
    purpose: 'Order by number, and an account by its number alone.',
    queries: [...FILTERED, 'BankAccount.findFirst'],
  },
  {
    definition: defineIndex('bank_accounts', 'bank_accounts_tenant_bank_idx', 'tenant_id, bank_name, id'),
    purpose: "Order by the bank's name; equal names by id, which the unique key of bank and number does not keep.",
    queries: FILTERED,
  },
  {
    definition: defineIndex(
      'bank_accounts',
      'bank_accounts_tenant_status_created_idx',
      'tenant_id, status, created_at, id',
    ),
    purpose: 'Accounts of one status, in order of creation, and their number.',
    queries: FILTERED,
  },
  {
    definition: defineIndex(
      'bank_accounts',
      'bank_accounts_tenant_type_created_idx',
      'tenant_id, account_type, created_at, id',
    ),
    purpose: 'Accounts of one type, in order of creation, and their number.',
    queries: FILTERED,
  },
  {
    definition: defineIndex('bank_accounts', 'bank_accounts_tenant_active_created_idx', 'tenant_id, created_at, id', {
      where: ACTIVE,
    }),
    purpose: 'Active accounts in order of creation, the commonest list, and their number.',
    queries: FILTERED,
    partial:
      'The condition is proven from the text of the query, so that it serves also where the comparison of enums could not ' +
      'be marked leakproof and no other index can be searched by status. 82 bytes of WAL a change against 106.',
  },
  {
    definition: defineIndex('bank_accounts', 'bank_accounts_tenant_inactive_created_idx', 'tenant_id, created_at, id', {
      where: "(status <> 'ACTIVE'::account_status)",
    }),
    purpose: 'Accounts that are not active, in order of creation, and their number.',
    queries: FILTERED,
    partial: 'Active accounts, by far the most, cost it nothing; no index is searched by "not equal".',
  },
  {
    definition: defineIndex(
      'bank_accounts',
      'bank_accounts_tenant_type_active_created_idx',
      'tenant_id, account_type, created_at, id',
      { where: ACTIVE },
    ),
    purpose: 'Active accounts of one type, in order of creation, and their number.',
    queries: FILTERED,
    partial: 'An index of all accounts would need status as a further column and serve only this question.',
  },
  {
    definition: defineIndex('bank_accounts', 'bank_accounts_number_idx', 'account_number', { method: 'hash' }),
    purpose:
      'Whose account a number is, over all tenants. A hash, since a B-tree is taken for a tenant in order of number too, ' +
      'and passes over the rows of all others.',
    queries: [],
    keeps: "operators' lookups over all tenants",
  },
  {
    definition: defineIndex('transactions', 'transactions_pkey', 'tenant_id, id', { primary: true }),
    purpose: 'Transactions by their ids, for the answer to a repeated request.',
    queries: ['Transaction.recordedTransactions'],
    keeps: 'the primary key',
  },
  {
    definition: defineIndex('transactions', 'transactions_tenant_external_key', 'tenant_id, external_id', {
      unique: true,
      where: '(external_id IS NOT NULL)',
    }),
    purpose: 'Imported transactions by the identity that their source gave them.',
    queries: [],
    keeps: 'an import never doubles a transaction',
    partial: 'What comes through the API has no such identity, and costs this index nothing.',
  },
  {
    definition: defineIndex(
      'transactions',
      'transactions_tenant_account_booked_idx',
      'tenant_id, account_id, booked_at DESC, id DESC',
    ),
    purpose: "An account's newest transactions, its pages and their number; many accounts in one statement.",
    queries: [
      'Transaction.page',
      'Transaction.count',
      'Transaction.pageOfEach',
      'Transaction.countOfEach',
      'Transaction.recentOfEach',
    ],
    keeps: 'the foreign key to accounts: deleting one looks for its transactions',
  },
  {
    definition: defineIndex('transactions', 'transactions_tenant_booked_idx', 'tenant_id, booked_at, id'),
    purpose: "A tenant's newest transactions, their pages, and ranges of time; read backwards.",
    queries: ['Transaction.page', 'Transaction.count', 'Transaction.keptCount', 'Dashboard.parts'],
  },
  {
    definition: defineIndex(
      'transactions',
      'transactions_tenant_category_booked_idx',
      'tenant_id, category, booked_at, id',
    ),
    purpose: 'Transactions of one category, newest first, and their number.',
    queries: ['Transaction.page', 'Transaction.count', 'Transaction.keptCount'],
  },
  {
    definition: defineIndex('transactions', 'transactions_tenant_amount_idx', 'tenant_id, amount, id'),
    purpose: "A tenant's transactions in order of amount, ranges of it, and the number of those with few rows.",
    queries: ['Transaction.page', 'Transaction.count'],
  },
  {
    definition: defineIndex('idempotency_keys', 'idempotency_keys_pkey', 'tenant_id, key', { primary: true }),
    purpose: 'What a request with this key did.',
    queries: ['Transaction.insertTransactions'],
    keeps: 'the primary key: of two equal requests one waits for the other',
  },
  {
    definition: defineIndex('idempotency_keys', 'idempotency_keys_created_idx', 'created_at'),
    purpose: 'Keys by age, over all tenants: those past IDEMPOTENCY_RETENTION_HOURS are removed.',
    queries: [],
    keeps: 'the removal of old keys, in pieces, by idempotency_keys_clean',
  },
  {
    definition: defineIndex('audit_log', 'audit_log_pkey', 'tenant_id, at, id', { primary: true }),
    purpose: "A tenant's audit lines in order of time.",
    queries: [],
    keeps: 'the primary key: the page of auditLog, which few ask for',
  },
  {
    definition: defineIndex('audit_log', 'audit_log_at_idx', 'at'),
    purpose: 'Audit lines by age, over all tenants: those past AUDIT_RETENTION_DAYS are removed.',
    queries: [],
    keeps: 'the removal of old lines, in pieces, by audit_log_clean',
  },
  {
    definition: defineIndex('tenant_usage', 'tenant_usage_pkey', 'tenant_id, bucket', { primary: true }),
    purpose: 'What a tenant cost; the row of the running five minutes, that every process adds to.',
    queries: [],
    keeps: 'the primary key: processes add to the row that is there',
  },
  {
    definition: defineIndex('tenant_usage', 'tenant_usage_bucket_idx', 'bucket'),
    purpose: 'What all tenants cost within the last day; what is older than two days is removed.',
    queries: [],
    keeps: 'the removal of old rows, in pieces, by tenant_usage_clean',
  },
  {
    definition: defineIndex('folded_totals', 'folded_totals_pkey', 'tenant_id, day, currency, category', {
      primary: true,
    }),
    purpose: 'The folded transactions that a count from totals leaves out; the row that a piece is added to.',
    queries: ['Transaction.keptCount'],
    keeps: 'the primary key: what is folded is added to the row that is there',
  },
  {
    definition: defineIndex('daily_totals', 'daily_totals_pkey', 'tenant_id, day, currency, category, slot', {
      primary: true,
    }),
    purpose: 'The days of a dashboard or of statistics; the row that a transaction is added to.',
    queries: ['Dashboard.parts', 'Statistics.sums', 'Transaction.keptCount'],
    keeps: 'the primary key: the triggers add to the row that is there',
  },
  {
    definition: defineIndex(
      'account_totals',
      'account_totals_pkey',
      'tenant_id, account_type, status, bank_name, currency, slot',
      { primary: true },
    ),
    purpose: "A tenant's account totals; the row that a change of an account is added to.",
    queries: ['Dashboard.parts', 'BankAccount.keptCount'],
    keeps: 'the primary key: the triggers add to the row that is there',
  },
  {
    definition: defineIndex('cache_outbox', 'cache_outbox_pkey', 'xid, tenant_id, dependencies', { primary: true }),
    purpose: 'What transactions changed, in the order of the transactions; read and removed over all tenants.',
    queries: [],
    keeps: 'the primary key: a transaction writes the same row once; read by src/cache/change-feed',
  },
  {
    definition: defineIndex('cache_outbox_horizon', 'cache_outbox_horizon_pkey', 'id', { primary: true }),
    purpose: 'The only row of its table.',
    queries: [],
    keeps: 'the primary key',
  },
  {
    definition: defineIndex('cache_trust', 'cache_trust_pkey', 'server_id', { primary: true }),
    purpose: 'Whether a Redis server may be trusted; a row for each.',
    queries: [],
    keeps: 'the primary key',
  },
  {
    definition: defineIndex('service_processes', 'service_processes_pkey', 'id', { primary: true }),
    purpose: 'The row of a process, which it writes every few seconds.',
    queries: [],
    keeps: 'the primary key: a process writes the row that is there',
  },
  {
    definition: defineIndex('service_minutes', 'service_minutes_pkey', 'minute', { primary: true }),
    purpose: 'The row of a minute of the day, that every process adds to.',
    queries: [],
    keeps: 'the primary key: processes add to the row that is there',
  },
  ...modelIndexes(),
];

export function catalogEntry(name: string): CatalogEntry | undefined {
  return INDEX_CATALOG.find(({ definition }) => definition.name === name);
}
