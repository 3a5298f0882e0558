import { createSecretKey } from 'node:crypto';
import { SignJWT } from 'jose';
import type { AuthConfig } from '../config/config.ts';
import type { TenantEntry } from '../tenancy/tenant-directory.ts';
import { ROLES, Role } from './caller.ts';
import { signingSecret } from './development-secret.ts';

/** Those that `npm start` prints and the explorer pages are filled with: a week of development. */
const SAMPLE_LIFETIME_SECONDS = 7 * 24 * 3600;

export interface TokenRequest {
  readonly subject: string;
  /** The subject when absent. */
  readonly name?: string;
  readonly role: Role;
  /**
   * The id and not the slug, so that the token outlives the tenant's renaming; null for an
   * OPERATOR.
   */
  readonly tenantId: string | null;
  readonly lifetimeSeconds: number;
}

export interface SampleToken {
  readonly role: Role;
  readonly token: string;
}

export interface TokenIssuer {
  issue(request: TokenRequest): Promise<string>;
  /** One token for each role of a tenant. */
  sampleTokens(tenant: TenantEntry): Promise<SampleToken[]>;
}

/**
 * Issues tokens that a service with the same settings accepts.
 * @throws OperatorError as `signingSecret` does
 */
export function createTokenIssuer(auth: AuthConfig, production: boolean): TokenIssuer {
  const key = createSecretKey(signingSecret(auth, production), 'utf8');
  const issue = async ({ subject, name, role, tenantId, lifetimeSeconds }: TokenRequest) => {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const token = new SignJWT({ name: name ?? subject, role, ...(tenantId && { tenant: tenantId }) })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(subject)
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + lifetimeSeconds);
    if (auth.issuer) token.setIssuer(auth.issuer);
    if (auth.audience) token.setAudience(auth.audience);
    return token.sign(key);
  };
  const sampleTokens = (tenant: TenantEntry) => Promise.all(ROLES.map((role) => sample(tenant, role)));
  const sample = async (tenant: TenantEntry, role: Role) => ({
    role,
    token: await issue({
      subject: `sample-${role.toLowerCase()}`,
      name: `Sample ${role.toLowerCase()}`,
      role,
      tenantId: role === Role.OPERATOR ? null : tenant.id,
      lifetimeSeconds: SAMPLE_LIFETIME_SECONDS,
    }),
  });
  return { issue, sampleTokens };
}
