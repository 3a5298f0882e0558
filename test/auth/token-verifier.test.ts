import { generateKeyPairSync } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { createTokenVerifier } from '../../src/auth/token-verifier.ts';
import type { AuthConfig } from '../../src/config/config.ts';
import { unauthenticated } from '../../src/errors.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { moveClocks, restoreClocks } from './clocks.ts';
import { createTenants, type TenantsFixture } from './tenants-fixture.ts';

const SECRET = 'a secret of this test, longer than 32 bytes';
const AUTH: AuthConfig = { secret: SECRET, jwksUrl: undefined, issuer: undefined, audience: undefined };

let tenants: TenantsFixture;
let acmeId: string;

beforeAll(async () => {
  tenants = await createTenants();
  acmeId = await tenants.addTenant('acme');
});
afterAll(() => tenants.close());
afterEach(() => {
  restoreClocks();
});

const nowSeconds = () => Math.floor(Date.now() / 1000);
const verifier = (auth: Partial<AuthConfig> = {}) =>
  createTokenVerifier({ ...AUTH, ...auth }, false, tenants.directory());

/** A good token of a viewer of acme, but for what is given. */
function sign(claims: JWTPayload = {}, secret = SECRET, alg = 'HS256'): Promise<string> {
  const payload = { sub: 'ann', name: 'Ann', tenant: 'acme', role: 'VIEWER', exp: nowSeconds() + 3600, ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg }).sign(Buffer.from(secret));
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

test('tells who a token belongs to, whether it names the tenant by slug or by id', async () => {
  for (const tenant of ['acme', acmeId, acmeId.toUpperCase()]) {
    const caller = await verifier().verify(await sign({ tenant }));
    expect(caller).toMatchObject({ subject: 'ann', name: 'Ann', role: Role.VIEWER, tenant: { slug: 'acme' } });
    expect(TenantScope.isScope(caller.tenant?.scope)).toBe(true);
    expect(caller.tenant?.scope.tenantId).toBe(acmeId);
  }
});

test('calls a holder without a name by the subject', async () => {
  const caller = await verifier().verify(await sign({ name: undefined }));
  expect(caller.name).toBe('ann');
});

test('takes tokens of the secret before the present one, as long as it is told', async () => {
  const old = await sign({}, 'the secret of last year, longer than 32 bytes');
  await expect(verifier().verify(old)).rejects.toThrow(unauthenticated().message);
  const changed = verifier({ previousSecret: 'the secret of last year, longer than 32 bytes' });
  expect(await changed.verify(old)).toMatchObject({ subject: 'ann' });
  expect(await changed.verify(await sign())).toMatchObject({ subject: 'ann' });
  const expired = await sign({ exp: nowSeconds() - 60 }, 'the secret of last year, longer than 32 bytes');
  const foreign = await sign({}, 'the secret of nobody, longer than 32 bytes');
  for (const token of [expired, foreign])
    await expect(changed.verify(token)).rejects.toThrow(unauthenticated().message);
});

test('gives an operator no tenant, also when the token names one', async () => {
  for (const tenant of [undefined, 'acme', 'nobody']) {
    const caller = await verifier().verify(await sign({ role: 'OPERATOR', tenant }));
    expect(caller).toMatchObject({ role: Role.OPERATOR, tenant: null });
  }
});

test.each<[string, () => Promise<string> | string]>([
  ['is no token', () => 'nonsense'],
  ['is empty', () => ''],
  ['is signed with another secret', () => sign({}, 'some other secret, also longer than 32 bytes')],
  [
    'is not signed',
    () => `${encode({ alg: 'none' })}.${encode({ sub: 'ann', tenant: 'acme', role: 'ADMIN', exp: 4e9 })}.`,
  ],
  ['is signed with another algorithm', () => sign({}, SECRET, 'HS512')],
  [
    'had its role changed',
    async () => {
      const [header, payload, signature] = (await sign()).split('.');
      const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString());
      return `${header}.${encode({ ...claims, role: 'ADMIN' })}.${signature}`;
    },
  ],
  ['has expired', () => sign({ exp: nowSeconds() - 6 })],
  ['is not valid yet', () => sign({ nbf: nowSeconds() + 60 })],
  ['never expires', () => sign({ exp: undefined })],
  ['has no subject', () => sign({ sub: undefined })],
  ['has an empty subject', () => sign({ sub: '' })],
  ['has no role', () => sign({ role: undefined })],
  ['has an unknown role', () => sign({ role: 'ROOT' })],
  ['has a role in another case', () => sign({ role: 'viewer' })],
  ['has no tenant', () => sign({ tenant: undefined })],
  ['names a tenant that does not exist', () => sign({ tenant: 'nobody' })],
  ['names an id that does not exist', () => sign({ tenant: '00000000-0000-7000-8000-000000000000' })],
  ['names a tenant that cannot be one', () => sign({ tenant: "acme' OR true --\u0000" })],
  ['names several tenants', () => sign({ tenant: ['acme'] })],
  ['is longer than 8 kB', () => sign({ padding: 'x'.repeat(8 * 1024) })],
])('refuses a token that %s, in the same words', async (_title, token) => {
  const refused = await verifier()
    .verify(await token())
    .catch((error) => error);
  expect(refused).toStrictEqual(unauthenticated());
  expect(refused.message).toBe(unauthenticated().message);
  expect(refused.extensions).toStrictEqual(unauthenticated().extensions);
});

