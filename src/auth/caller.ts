import type { TenantScope } from '../tenancy/tenant-scope.ts';

/** What a caller may do. Each says what it adds; OPERATOR stands apart. */
export enum Role {
  /** Reads the tenant's data. */
  VIEWER = 'VIEWER',
  /** Also refreshes answers, and sees how the tenant's own operations perform. */
  ANALYST = 'ANALYST',
  /** Also writes, and invalidates the tenant's cache. */
  ADMIN = 'ADMIN',
  /** Sees the operations of all tenants, and no tenant's business data. */
  OPERATOR = 'OPERATOR',
}

export const ROLES: readonly Role[] = Object.values(Role);

export function isRole(value: unknown): value is Role {
  return ROLES.includes(value as Role);
}

/** Who sent a request, as the verified token says. */
export interface Caller {
  /** The identity provider's id of the person or program. */
  readonly subject: string;
  readonly name: string;
  readonly role: Role;
  /** Null for an OPERATOR and for nobody else. */
  readonly tenant: CallerTenant | null;
}

export interface CallerTenant {
  readonly scope: TenantScope;
  readonly slug: string;
  /** The tenant's own budget; the default when there is none. */
  readonly pointsPerMinute?: number | null;
}
