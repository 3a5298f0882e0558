import { Prisma } from '../generated/prisma/client.ts';

/** The table of each Prisma model. The type makes a new model without its table an error. */
export const TABLE_OF_MODEL: Readonly<Record<Prisma.ModelName, string>> = {
  Tenant: 'tenants',
  BankAccount: 'bank_accounts',
  Transaction: 'transactions',
  IdempotencyKey: 'idempotency_keys',
  AuditLine: 'audit_log',
  TenantUsage: 'tenant_usage',
  DailyTotal: 'daily_totals',
  AccountTotal: 'account_totals',
  CacheOutbox: 'cache_outbox',
  CacheOutboxHorizon: 'cache_outbox_horizon',
  CacheTrust: 'cache_trust',
};

/** The feature folder under src that owns each model: what `--app` means. */
export const FEATURE_OF_MODEL: Readonly<Record<Prisma.ModelName, string>> = {
  Tenant: 'tenancy',
  BankAccount: 'accounts',
  Transaction: 'transactions',
  IdempotencyKey: 'idempotency',
  AuditLine: 'audit',
  TenantUsage: 'usage',
  DailyTotal: 'statistics',
  AccountTotal: 'statistics',
  CacheOutbox: 'cache',
  CacheOutboxHorizon: 'cache',
  CacheTrust: 'cache',
};

export const MODELS = Object.keys(TABLE_OF_MODEL) as readonly Prisma.ModelName[];

export const FEATURES: readonly string[] = [...new Set(Object.values(FEATURE_OF_MODEL))];

export function isModel(name: string): name is Prisma.ModelName {
  return Object.hasOwn(TABLE_OF_MODEL, name);
}

/** The model of a table; null for a table that is not the product's. */
export function modelOfTable(table: string): Prisma.ModelName | null {
  return MODELS.find((model) => TABLE_OF_MODEL[model] === table) ?? null;
}

export function tablesOf(models: readonly Prisma.ModelName[]): string[] {
  return models.map((model) => TABLE_OF_MODEL[model]);
}
