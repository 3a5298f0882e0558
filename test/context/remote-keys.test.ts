import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTokenVerifier } from '../../src/context/token-verifier.ts';
import { unauthenticated } from '../../src/errors.ts';
import { moveClocks, restoreClocks } from './clocks.ts';
import { createTenants, type TenantsFixture } from './tenants-fixture.ts';

interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

const ISSUER = 'https://id.example';
const AUDIENCE = 'tenantry';

/** What the identity provider answers, and how often it was asked. */
const provider = { keys: [] as JWK[], status: 200, requests: 0 };
let server: Server;
let tenants: TenantsFixture;
let keys: SigningKey[];

beforeAll(async () => {
  tenants = await createTenants();
  await tenants.addTenant('acme');
  keys = await Promise.all(['RS256', 'ES256', 'EdDSA'].map((alg) => createKey(alg, `${alg}-1`)));
});
afterAll(() => tenants.close());

beforeEach(async () => {
  Object.assign(provider, { keys: keys.map(({ jwk }) => jwk), status: 200, requests: 0 });
  server = createServer((_request, response) => {
    provider.requests++;
    response.writeHead(provider.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys: provider.keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  restoreClocks();
  await new Promise((resolve) => server.close(resolve));
});

function createVerifier(warnings: string[] = []) {
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  const auth = { secret: undefined, jwksUrl, issuer: ISSUER, audience: AUDIENCE };
  const log = { debug() {}, warn: (line: string) => warnings.push(line) };
  return createTokenVerifier(auth, true, tenants.directory(), log);
}

async function createKey(alg: string, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  return { alg, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

function sign({ alg, kid, privateKey }: SigningKey, claims: JWTPayload = {}): Promise<string> {
  const payload = { sub: 'ann', tenant: 'acme', role: 'ADMIN', iss: ISSUER, aud: AUDIENCE, ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg, kid }).setExpirationTime('3h').sign(privateKey);
}

const rsaKey = () => keys[0] as SigningKey;

const refused = { extensions: { code: 'UNAUTHENTICATED' } };
const unavailable = { extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503 } } };

test('verifies RSA, elliptic curve and Edwards curve signatures with keys that it reads once', async () => {
  const verifier = createVerifier();
  for (const key of keys) expect((await verifier.verify(await sign(key))).subject).toBe('ann');
  expect(provider.requests).toBe(1);
});

test('refuses other issuers, other audiences and other keys of the same name', async () => {
  const verifier = createVerifier();
  const forger = await createKey('RS256', 'RS256-1');
  await expect(verifier.verify(await sign(forger))).rejects.toMatchObject(refused);
  await expect(verifier.verify(await sign(rsaKey(), { iss: 'https://evil.example' }))).rejects.toMatchObject(refused);
  await expect(verifier.verify(await sign(rsaKey(), { aud: 'other' }))).rejects.toMatchObject(refused);
});

test('refuses a token signed with the public key as if it were a shared secret', async () => {
  const secrets = [JSON.stringify(rsaKey().jwk), rsaKey().jwk.n ?? ''];
  for (const secret of secrets) {
    const token = await new SignJWT({ sub: 'ann', tenant: 'acme', role: 'ADMIN', iss: ISSUER, aud: AUDIENCE })
      .setProtectedHeader({ alg: 'HS256', kid: 'RS256-1' })
      .setExpirationTime('1h')
      .sign(Buffer.from(secret));
    await expect(createVerifier().verify(token)).rejects.toThrow(unauthenticated().message);
  }
  expect(provider.requests).toBe(0);
});

test('learns a new key when a token names it, and does not ask again for every unknown one', async () => {
  const verifier = createVerifier();
  await verifier.verify(await sign(rsaKey()));
  const rotated = await createKey('RS256', 'RS256-2');
  provider.keys.push(rotated.jwk);
  moveClocks(31_000);
  expect((await verifier.verify(await sign(rotated))).subject).toBe('ann');
  expect(provider.requests).toBe(2);
  const unknown = await createKey('RS256', 'RS256-3');
  for (let i = 0; i < 3; i++) await expect(verifier.verify(await sign(unknown))).rejects.toMatchObject(refused);
  expect(provider.requests).toBe(2);
});

test('says that it is unavailable while the keys cannot be read, without asking for each token', async () => {
  provider.status = 500;
  const warnings: string[] = [];
  const verifier = createVerifier(warnings);
  const token = await sign(rsaKey());
  for (let i = 0; i < 5; i++) await expect(verifier.verify(token)).rejects.toMatchObject(unavailable);
  expect(provider.requests).toBe(1);
  expect(warnings).toStrictEqual(['The keys at AUTH_JWKS_URL cannot be read: status 500 instead of 200']);
  provider.status = 200;
  moveClocks(1_000);
  expect((await verifier.verify(token)).subject).toBe('ann');
});

test('is unavailable too when what it reads are no keys, and when nothing listens', async () => {
  const token = await sign(rsaKey());
  provider.keys = 'not keys' as unknown as JWK[];
  await expect(createVerifier().verify(token)).rejects.toMatchObject(unavailable);
  const verifier = createVerifier();
  await new Promise((resolve) => server.close(resolve));
  await expect(verifier.verify(token)).rejects.toMatchObject(unavailable);
  server.listen(0, '127.0.0.1');
});

test('goes on with the keys that it knows for an hour of an outage, and no longer', async () => {
  const warnings: string[] = [];
  const verifier = createVerifier(warnings);
  const fresh = async () => sign(rsaKey(), { jti: String(Math.random()) });
  await verifier.verify(await fresh());
  provider.status = 503;
  moveClocks(11 * 60_000);
  expect((await verifier.verify(await fresh())).subject).toBe('ann');
  await expect.poll(() => warnings).toHaveLength(1);
  moveClocks(50 * 60_000);
  await expect(verifier.verify(await fresh())).rejects.toMatchObject(unavailable);
});
