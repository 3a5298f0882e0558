import { endOfDayMs, instantText, selectOnly } from '../database/sql-text.ts';
import { Prisma } from '../generated/prisma/client.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';

const { sql } = Prisma;

export interface TenantRow {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly timeZone: string;
  readonly createdAt: string;
  /** The tenant's calendar day at this moment. */
  readonly today: string;
  /** When that day ends, in milliseconds since 1970. */
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

export class TenantRepository {
  constructor(private readonly database: TenantDatabase) {}

  /** The scope's own tenant; null when it was deleted after the token was checked. */
  async current(scope: TenantScope): Promise<TenantRow | null> {
    const [row] = await this.database.select<TenantRow>(scope, {
      model: 'Tenant',
      action: 'current',
      query: Prisma.sql`SELECT id, slug, name, time_zone AS "timeZone", ${instantText(Prisma.sql`created_at`)} AS "createdAt",
          to_char(now() AT TIME ZONE time_zone, 'YYYY-MM-DD') AS today, ${endOfDayMs(Prisma.sql`time_zone`)} AS "dayEndsAtMs"
        FROM tenants WHERE id = ${scope.tenantId}::uuid`,
    });
    return row ?? null;
  }
}
