import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { withItsId } from '../support/request-ids.ts';
import { startService, type TestService } from '../support/service.ts';

const HOT = '{ tenant { slug } }';
const PAGE = 'https://app.example.com';

/** How a client may ask. */
interface Way {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
}

/** What is asked for, and by whom; `more` are parts of the request beside the query. */
interface Refused {
  readonly status: number;
  /** Absent: nobody. */
  readonly caller?: { readonly role: Role; readonly slug: string };
  readonly authorization?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly more?: object;
}

const rich = (role = Role.VIEWER) => ({ role, slug: 'rich' });

/** Every way to be refused that says nothing of what is asked for. */
const REFUSALS: Readonly<Record<string, Refused>> = {
  'a caller whose points are spent': { status: 429, caller: { role: Role.VIEWER, slug: 'spent-caller' } },
  'an analyst whose points are spent': { status: 429, caller: { role: Role.ANALYST, slug: 'spent-caller' } },
  'a tenant whose points are spent': { status: 429, caller: { role: Role.VIEWER, slug: 'spent-tenant' } },
  'an analyst of a tenant whose points are spent': {
    status: 429,
    caller: { role: Role.ANALYST, slug: 'spent-tenant' },
  },
  'no token': { status: 401 },
  'no bearer token': { status: 401, authorization: 'Basic YTpi' },
  'a forged token': { status: 401, authorization: 'Bearer e30.e30.e30' },
  'a media type that is not answered': { status: 406, caller: rich(), headers: { accept: 'text/html' } },
  'a body that is no JSON': { status: 415, caller: rich(), method: 'POST', headers: { 'content-type': 'text/plain' } },
  'a body that is too large': { status: 413, caller: rich(), method: 'POST', more: { padding: 'x'.repeat(1_100_000) } },
  'a method that is not allowed': { status: 405, caller: rich(), method: 'PUT' },
  'variables that are no object': { status: 400, caller: rich(Role.ANALYST), more: { variables: 5 } },
  'an operation that is not there': { status: 400, caller: rich(Role.ANALYST), more: { operationName: 'Other' } },
  'the hash of another text': {
    status: 400,
    caller: rich(),
    more: { extensions: { persistedQuery: { version: 1, sha256Hash: createHash('sha256').digest('hex') } } },
  },
};

const ways: fc.Arbitrary<Way> = fc.record({
  method: fc.constantFrom('GET', 'POST'),
  headers: fc.record(
    {
      accept: fc.constantFrom('*/*', 'application/json', 'application/graphql-response+json'),
      'accept-encoding': fc.constantFrom('gzip', 'identity'),
      origin: fc.constant(PAGE),
      'if-none-match': fc.constant('*'),
      'x-cache-debug': fc.constant('1'),
      'x-request-id': fc.constant('mine'),
    },
    { requiredKeys: [] },
  ),
});

const agent = new Agent({ keepAlive: true });
let database: TestDatabase;
let service: TestService;
/** Of the same database, with budgets that end. */
let poor: TestService;
let asked = 0;
beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService({ database, env: { CORS_ORIGINS: PAGE } });
  const slugs = ['spent-caller', 'spent-tenant', 'rich'];
  for (const slug of slugs) await insertTenant(service.databaseUrl, { slug });
  poor = await startService({ database, env: { LIMIT_POINTS_PER_MINUTE: '1000', CORS_ORIGINS: PAGE } });
  await withClient(service.databaseUrl, (client) =>
    client.query("UPDATE tenants SET points_per_minute = 700 WHERE slug = 'spent-tenant'"),
  );
  for (const each of [service, poor]) {
    await each.untilCaughtUp();
    for (const slug of slugs) await untilHot(each, await each.token(Role.ADMIN, slug));
  }
});
afterAll(async () => {
  agent.destroy();
  await poor?.close();
  await service?.close();
  await database?.drop();
});

/** Until the answer lies ready for every caller of the tenant. */
async function untilHot({ url }: TestService, token: string): Promise<void> {
  const own = { method: 'POST', headers: { authorization: `Bearer ${token}` } };
  for (let status = ''; !status.startsWith('tenantry; hit'); )
    status = String((await send(url, HOT, own)).headers['cache-status']);
}

/** Asks for what lies ready until that is refused, too. */
async function untilSpent(authorization: string): Promise<void> {
  while ((await send(poor.url, HOT, { method: 'POST', headers: { authorization } })).status !== 429);
}

async function send(
  url: string,
  query: string,
  { method, headers }: { method: string; headers: object },
  more: object = {},
) {
  const parts = { query, ...more };
  const search = new URLSearchParams(
    Object.entries(parts).map(([name, part]) => [name, typeof part === 'string' ? part : JSON.stringify(part)]),
  );
  const body = method === 'GET' ? undefined : JSON.stringify(parts);
  const sent = httpRequest(`${url}/graphql${body === undefined ? `?${search}` : ''}`, {
    method,
    agent,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...headers,
    },
  });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

/** An answer without its moment: all that a client is told. */
function told({ status, headers, body }: Awaited<ReturnType<typeof send>>) {
  const { date: _, 'content-length': _length, 'retry-after': seconds, 'server-timing': timing, ...rest } = headers;
  const { 'x-request-id': requestId, ...lasting } = rest;
  return {
    status,
    headers: {
      ...lasting,
      hasRetryAfter: seconds !== undefined,
      timing: timing?.toString().replace(/dur=[\d.]+/g, ''),
    },
    // How much came is the client's own doing, as the key is.
    body: withItsId(body, String(requestId))
      .replace(/in \d+ s\b/, '')
      .replace(/"key":"[^"]*"/, '"key"')
      .replace(/it has [\d,]+ bytes/, ''),
  };
}

describe('what is refused is refused alike, whether its answer lies ready or would have to be computed', () => {
  test.each(Object.entries(REFUSALS))('%s', async (_name, { status, caller, authorization, method, headers, more }) => {
    const bearer = caller ? `Bearer ${await service.token(caller.role, caller.slug)}` : authorization;
    const isSpent = status === 429;
    const { url } = isSpent ? poor : service;
    await fc.assert(
      fc.asyncProperty(ways, async (way) => {
        if (isSpent) await untilSpent(bearer as string);
        const own = {
          method: method ?? way.method,
          headers: { ...way.headers, ...headers, ...(bearer !== undefined && { authorization: bearer }) },
        };
        const hot = await send(url, HOT, own, more);
        if (isSpent) expect(hot.body).toMatch(/are spent: 0 of (700|1000) are left.*"remaining":0,"limit":(700|1000)/);
        const cold = await send(url, `{ cold${++asked}: tenant { slug } }`, own, more);
        expect(hot.status).toBe(status);
        expect(told(hot)).toEqual(told(cold));
      }),
      { numRuns: 25, seed: 20261130, endOnFailure: true },
    );
  });
});
