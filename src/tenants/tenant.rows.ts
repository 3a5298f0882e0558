import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { Tenant } from './tenant.type.ts';

/** What clients are shown of a tenant. */
const SHOWN = { id: true, slug: true, name: true, timeZone: true, createdAt: true } as const;

/** Tenants by their id, by Prisma Client: each is kept until it is changed. */
export class TenantRows {
  constructor(
    private readonly database: TenantDatabase,
    private readonly ttlSeconds: number,
  ) {}

  /** The scope's own tenant; null when it was deleted after the token was checked. */
  async current(scope: TenantScope): Promise<Tenant | null> {
    const found = await this.database.prisma(scope, (prisma) =>
      prisma.tenant.findUnique({
        where: { id: scope.tenantId },
        select: SHOWN,
        cache: { namespace: 'tenant', ttlSeconds: this.ttlSeconds },
      }),
    );
    return found && { ...found, createdAt: found.createdAt.toISOString() };
  }
}
