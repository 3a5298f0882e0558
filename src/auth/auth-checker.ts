import type { AuthCheckerFn } from 'type-graphql';
import { forbidden, unauthenticated } from '../errors.ts';
import type { Caller, Role } from './caller.ts';

/**
 * What `@Authorized(...)` asks: a caller, and one of the named roles if any are named.
 * It throws instead of answering false, so that the client learns which of the two is missing.
 */
export const authChecker: AuthCheckerFn<{ readonly caller: Caller | null }, Role> = ({ context }, roles) => {
  if (!context.caller) throw unauthenticated();
  if (roles.length > 0 && !roles.includes(context.caller.role)) throw forbidden(roles);
  return true;
};
