import { LRUCache } from 'lru-cache';
import { Prisma } from '../generated/prisma/client.ts';
import type { TenantDatabase } from './tenant-database.ts';
import type { TenantScope } from './tenant-scope.ts';

/** Tenants grow slowly, and prices are about right at best. */
const REMEMBERED_MS = 5 * 60_000;
const MAX_REMEMBERED = 10_000;
/** Small ones may grow by much before they are read again, and are read quickly. */
const SMALL_TRANSACTIONS = 10_000;
const SMALL_REMEMBERED_MS = 10_000;

/** How many rows a tenant has, as the totals kept ready tell. */
export interface TenantSize {
  readonly accounts: number;
  readonly transactions: number;
  /** Kept totals of transactions by day, currency and category. */
  readonly dayTotals: number;
  /** Those that have some. */
  readonly days: number;
}

const NOTHING: TenantSize = { accounts: 0, transactions: 0, dayTotals: 0, days: 0 };

/** The sizes of tenants, some minutes old at most. */
export class TenantSizes {
  readonly #remembered = new LRUCache<string, Promise<TenantSize>>({ max: MAX_REMEMBERED, ttl: REMEMBERED_MS });
  readonly #number = new LRUCache<'all', Promise<number>>({ max: 1, ttl: REMEMBERED_MS });

  constructor(private readonly database: TenantDatabase) {}

  of(scope: TenantScope): Promise<TenantSize> {
    return remembered(this.#remembered, scope.tenantId, async () => {
      const size = await this.#read(scope);
      const reading = this.#remembered.peek(scope.tenantId);
      if (reading && size.transactions < SMALL_TRANSACTIONS)
        this.#remembered.set(scope.tenantId, reading, { ttl: SMALL_REMEMBERED_MS });
      return size;
    });
  }

  /** How many tenants there are. */
  number(): Promise<number> {
    return remembered(this.#number, 'all', async () => {
      const [row] = await this.database.directory<{ tenants: number }>(
        'SELECT count(*)::integer AS tenants FROM tenants',
        [],
      );
      return row?.tenants ?? 0;
    });
  }

  async #read(scope: TenantScope): Promise<TenantSize> {
    const { tenantId } = scope;
    const [row] = await this.database.select<TenantSize>(scope, {
      model: 'Tenant',
      action: 'size',
      planOnce: true,
      query: Prisma.sql`SELECT
        (SELECT coalesce(sum(account_count), 0)::float8 FROM account_totals WHERE tenant_id = ${tenantId}::uuid) AS accounts,
        coalesce(sum(transaction_count), 0)::float8 AS transactions, count(*)::float8 AS "dayTotals",
        count(DISTINCT day)::float8 AS days
        FROM daily_totals WHERE tenant_id = ${tenantId}::uuid`,
    });
    return row ?? NOTHING;
  }
}

/** What failed is read again. */
function remembered<Key extends string, Value>(
  cache: LRUCache<Key, Promise<Value>>,
  key: Key,
  read: () => Promise<Value>,
): Promise<Value> {
  const known = cache.get(key);
  if (known) return known;
  const reading = read();
  cache.set(key, reading);
  reading.catch(() => {
    if (cache.peek(key) === reading) cache.delete(key);
  });
  return reading;
}
