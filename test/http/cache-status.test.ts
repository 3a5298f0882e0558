import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { startService, type TestService } from '../support/service.ts';

const HIT = /^tenantry; hit; ttl=\d+; detail="memory, \d+ s"$/;
const INVALIDATE = 'mutation { invalidateCache(input: { namespaces: [ACCOUNTS] }) { namespaces } }';

let service: TestService;
let tokens: Record<Role, string>;
beforeAll(async () => {
  service = await startService({ env: { CACHE_TTL_OTHER_SECONDS: '1' } });
  const tenant = await insertTenant(service.databaseUrl, { slug: 'north' });
  await insertAccounts(service.databaseUrl, tenant, [{ accountNumber: '0001' }]);
  await service.untilCaughtUp();
  const roles = Object.values(Role).map(async (role) => [
    role,
    await service.token(role, role === Role.OPERATOR ? undefined : 'north'),
  ]);
  tokens = Object.fromEntries(await Promise.all(roles));
});
afterAll(() => service.close());

describe('Cache-Status', () => {
  it('says of a miss that there was no entry, and of a hit where it was found and how old it is', async () => {
    const query = '{ accounts(first: 11) { nodes { id } } }';
    expect(await status(Role.VIEWER, query)).toBe('tenantry; fwd=miss; stored; detail=absent');
    expect(await status(Role.VIEWER, query)).toMatch(HIT);
  });

  it('names what was changed since an entry was made', async () => {
    const query = '{ accounts(first: 12) { nodes { id } } }';
    await status(Role.VIEWER, query);
    await status(Role.ADMIN, INVALIDATE);
    expect(await status(Role.VIEWER, query)).toBe('tenantry; fwd=miss; stored; detail="old: accounts"');
  });

  it('says that the time of an entry is over', async () => {
    const query = '{ tenant { slug } }';
    await status(Role.VIEWER, query);
    let seen = await status(Role.VIEWER, query);
    for (; HIT.test(seen); seen = await status(Role.VIEWER, query)) await wait(20);
    expect(seen).toBe('tenantry; fwd=miss; stored; detail=expired');
  });

  it('says that an answer is not kept', async () => {
    const query = '{ accounts(first: 0) { nodes { id } } }';
    for (const _ of [1, 2]) expect(await status(Role.VIEWER, query)).toBe('tenantry; fwd=miss; detail=absent');
  });

  it.each([
    ['a mutation', Role.ADMIN, INVALIDATE, 'mutation'],
    ['a refresh', Role.ANALYST, '{ dashboard(refresh: true) { generatedAt } }', 'refresh'],
    ['an answer of the moment', Role.ANALYST, '{ rateLimit { remaining } }', 'momentary'],
    ['a question about the schema', Role.VIEWER, '{ __schema { queryType { name } } }', 'unreadable'],
    ['what is no GraphQL', Role.VIEWER, '{', 'unreadable'],
    ['a caller without a tenant', Role.OPERATOR, '{ __typename }', 'no-tenant'],
  ])('says why %s is not looked up', async (_, role, query, reason) => {
    expect(await status(role, query)).toBe(`tenantry; fwd=bypass; detail=${reason}`);
  });
});

describe('Cache-Status of what is refused ahead of GraphQL', () => {
  const tooMany = Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`x-${n}`, 'y']));

  it.each<[number, string, RequestInit]>([
    [401, '', { method: 'POST', body: '{}', headers: { authorization: 'Basic YTpi' } }],
    [405, '', { method: 'PUT' }],
    [405, '?query=%7Btenant%7Bslug%7D%7D', { method: 'DELETE' }],
    [413, '', { method: 'POST', body: ' '.repeat(1024 * 1024 + 1) }],
    [431, '', { method: 'POST', body: '{}', headers: tooMany }],
  ])('says of %i%s that nothing was looked up', async (status, search, init) => {
    const authorization = status === 413 ? { authorization: `Bearer ${tokens.VIEWER}` } : undefined;
    const answer = await fetch(`${service.url}/graphql${search}`, { headers: { ...authorization }, ...init });
    await answer.text();
    expect([answer.status, answer.headers.get('cache-status')]).toEqual([
      status,
      'tenantry; fwd=bypass; detail=unreadable',
    ]);
  });

  it('is not told of other addresses', async () => {
    const answer = await fetch(`${service.url}/graphqls`);
    await answer.text();
    expect([answer.status, answer.headers.get('cache-status')]).toEqual([404, null]);
  });
});

