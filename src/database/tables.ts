import { FOLLOWED_TABLES, type FollowedTable } from '../cache/dependencies/dependencies.ts';
import { Prisma } from '../generated/prisma/client.ts';

// A row of a model that the schema does not have is an error here.
const FOLLOWED = FOLLOWED_TABLES satisfies Readonly<Record<string, { readonly model: Prisma.ModelName }>>;
type TableOfFollowed = { readonly [Table in FollowedTable as (typeof FOLLOWED)[Table]['model']]: Table };

/** The table of each Prisma model. The type makes a new model without its table an error. */
export const TABLE_OF_MODEL: Readonly<Record<Prisma.ModelName, string>> = {
  ...(Object.fromEntries(Object.entries(FOLLOWED).map(([table, { model }]) => [model, table])) as TableOfFollowed),
  IdempotencyKey: 'idempotency_keys',
  AuditLine: 'audit_log',
  TenantUsage: 'tenant_usage',
  CacheOutbox: 'cache_outbox',
  CacheOutboxHorizon: 'cache_outbox_horizon',
  CacheTrust: 'cache_trust',
  ServiceProcess: 'service_processes',
  ServiceMinute: 'service_minutes',
};

export const MODELS = Object.keys(TABLE_OF_MODEL) as readonly Prisma.ModelName[];

/** Folders that are not called as the table is. */
const OTHER_FOLDERS: Readonly<Partial<Record<Prisma.ModelName, string>>> = {
  Tenant: 'tenancy',
  BankAccount: 'accounts',
  IdempotencyKey: 'idempotency',
  AuditLine: 'audit',
  TenantUsage: 'usage',
  DailyTotal: 'statistics',
  FoldedTotal: 'statistics',
  AccountTotal: 'statistics',
  CacheOutbox: 'cache',
  CacheOutboxHorizon: 'cache',
  CacheTrust: 'cache',
  ServiceProcess: 'deployment',
  ServiceMinute: 'deployment',
};

/** The feature folder under src that owns a model: what `--app` means. */
export function featureOf(model: Prisma.ModelName): string {
  return OTHER_FOLDERS[model] ?? TABLE_OF_MODEL[model].replaceAll('_', '-');
}

export const FEATURES: readonly string[] = [...new Set(MODELS.map(featureOf))];

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
