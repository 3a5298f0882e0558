import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTokenVerifier } from '../../src/auth/token-verifier.ts';
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

describe('a token that does not name its key', () => {
  const unnamed = (key: SigningKey, claims: JWTPayload = {}, jti = Math.random()) => {
    const payload = {
      sub: 'ann',
      tenant: 'acme',
      role: 'ADMIN',
      iss: ISSUER,
      aud: AUDIENCE,
      jti: String(jti),
      ...claims,
    };
    const token = new SignJWT(payload).setProtectedHeader({ alg: key.alg });
    return (claims.exp === undefined ? token.setExpirationTime('3h') : token).sign(key.privateKey);
  };
  const pair = (alg: string) => Promise.all([createKey(alg, 'one'), createKey(alg, 'two')]);

  test.each(['RS256', 'ES256', 'EdDSA'])('is tried with each that suits: %s', async (alg) => {
    const [one, two] = await pair(alg);
    // One that is too short for its algorithm, which jose refuses to verify with, must not end the
    // search.
    const weak = { kty: 'RSA', n: Buffer.alloc(128, 255).toString('base64url'), e: 'AQAB', alg: 'RS256', use: 'sig' };
    provider.keys = [weak, ...keys.map(({ jwk }) => jwk), one.jwk, two.jwk];
    const verifier = createVerifier();
    for (const key of [one, two, two, one]) expect((await verifier.verify(await unnamed(key))).subject).toBe('ann');
    expect(provider.requests).toBe(1);
  });

  test('is refused when none fits, and when the key fits and the claims do not', async () => {
    const [one, two] = await pair('ES256');
    const stranger = await createKey('ES256', 'one');
    provider.keys = [one.jwk, two.jwk];
    const verifier = createVerifier();
    const past = Math.floor(Date.now() / 1000) - 60;
    for (const token of [
      await unnamed(stranger),
      await unnamed(two, { exp: past }),
      await unnamed(two, { aud: 'other' }),
      await unnamed(two, { iss: 'https://evil.example' }),
    ])
      await expect(verifier.verify(token)).rejects.toMatchObject(refused);
    expect(provider.requests).toBe(1);
  });

  test('finds a key that was added since, and is refused with one that was taken away, asking once in a while', async () => {
    const [one, two] = await pair('RS256');
    const [three, four] = await pair('RS256');
    provider.keys = [one.jwk];
    const verifier = createVerifier();
    await verifier.verify(await unnamed(one));
    for (const next of [two, three, four]) {
      provider.keys = [...provider.keys.slice(-1), next.jwk];
      await expect(verifier.verify(await unnamed(next))).rejects.toMatchObject(refused);
      moveClocks(31_000);
      expect((await verifier.verify(await unnamed(next))).subject).toBe('ann');
    }
    expect(provider.requests).toBe(4);
    for (let n = 0; n < 3; n++) await expect(verifier.verify(await unnamed(one))).rejects.toMatchObject(refused);
    expect(provider.requests).toBe(4);
  });

  test('cannot be judged while the keys that it may be signed with cannot be read', async () => {
    const [one, two] = await pair('RS256');
    provider.keys = [one.jwk, two.jwk];
    const verifier = createVerifier();
    await verifier.verify(await unnamed(one));
    provider.status = 503;
    moveClocks(31_000);
    expect((await verifier.verify(await unnamed(two))).subject).toBe('ann');
    await expect(verifier.verify(await unnamed(await createKey('RS256', 'x')))).rejects.toMatchObject(unavailable);
  });

  test('is tried with ten keys at most, first with those that fitted before', async () => {
    const [first, ...others] = await Promise.all(Array.from({ length: 11 }, (_, n) => createKey('ES256', `${n}`)));
    const last = others.at(-1) as SigningKey;
    provider.keys = [first as SigningKey, ...others].map(({ jwk }) => jwk);
    const verify = vi.spyOn(crypto.subtle, 'verify');
    try {
      const verifier = createVerifier();
      await expect(verifier.verify(await unnamed(last))).rejects.toMatchObject(refused);
      expect(verify.mock.calls.length).toBe(10);
      const ninth = others[8] as SigningKey;
      await verifier.verify(await unnamed(ninth));
      verify.mockClear();
      await verifier.verify(await unnamed(ninth));
      expect(verify.mock.calls.length).toBe(1);
    } finally {
      verify.mockRestore();
    }
  });
});
