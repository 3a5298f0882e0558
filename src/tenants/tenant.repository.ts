import { endOfDayMs, instantText, selectOnly } from '../database/sql-text.ts';
import { Prisma } from '../generated/prisma/client.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';

const { sql } = Prisma;

/** A tenant's calendar day at this moment. */
export interface CurrentDay {
  readonly today: string;
  /** In milliseconds since 1970. */
  readonly dayEndsAtMs: number;
}

/** What clients are shown of a tenant, and the SQL that reads it. */
const TENANT_COLUMNS = {
  id: sql`id`,
  slug: sql`slug`,
  name: sql`name`,
  timeZone: sql`time_zone`,
  createdAt: instantText(sql`created_at`),
};

/**
 * The wanted properties of the scope's own tenant as JSON, within a statement about something else.
 */
export function tenantColumn({ tenantId }: TenantScope, wanted: ReadonlySet<string>): Prisma.Sql {
  return sql`(SELECT row_to_json(tenant) FROM (
      SELECT ${selectOnly(TENANT_COLUMNS, wanted)} FROM tenants WHERE tenants.id = ${tenantId}::uuid) tenant)`;
}

/** What SQL alone tells of a tenant; its row is read by `TenantRows`. */
export class TenantRepository {
  constructor(private readonly database: TenantDatabase) {}

  /** Of the scope's own tenant; null when it was deleted after the token was checked. */
  async day(scope: TenantScope): Promise<CurrentDay | null> {
    const [row] = await this.database.select<CurrentDay>(scope, {
      model: 'Tenant',
      action: 'day',
      query: sql`SELECT to_char(now() AT TIME ZONE time_zone, 'YYYY-MM-DD') AS today, ${endOfDayMs(sql`time_zone`)} AS "dayEndsAtMs"
        FROM tenants WHERE id = ${scope.tenantId}::uuid`,
    });
    return row ?? null;
  }
}