describe('extensions.cache', () => {
  it('tells those who ask and may what the cache had to do with the answer', async () => {
    const query = '{ accounts(first: 21) { nodes { id } } }';
    const key = expect.stringMatching(/^tenant:\{[\w-]+\}:response:\w+$/);
    const kept = { namespace: 'accounts', versions: { epoch: expect.any(String), accounts: expect.any(Number) }, key };
    const times = { ageMs: expect.any(Number), ttlMs: expect.any(Number) };
    const miss = await reported(Role.ANALYST, query);
    expect(miss).toMatchObject({ outcome: 'miss', reason: 'absent', isKept: true, isJoined: false, ...kept, ...times });
    expect(await reported(Role.ADMIN, query)).toMatchObject({ outcome: 'hit', tier: 'memory', ...kept, ...times });
    await status(Role.ADMIN, INVALIDATE);
    expect(await reported(Role.ADMIN, query)).toMatchObject({ reason: 'old', changed: ['accounts'] });
    expect(await reported(Role.OPERATOR, '{ __typename }')).toEqual({ outcome: 'bypass', reason: 'no-tenant' });
  });

  it('stands beside data and errors, and is told of answers that are not kept', async () => {
    const { errors, extensions } = JSON.parse(
      await (await ask(Role.ADMIN, '{ accounts(first: 0) { nodes { id } } }', true)).text(),
    );
    expect(errors[0].extensions.code).toBe('BAD_USER_INPUT');
    expect(extensions.cache).toMatchObject({ outcome: 'miss', isKept: false });
  });

  it('is not told to a VIEWER, nor to who does not ask', async () => {
    const query = '{ accounts(first: 22) { nodes { id } } }';
    for (const [role, isAsked] of [
      [Role.VIEWER, true],
      [Role.ADMIN, false],
    ] as const)
      expect(Object.keys(JSON.parse(await (await ask(role, query, isAsked)).text()))).toEqual(['data']);
  });

  it('is in no entry: others get the bytes that the miss would have had, and their own headers', async () => {
    const query = '{ accounts(first: 23) { nodes { id } } }';
    const asked = await ask(Role.ADMIN, query, true);
    const hit = await ask(Role.VIEWER, query);
    await status(Role.ADMIN, INVALIDATE);
    const miss = await ask(Role.VIEWER, query);
    const [askedText, hitText, missText] = [await asked.text(), await hit.text(), await miss.text()];
    expect(hit.headers.get('cache-status')).toMatch(HIT);
    expect(hitText).toBe(missText);
    expect(askedText).toContain(missText.slice(0, -2));
    expect(asked.headers.get('cache-control')).toBe('private, no-store');
    expect(asked.headers.get('etag')).toBeNull();
    for (const name of ['cache-control', 'etag', 'content-type', 'vary'])
      expect(hit.headers.get(name)).toBe(miss.headers.get(name));
  });
});

/**
 * Asks again what met a moment without trust, as on a machine that stands still: it says nothing
 * here.
 */
async function ask(role: Role, query: string, isReportAsked = false): Promise<Response> {
  const response = await askOnce(role, query, isReportAsked);
  if (!response.headers.get('cache-status')?.endsWith('detail=untrusted')) return response;
  await response.text();
  await wait(5);
  return ask(role, query, isReportAsked);
}

function askOnce(role: Role, query: string, isReportAsked: boolean): Promise<Response> {
  return fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${tokens[role]}`,
      ...(isReportAsked && { 'x-cache-debug': '1' }),
    },
    body: JSON.stringify({ query }),
  });
}

async function status(role: Role, query: string): Promise<string> {
  const response = await ask(role, query);
  await response.text();
  return response.headers.get('cache-status') ?? '';
}

async function reported(role: Role, query: string): Promise<unknown> {
  return JSON.parse(await (await ask(role, query, true)).text()).extensions?.cache;
}
