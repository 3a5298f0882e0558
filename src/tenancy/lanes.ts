import { NO_TENANT, type TenantScope } from './tenant-scope.ts';

/** What the service does by itself. */
export const THE_SERVICE = '(service)';
/** Looking for the tenant that a token names: until then nobody knows whose turn it is. */
export const DIRECTORY = '(directory)';
/** Callers without a token, who may ask for the schema. */
export const STRANGERS = '(strangers)';
/** Callers who see the operations of all tenants. */
export const OPERATORS = '(operators)';
/** What was sent without a scope, and sees no rows. */
const UNSCOPED = '';

const OF_NO_TENANT: ReadonlySet<string> = new Set([
  THE_SERVICE,
  DIRECTORY,
  STRANGERS,
  OPERATORS,
  UNSCOPED,
  NO_TENANT.tenantId,
]);

/**
 * Whether it is a lane that stands for a tenant where none is. It has its turns like one, and
 * having had them it keeps no tenant to its share.
 */
export function isOfNoTenant(lane: string): boolean {
  return OF_NO_TENANT.has(lane);
}

/** In which a caller waits for admission: that of its tenant, or one of those who have none. */
export function laneOf(caller: { readonly tenant: { readonly scope: TenantScope } | null } | null): string {
  if (!caller) return STRANGERS;
  return caller.tenant?.scope.tenantId ?? OPERATORS;
}
