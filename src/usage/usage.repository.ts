import type pg from 'pg';
import { Prisma } from '../generated/prisma/client.ts';
import { type CountedUsage, noUsage, type UsageFigures } from '../monitoring/usage-counts.ts';
import { byOperator } from '../tenancy/connection-turns.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { TenantUsageOrder } from './usage.type.ts';

const { sql } = Prisma;

/** Rows are removed when their bucket began so long ago. */
export const RETENTION_MS = 2 * 86_400_000;
const PIECE_ROWS = 10_000;

/** As `TenantDatabase.withConnection` lends it. */
export type Connection = Pick<pg.ClientBase, 'query'>;

/** What one tenant cost within two spans of time. */
export interface TenantUsageRow {
  readonly id: string;
  readonly slug: string;
  /** Its own `points_per_minute`; null: the default of the service. */
  readonly ownLimit: number | null;
  readonly hour: UsageFigures;
  readonly day: UsageFigures;
}

interface SumsRow {
  readonly id: string;
  readonly slug: string;
  readonly ownLimit: number | null;
  readonly spans: Partial<Record<'hour' | 'day', UsageFigures>>;
}

/**
 * Adds to the rows of the buckets, each a tenant's: the processes add up. Tenants that were deleted
 * are left out.
 * @param connection lent for no tenant, so that none counts as active
 */
export async function addUsage(connection: Connection, counted: readonly CountedUsage[]): Promise<void> {
  const rows = counted.map(({ tenantId, bucketMs, figures }) => ({
    tenantId,
    bucket: new Date(bucketMs),
    ...figures,
  }));
  await connection.query('SELECT tenant_usage_add($1)', [JSON.stringify(rows)]);
}

/** @returns the own tenant's usage; null while nothing is written of it */
export async function usageOf(database: TenantDatabase, scope: TenantScope): Promise<TenantUsageRow | null> {
  const query = sql`SELECT tenants.id, slug, points_per_minute AS "ownLimit", spans FROM tenant_usage_sums(ARRAY[${scope.tenantId}::uuid]) sums JOIN tenants ON tenants.id = sums.tenant_id`;
  const [row] = await database.select<SumsRow>(scope, { model: 'TenantUsage', action: 'sums', query });
  return row ? usageRow(row) : null;
}

/**
 * The tenants with the highest figure of the last day, in this order, for operators. However few are
 * asked for, this one figure is read of every row of the day (up to 288 of each active tenant), and
 * added up by tenant; everything else only of those that are listed.
 * @param request which it ends with, as the tenant scopes of other statements carry it
 */
export async function usageOfTop(
  database: TenantDatabase,
  orderBy: TenantUsageOrder,
  first: number,
  request: object,
): Promise<TenantUsageRow[]> {
  const rows = await database.directory<SumsRow & Record<string, unknown>>(
    `SELECT id, slug, spans, (SELECT points_per_minute FROM tenants WHERE tenants.id = top.id) AS "ownLimit"
     FROM tenant_usage_top($1, $2) top`,
    [orderBy, first],
    byOperator(request),
  );
  return rows.map(usageRow);
}

/** @returns the ids of tenants that were active within the last minutes, those that were last first */
export async function recentTenants(database: TenantDatabase, minutes: number, first: number): Promise<string[]> {
  return database.withConnection(async (client) => {
    const { rows } = await client.query<{ id: string }>(
      "SELECT tenant_usage_recent($1 * interval '1 minute', $2) AS id",
      [minutes, first],
    );
    return rows.map(({ id }) => id);
  });
}

/** @returns how many rows were removed, at most a piece */
export async function cleanUsage(database: TenantDatabase): Promise<number> {
  return database.withConnection(async (client) => {
    const { rows } = await client.query<{ removed: string }>(
      "SELECT tenant_usage_clean($1 * interval '1 millisecond', $2) AS removed",
      [RETENTION_MS, PIECE_ROWS],
    );
    return Number(rows[0]?.removed ?? 0);
  });
}

function usageRow({ id, slug, ownLimit, spans: { hour = noUsage(), day = noUsage() } }: SumsRow): TenantUsageRow {
  return { id, slug, ownLimit, hour, day };
}
