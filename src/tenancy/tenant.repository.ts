import { Prisma } from '../generated/prisma/client.ts';
import { endOfDayMs, instantText } from './sql-text.ts';
import type { TenantDatabase } from './tenant-database.ts';
import type { TenantScope } from './tenant-scope.ts';

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