test('refuses a token signed with a public key taken for the secret', async () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  await expect(verifier().verify(await sign({}, pem))).rejects.toThrow(unauthenticated().message);
});

test('allows the clocks of issuer and service to differ by five seconds', async () => {
  const caller = await verifier().verify(await sign({ exp: nowSeconds() - 2, nbf: nowSeconds() + 3 }));
  expect(caller.subject).toBe('ann');
});

test('demands issuer and audience where they are set', async () => {
  const strict = verifier({ issuer: 'https://id.example', audience: 'tenantry' });
  const good = { iss: 'https://id.example', aud: ['other', 'tenantry'] };
  expect((await strict.verify(await sign(good))).subject).toBe('ann');
  for (const wrong of [{ iss: undefined }, { iss: 'https://evil.example' }, { aud: undefined }, { aud: 'other' }])
    await expect(strict.verify(await sign({ ...good, ...wrong }))).rejects.toThrow(unauthenticated().message);
});

test('tells the log why a token was refused, and never the token', async () => {
  const lines: string[] = [];
  const log = { debug: (line: string) => lines.push(line), warn: (line: string) => lines.push(line) };
  const logged = createTokenVerifier(AUTH, false, tenants.directory(), log);
  const token = await sign({ tenant: 'nobody' });
  await expect(logged.verify(token)).rejects.toThrow();
  await expect(logged.verify(await sign({ exp: 1 }))).rejects.toThrow();
  expect(lines).toHaveLength(2);
  expect(lines[0]).toContain('tenant does not exist');
  expect(lines[1]).toContain('exp');
  expect(lines.join()).not.toContain(token.slice(0, 20));
});

test('remembers a verified token, and peeks at no other', async () => {
  const memory = verifier();
  const [token, unseen] = [await sign(), await sign({ sub: 'bob' })];
  expect(memory.peek(token)).toBeUndefined();
  const caller = await memory.verify(token);
  expect(memory.peek(token)).toBe(caller);
  expect(memory.peek(unseen)).toBeUndefined();
  expect(memory.peek(`${token}x`)).toBeUndefined();
});

test('forgets a remembered token the moment it expires', async () => {
  const memory = verifier();
  const token = await sign({ exp: nowSeconds() + 8 });
  await memory.verify(token);
  moveClocks(7_000);
  expect(memory.peek(token)).toBeDefined();
  moveClocks(7_000);
  expect(memory.peek(token)).toBeUndefined();
  await expect(memory.verify(token)).rejects.toThrow(unauthenticated().message);
});

test('looks for the tenant of a remembered token again beside the requests', async () => {
  const directory = tenants.directory();
  const memory = createTokenVerifier(AUTH, false, directory);
  const find = vi.spyOn(directory, 'find');
  const token = await sign();
  const first = await memory.verify(token);
  moveClocks(11_000);
  expect(memory.peek(token)).toBe(first);
  expect(memory.peek(token)).toBe(first);
  expect(find).toHaveBeenCalledTimes(2);
  await expect.poll(() => memory.peek(token)).not.toBe(first);
  moveClocks(11_000);
  expect(memory.peek(token)).toStrictEqual(first);
});

test('refuses a remembered token soon after its tenant was deleted', async () => {
  await tenants.addTenant('leaving');
  const memory = verifier();
  const token = await sign({ tenant: 'leaving' });
  await memory.verify(token);
  await tenants.removeTenant('leaving');
  moveClocks(15_000);
  expect(memory.peek(token)).toBeUndefined();
  await expect(memory.verify(token)).rejects.toThrow(unauthenticated().message);
  expect(memory.peek(token)).toBeUndefined();
});

test('forgets a remembered token whose tenant is found deleted beside a request', async () => {
  await tenants.addTenant('closing');
  const memory = verifier();
  const token = await sign({ tenant: 'closing' });
  await memory.verify(token);
  await tenants.removeTenant('closing');
  moveClocks(11_000);
  expect(memory.peek(token)).toBeDefined();
  await expect.poll(() => memory.peek(token)).toBeUndefined();
});

test('follows a slug to the tenant that has it now', async () => {
  const oldId = await tenants.addTenant('moving');
  const memory = verifier();
  const token = await sign({ tenant: 'moving' });
  expect((await memory.verify(token)).tenant?.scope.tenantId).toBe(oldId);
  await tenants.removeTenant('moving');
  const newId = await tenants.addTenant('moving');
  moveClocks(15_000);
  expect((await memory.verify(token)).tenant?.scope.tenantId).toBe(newId);
});

test('says that the service is unavailable, and nothing about the token, when the directory does not answer', async () => {
  const own = await createTenants();
  try {
    await own.addTenant('acme');
    const memory = createTokenVerifier(AUTH, false, own.directory());
    await own.disconnect();
    const token = await sign();
    await expect(memory.verify(token)).rejects.toMatchObject({ extensions: { code: 'SERVICE_UNAVAILABLE' } });
    await expect(memory.verify(await sign({ exp: 1 }))).rejects.toMatchObject({
      extensions: { code: 'UNAUTHENTICATED' },
    });
  } finally {
    await own.close();
  }
});

test('refuses to be made in production without a secret or keys', () => {
  const none = { ...AUTH, secret: undefined };
  expect(() => createTokenVerifier(none, true, tenants.directory())).toThrow(/AUTH_SECRET is not set/);
});
