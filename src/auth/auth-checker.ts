import type { AuthCheckerFn } from 'type-graphql';
import { unauthenticated } from '../errors.ts';
import type { Caller } from './caller.ts';
import { type Permission, requirePermission } from './permissions.ts';

/**
 * What `@Authorized(...)` asks: a caller, and the permissions that are named.
 * It throws instead of answering false, so that the client learns which of the two is missing.
 */
export const authChecker: AuthCheckerFn<{ readonly caller: Caller | null }, Permission> = (
  { context },
  permissions,
) => {
  if (!context.caller) throw unauthenticated();
  for (const permission of permissions) requirePermission(context.caller, permission);
  return true;
};
