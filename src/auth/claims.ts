import type { JWTPayload } from 'jose';
import { isRole, Role } from './caller.ts';

/**
 * Ids are UUIDs and slugs are a-z, 0-9 and hyphens; what is neither names no tenant and is not
 * looked for.
 */
const TENANT_ID_OR_SLUG = /^[a-z0-9-]{1,200}$/i;

/** What a token with a good signature says of its holder. */
export interface Claims {
  readonly subject: string;
  readonly name: string;
  readonly role: Role;
  /** Id or slug; null for an OPERATOR. */
  readonly tenant: string | null;
  /** `exp`, in seconds since 1970. */
  readonly expiresAtSeconds: number;
}

/**
 * Why a token does not hold. For the log: its message names claims, never their values or the
 * token.
 */
export class TokenRefusal extends Error {
  override name = 'TokenRefusal';
}

/**
 * Reads `sub`, `name` (the subject when absent), `role` and `tenant`. The tenant of an OPERATOR is
 * ignored and not refused: identity providers tend to put the same claims on all their users, and
 * an operator works for no tenant.
 * @throws TokenRefusal when a claim is missing or is not what it must be
 */
export function readClaims({ sub, name, role, tenant, exp }: JWTPayload): Claims {
  if (typeof sub !== 'string' || !sub) throw new TokenRefusal('the claim "sub" is missing');
  if (typeof exp !== 'number') throw new TokenRefusal('the claim "exp" is missing');
  if (!isRole(role)) throw new TokenRefusal('the claim "role" is missing or unknown');
  return {
    subject: sub,
    name: typeof name === 'string' && name ? name : sub,
    role,
    tenant: role === Role.OPERATOR ? null : readTenant(tenant),
    expiresAtSeconds: exp,
  };
}

function readTenant(tenant: unknown): string {
  if (typeof tenant !== 'string' || !TENANT_ID_OR_SLUG.test(tenant))
    throw new TokenRefusal('the claim "tenant" is missing or no id or slug');
  return tenant;
}
