import { LRUCache } from 'lru-cache';
import { Prisma } from '../generated/prisma/client.ts';
import type { TenantDatabase } from './tenant-database.ts';
import type { TenantScope } from './tenant-scope.ts';

/** Tenants grow slowly, and prices are about right at best. */
const REMEMBERED_MS = 5 * 60_000;
const MAX_REMEMBERED = 10_000;

/** How many rows a tenant has, as the totals kept ready tell. */
export interface TenantSize {
  readonly accounts: number;
  readonly transactions: number;
}

/** The sizes of tenants, some minutes old at most. */
export class TenantSizes {
  readonly #remembered = new LRUCache<string, Promise<TenantSize>>({ max: MAX_REMEMBERED, ttl: REMEMBERED_MS });

  constructor(private readonly database: TenantDatabase) {}

  of(scope: TenantScope): Promise<TenantSize> {
    const { tenantId } = scope;
    const known = this.#remembered.get(tenantId);
    if (known) return known;
    const read = this.#read(scope);
    this.#remembered.set(tenantId, read);
    read.catch(() => {
      if (this.#remembered.peek(tenantId) === read) this.#remembered.delete(tenantId);
    });
    return read;
  }

  async #read(scope: TenantScope): Promise<TenantSize> {
    const { tenantId } = scope;
    const [row] = await this.database.select<TenantSize>(scope, {
      model: 'Tenant',
      action: 'size',
      planOnce: true,
      query: Prisma.sql`SELECT
        (SELECT coalesce(sum(account_count), 0)::float8 FROM account_totals WHERE tenant_id = ${tenantId}::uuid) AS accounts,
        (SELECT coalesce(sum(transaction_count), 0)::float8 FROM daily_totals WHERE tenant_id = ${tenantId}::uuid) AS transactions`,
    });
    return row ?? { accounts: 0, transactions: 0 };
  }
}
