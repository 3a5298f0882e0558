import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROLES, Role } from '../../src/auth/caller.ts';
import { createTokenIssuer } from '../../src/auth/token-issuer.ts';
import { createTokenVerifier } from '../../src/auth/token-verifier.ts';
import type { AuthConfig } from '../../src/config/config.ts';
import { createTenants, type TenantsFixture } from './tenants-fixture.ts';

const AUTH: AuthConfig = {
  secret: 'a secret of this test, longer than 32 bytes',
  jwksUrl: undefined,
  issuer: 'https://tenantry.example',
  audience: 'tenantry',
};

let tenants: TenantsFixture;
let acmeId: string;
beforeAll(async () => {
  tenants = await createTenants();
  acmeId = await tenants.addTenant('acme');
});
afterAll(() => tenants.close());

test('issues tokens that a service with the same settings accepts', async () => {
  const token = await createTokenIssuer(AUTH, true).issue({
    subject: 'ann',
    name: 'Ann',
    role: Role.ADMIN,
    tenantId: acmeId,
    lifetimeSeconds: 60,
  });
  const caller = await createTokenVerifier(AUTH, true, tenants.directory()).verify(token);
  expect(caller).toMatchObject({ subject: 'ann', name: 'Ann', role: 'ADMIN', tenant: { slug: 'acme' } });
  const { iat = 0, exp } = decodeJwt(token);
  expect(exp).toBe(iat + 60);
});

test('accepts a short secret in development, as the settings do', async () => {
  const auth = { ...AUTH, secret: 'x' };
  const token = await createTokenIssuer(auth, false).issue({
    subject: 'ann',
    role: Role.VIEWER,
    tenantId: acmeId,
    lifetimeSeconds: 60,
  });
  expect((await createTokenVerifier(auth, false, tenants.directory()).verify(token)).name).toBe('ann');
});

test('makes a sample token for each role of a tenant', async () => {
  const samples = await createTokenIssuer(AUTH, false).sampleTokens({ id: acmeId, slug: 'acme' });
  const verifier = createTokenVerifier(AUTH, false, tenants.directory());
  const callers = await Promise.all(samples.map(({ token }) => verifier.verify(token)));
  expect(samples.map(({ role }) => role)).toStrictEqual(ROLES);
  expect(callers.map(({ role }) => role)).toStrictEqual(ROLES);
  expect(callers.map(({ tenant }) => tenant?.slug ?? null)).toStrictEqual(['acme', 'acme', 'acme', null]);
});

test('issues nothing where an identity provider does', () => {
  const auth = { ...AUTH, secret: undefined, jwksUrl: 'https://id.example/keys' };
  expect(() => createTokenIssuer(auth, false)).toThrow(
    expect.objectContaining({ remedy: expect.stringContaining('identity provider') }),
  );
});
