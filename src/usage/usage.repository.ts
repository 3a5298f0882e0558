import { Prisma } from '../generated/prisma/client.ts';
import { noUsage, USAGE_MODEL, type UsageFigures } from '../monitoring/usage-counts.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { TenantScope } from '../tenancy/tenant-scope.ts';
import type { TenantUsageOrder } from './usage.type.ts';

const { sql } = Prisma;

const RETENTION = '2 days';
const PIECE_ROWS = 10_000;

/** What one tenant cost within two spans of time. */
export interface TenantUsageRow {
  readonly id: string;
  readonly slug: string;
  readonly hour: UsageFigures;
  readonly day: UsageFigures;
}

interface SumsRow {
  readonly id: string;
  readonly slug: string;
  readonly spans: Partial<Record<'hour' | 'day', UsageFigures>>;
}

/** Adds to the row of the running five minutes: the processes add up. */
export async function addUsage(database: TenantDatabase, tenantId: string, figures: UsageFigures): Promise<void> {
  const { requests, hits, points, databaseMs, rows, bytesKept, errors } = figures;
  const query = sql`
    INSERT INTO tenant_usage AS kept (tenant_id, bucket, requests, hits, points, database_ms, rows, bytes_kept, errors)
    VALUES (${tenantId}::uuid, to_timestamp(floor(extract(epoch FROM clock_timestamp()) / 300) * 300), ${requests}::bigint,
      ${hits}::bigint, ${points}::bigint, ${databaseMs}::float8, ${rows}::bigint, ${bytesKept}::bigint, ${JSON.stringify(errors)}::jsonb)
    ON CONFLICT (tenant_id, bucket) DO UPDATE SET requests = kept.requests + excluded.requests, hits = kept.hits + excluded.hits,
      points = kept.points + excluded.points, database_ms = kept.database_ms + excluded.database_ms,
      rows = kept.rows + excluded.rows, bytes_kept = kept.bytes_kept + excluded.bytes_kept,
      errors = (SELECT coalesce(jsonb_object_agg(code, answers), '{}') FROM (
        SELECT key AS code, sum(value::bigint) AS answers
        FROM (SELECT * FROM jsonb_each_text(kept.errors) UNION ALL SELECT * FROM jsonb_each_text(excluded.errors)) both_of_them
        GROUP BY key) added)`;
  await database.select(TenantScope.ofBackgroundWrite(tenantId), { model: USAGE_MODEL, action: 'add', query });
}

/** @returns the own tenant's usage; null while nothing is written of it */
export async function usageOf(database: TenantDatabase, scope: TenantScope): Promise<TenantUsageRow | null> {
  const query = sql`SELECT tenants.id, slug, spans FROM tenant_usage_sums(ARRAY[${scope.tenantId}::uuid]) sums JOIN tenants ON tenants.id = sums.tenant_id`;
  const [row] = await database.select<SumsRow>(scope, { model: USAGE_MODEL, action: 'sums', query });
  return row ? usageRow(row) : null;
}

/**
 * The tenants with the highest figure of the last day, in this order, for operators. However few are
 * asked for, this one figure is read of every row of the day (up to 288 of each active tenant), and
 * added up by tenant; everything else only of those that are listed.
 */
export async function usageOfTop(
  database: TenantDatabase,
  orderBy: TenantUsageOrder,
  first: number,
): Promise<TenantUsageRow[]> {
  const rows = await database.directory<SumsRow & Record<string, unknown>>(
    'SELECT id, slug, spans FROM tenant_usage_top($1, $2)',
    [orderBy, first],
  );
  return rows.map(usageRow);
}

/** @returns how many rows were removed, at most a piece */
export async function cleanUsage(database: TenantDatabase): Promise<number> {
  return database.withConnection(async (client) => {
    const { rows } = await client.query<{ removed: string }>('SELECT tenant_usage_clean($1::interval, $2) AS removed', [
      RETENTION,
      PIECE_ROWS,
    ]);
    return Number(rows[0]?.removed ?? 0);
  });
}

function usageRow({ id, slug, spans: { hour = noUsage(), day = noUsage() } }: SumsRow): TenantUsageRow {
  return { id, slug, hour, day };
}
