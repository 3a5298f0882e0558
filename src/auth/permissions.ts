import { forbidden, unauthenticated } from '../errors.ts';
import { type Caller, Role } from './caller.ts';

const { VIEWER, ANALYST, ADMIN, OPERATOR } = Role;

/** What callers may do, and the roles that may. `@Authorized('<permission>')` asks for one. */
export const PERMISSIONS = {
  /** Reads a tenant's data: its own. */
  readTenant: [VIEWER, ANALYST, ADMIN],
  /** Has an answer computed anew. */
  refreshAnswers: [ANALYST, ADMIN],
  /** Sees how operations perform, and what the cache had to do with an answer. */
  seePerformance: [ANALYST, ADMIN, OPERATOR],
  /** Of all tenants, not of the own one alone. */
  seeAllTenants: [OPERATOR],
  /** Opens and changes accounts. */
  writeAccounts: [ADMIN],
  /** Records transactions and transfers. */
  writeTransactions: [ADMIN],
  invalidateCache: [ADMIN],
  readAuditLog: [ADMIN],
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof PERMISSIONS;

export function may(caller: Caller | null, permission: Permission): caller is Caller {
  return caller !== null && rolesWith(permission).includes(caller.role);
}

/** @throws UNAUTHENTICATED without a caller, FORBIDDEN with the roles that have the permission */
export function requirePermission(caller: Caller | null, permission: Permission): asserts caller is Caller {
  if (!caller) throw unauthenticated();
  if (!may(caller, permission)) throw forbidden(rolesWith(permission));
}

/** For descriptions, such as `the role ANALYST or ADMIN`. */
export function roleFor(permission: Permission): string {
  return `the role ${listed.format(rolesWith(permission))}`;
}

const listed = new Intl.ListFormat('en-GB', { type: 'disjunction' });

function rolesWith(permission: Permission): readonly Role[] {
  return PERMISSIONS[permission];
}
