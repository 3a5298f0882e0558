import { FOLLOWED_TABLES } from '../cache/dependencies/dependencies.ts';

/** The role that the migrations create for the service; held to row-level security. */
export const SERVICE_ROLE = 'tenantry_app';

/**
 * What the service does in the database, and so what its login may do: one list. The migrations
 * grant it to `tenantry_app`, the command db:grant to any role; test/database/rights.test.ts holds
 * the migrations to it. A migration that adds a table or a function for the service grants it and
 * adds it here; but followed tables, which the service reads, are here by themselves.
 */
export type TableRight = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';

export interface TableRights {
  readonly table: string;
  readonly rights: readonly TableRight[];
  /** Columns that the service changes; absent: those of `rights`, all or none. */
  readonly updates?: readonly string[];
  /** Whether a database may be without the table. */
  readonly optional?: true;
}

const TABLES: readonly TableRights[] = [
  {
    table: 'bank_accounts',
    rights: ['SELECT', 'INSERT'],
    updates: ['bank_name', 'account_type', 'status', 'balance', 'version', 'updated_at'],
  },
  { table: 'transactions', rights: ['SELECT', 'INSERT'] },
  { table: 'idempotency_keys', rights: ['SELECT', 'INSERT'], updates: ['transaction_ids', 'created_at'] },
  { table: 'audit_log', rights: ['SELECT', 'INSERT'] },
  { table: 'tenant_usage', rights: ['SELECT'] },
  { table: 'cache_outbox', rights: ['SELECT'] },
  { table: 'cache_outbox_horizon', rights: ['SELECT'] },
  { table: 'cache_trust', rights: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
  { table: 'service_processes', rights: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
  { table: 'service_minutes', rights: ['SELECT', 'INSERT', 'UPDATE'] },
  // Prisma makes it, unless migrations are applied in another way.
  { table: '_prisma_migrations', rights: ['SELECT'], optional: true },
];

export const SERVICE_TABLES: readonly TableRights[] = [
  ...TABLES,
  ...Object.keys(FOLLOWED_TABLES)
    .filter((name) => !TABLES.some(({ table }) => table === name))
    .map((table): TableRights => ({ table, rights: ['SELECT'] })),
];

/** As `regprocedure` prints them. */
export const SERVICE_FUNCTIONS: readonly string[] = [
  'uuid_v7()',
  'is_applied_row()',
  'cache_outbox_add(uuid,integer)',
  'cache_outbox_clean(interval)',
  'cache_outbox_poll(bigint,bigint[])',
  'cache_outbox_is_complete()',
  'cache_outbox_tables()',
  'cache_database_identity()',
  'audit_log_clean(interval,integer)',
  'idempotency_keys_clean(interval,integer)',
  'transactions_fold(uuid,integer)',
  'tenant_usage_add(jsonb)',
  'tenant_usage_clean(interval,integer)',
  'tenant_usage_recent(interval,integer)',
  'tenant_usage_sums(uuid[])',
  'tenant_usage_top(text,integer)',
];
