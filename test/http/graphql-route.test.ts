import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { cacheOutcome } from '../support/cache-outcome.ts';
import { startService, type TestService, withoutRequestIds } from '../support/service.ts';
import { insertTwins, TWINS, type Twin } from '../support/twin-tenants.ts';

const TENANT = '{ tenant { id slug } }';
/** Long enough to be worth compressing. */
const LONG = '{ accounts(first: 30) { nodes { id bankName accountNumber } } }';
const MUTATION = 'mutation { invalidateCache(input: {}) { namespaces } }';
const JSON_TYPE = { 'content-type': 'application/json' };

let service: TestService;
let token: string;
beforeAll(async () => {
  service = await startService();
  await insertTwins(service.databaseUrl);
  await service.untilCaughtUp();
  token = await service.token(Role.ADMIN, (TWINS[0] as Twin).slug);
});
afterAll(() => service.close());
/** Nothing is kept from one test to the next. */
beforeEach(async () => void (await service.send(token, MUTATION)));

interface Sent {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Sends one HTTP request with a token; a body that is no text is sent as JSON. */
async function send(method: string, { path = '', headers = {}, body }: Sent = {}) {
  const response = await fetch(`${service.url}/graphql${path}`, {
    method,
    headers: { accept: 'application/json', authorization: `Bearer ${token}`, ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const header = (name: string) => response.headers.get(name);
  const json = text.startsWith('{') ? withoutRequestIds(JSON.parse(text), String(header('x-request-id'))) : undefined;
  // biome-ignore lint/suspicious/noExplicitAny: answers of untyped operations
  return { status: response.status, header, text, json: json as any };
}

const post = (body: unknown, headers: Readonly<Record<string, string>> = JSON_TYPE) => send('POST', { body, headers });

function get(parameters: Readonly<Record<string, unknown>>, headers: Readonly<Record<string, string>> = {}) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    search.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  return send('GET', { path: `?${search}`, headers });
}

describe('requests that are no GraphQL over HTTP', () => {
  test.each([
    ['no body', () => send('POST')],
    ['an empty body', () => post('')],
    ['JSON that breaks off', () => post('{"query":')],
    ['an array of requests', () => post([{ query: TENANT }])],
    ['a JSON string', () => post('"x"')],
    ['null', () => post('null')],
    ['no query', () => post({ variables: {} })],
    ['a query that is a number', () => post({ query: 5 })],
    ['variables that are an array', () => post({ query: TENANT, variables: [1] })],
    ['variables that are text', () => post({ query: TENANT, variables: '{}' })],
    ['an operationName that is a number', () => post({ query: TENANT, operationName: 5 })],
    ['GET without a query', () => send('GET')],
    ['GET with variables that are no JSON', () => get({ query: TENANT, variables: '{x' })],
    ['GET with variables that are an array', () => get({ query: TENANT, variables: [1] })],
    ['GET with extensions that are no JSON', () => get({ query: TENANT, extensions: 'x' })],
    ['GET with two queries', () => send('GET', { path: '?query=%7Ba%7D&query=%7Bb%7D' })],
  ])('%s: status 400, BAD_REQUEST, also when the answer to the query is kept', async (_what, sendIt) => {
    await post({ query: TENANT });
    const { status, json } = await sendIt();
    expect(status).toBe(400);
    expect(json).toEqual({ errors: [{ message: expect.any(String), extensions: { code: 'BAD_REQUEST' } }] });
  });

  test.each([
    ['JSON as text/plain', () => post({ query: TENANT }, { 'content-type': 'text/plain' })],
    ['a form', () => post('query=%7Btenant%7Bid%7D%7D', { 'content-type': 'application/x-www-form-urlencoded' })],
  ])('%s: status 415, and the type that came is named', async (_what, sendIt) => {
    const { status, json } = await sendIt();
    expect(status).toBe(415);
    const message = expect.stringMatching(/^content-type must be application\/json.*, but got: ".*"\.$/);
    expect(json).toEqual({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] });
  });

  test('an unknown operationName is named', async () => {
    const { status, json } = await post({ query: `query A ${TENANT}`, operationName: 'B' });
    expect(status).toBe(400);
    expect(json.errors).toMatchObject([
      { message: 'Unknown operation named "B".', extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } },
    ]);
  });

  test('a body beyond a mebibyte is refused with status 413', async () => {
    const { status, json } = await post({ query: TENANT, variables: { x: 'x'.repeat(1024 * 1024) } });
    expect(status).toBe(413);
    expect(json.errors).toMatchObject([{ extensions: { code: 'BAD_REQUEST' } }]);
  });

  test('a mutation by GET is refused with status 405 and does nothing', async () => {
    await post({ query: LONG });
    const { status, header, json } = await get({ query: MUTATION });
    expect([status, header('allow')]).toEqual([405, 'POST']);
    expect(json.errors).toMatchObject([{ extensions: { code: 'BAD_REQUEST' } }]);
    expect(cacheOutcome((await post({ query: LONG })).header('cache-status'))).toBe('tenantry; hit');
  });

  test('variables nested without end are refused where they are used, and ignored where they are not', async () => {
    const nested = (levels: number) => `{"v":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    const deep = nested(19_000);
    const used = await post(`{"query":"query($v:Int){accounts(first:$v){nodes{id}}}","variables":${deep}}`);
    expect([used.status, used.json.errors[0].extensions.code]).toEqual([400, 'BAD_USER_INPUT']);
    const unused = await post(`{"query":"{tenant{slug}}","variables":${deep}}`);
    expect(unused.json).toEqual({ data: { tenant: { slug: 'praha' } } });
    const deeper = await post(`{"query":"{tenant{slug}}","variables":${nested(100_000)}}`);
    expect([deeper.status, deeper.json.errors[0].extensions.code]).toEqual([400, 'BAD_REQUEST']);
  });

  test('a client that takes no JSON is told so each time, and its answer is not kept', async () => {
    const sent = () => post({ query: TENANT }, { ...JSON_TYPE, accept: 'text/html' });
    for (const _ of [1, 2]) {
      const { status, json, header } = await sent();
      expect([status, json.errors[0].extensions.code]).toEqual([406, 'BAD_REQUEST']);
      expect(cacheOutcome(header('cache-status'))).toBe('tenantry; fwd=bypass');
    }
  });

  test('what a client that takes no JSON asks for is not done', async () => {
    await post({ query: LONG });
    expect((await post({ query: MUTATION }, { ...JSON_TYPE, accept: 'text/html' })).status).toBe(406);
    expect(cacheOutcome((await post({ query: LONG })).header('cache-status'))).toBe('tenantry; hit');
  });
});

describe('persisted queries', () => {
  const persisted = (query: string) => ({
    persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(query).digest('hex') },
  });

  test('are asked for by hash, registered once, and answered by hash, by POST and GET alike', async () => {
    const query = '{ tenant { name timeZone } }';
    const extensions = persisted(query);
    for (const unknown of [await post({ extensions }), await get({ extensions })]) {
      expect(unknown.json.errors).toMatchObject([
        { message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } },
      ]);
      expect(unknown.status).toBe(200);
    }
    const registered = await post({ query, extensions });
    expect(registered.json).toEqual({ data: { tenant: { name: 'praha', timeZone: 'Europe/Prague' } } });
    for (const answer of [await post({ extensions }), await get({ extensions })])
      expect([answer.text, cacheOutcome(answer.header('cache-status'))]).toEqual([registered.text, 'tenantry; hit']);
    await post({ query: MUTATION });
    const recomputed = await get({ extensions });
    expect([recomputed.text, cacheOutcome(recomputed.header('cache-status'))]).toEqual([
      registered.text,
      'tenantry; fwd=miss',
    ]);
  });

  test('share one kept answer with the same query sent in full', async () => {
    const extensions = persisted(TENANT);
    const first = await post({ query: TENANT, extensions });
    expect(cacheOutcome(first.header('cache-status'))).toBe('tenantry; fwd=miss');
    for (const answer of [
      await post({ query: TENANT }),
      await post({ query: TENANT, variables: {}, operationName: null, extensions: {} }),
      await post({ query: TENANT, variables: null }),
      await get({ query: TENANT }),
      await get({ query: TENANT, variables: {} }),
      await get({ extensions }),
      await post({ extensions }),
    ])
      expect([answer.text, cacheOutcome(answer.header('cache-status'))]).toEqual([first.text, 'tenantry; hit']);
  });

  test('of another media type, variables or operation do not share it', async () => {
    await post({ query: TENANT });
    const other = 'application/graphql-response+json';
    const answer = await post({ query: TENANT }, { ...JSON_TYPE, accept: other });
    expect(cacheOutcome(answer.header('cache-status'))).toBe('tenantry; fwd=miss');
    expect(answer.header('content-type')).toBe(`${other}; charset=utf-8`);
    const third = await post({ query: TENANT, variables: { x: 1 } });
    expect(cacheOutcome(third.header('cache-status'))).toBe('tenantry; fwd=miss');
  });

  test('a hash of another text is refused, and registers nothing', async () => {
    const extensions = persisted('{ tenant { createdAt } }');
    const { status, json } = await post({ query: TENANT, extensions });
    expect(status).toBe(400);
    expect(json.errors).toEqual([
      { message: 'provided sha does not match query', extensions: { code: 'BAD_REQUEST' } },
    ]);
    expect((await post({ extensions })).json.errors).toMatchObject([{ message: 'PersistedQueryNotFound' }]);
  });
});

describe('headers of an answer', () => {
  test('say that it belongs to the caller and must be asked for again', async () => {
    for (const answer of [
      await post({ query: TENANT }),
      await get({ query: TENANT }),
      await post({ query: '{ x }' }),
    ]) {
      expect(answer.header('cache-control')).toBe('private, no-cache');
      expect(answer.header('vary')).toBe('accept, accept-encoding, authorization, origin');
      expect(answer.header('server-timing')).toMatch(/total;dur=/);
    }
  });

  test('let a GET be answered with 304 for as long as nothing has changed', async () => {
    const etag = (await get({ query: TENANT })).header('etag') ?? '';
    expect(etag).toMatch(/^".+"$/);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await get({ query: TENANT }, { 'if-none-match': known });
      expect([answer.status, answer.text, answer.header('etag')]).toEqual([304, '', etag]);
    }
    expect((await get({ query: TENANT }, { 'if-none-match': '"other"' })).status).toBe(200);
    expect(
      (await send('POST', { body: { query: TENANT }, headers: { ...JSON_TYPE, 'if-none-match': etag } })).status,
    ).toBe(200);
  });

  test('after a write the same GET is answered in full, with another etag', async () => {
    const query = '{ accounts(first: 1) { totalCount } }';
    const before = await get({ query });
    const input = { bankName: 'New Bank', accountNumber: '1', accountType: 'CHECKING', currency: 'EUR' };
    await post({
      query: 'mutation ($input: CreateAccountInput!) { createAccount(input: $input) { account { id } } }',
      variables: { input },
    });
    const after = await get({ query }, { 'if-none-match': before.header('etag') ?? '' });
    expect(after.status).toBe(200);
    expect(after.json.data.accounts.totalCount).toBe(before.json.data.accounts.totalCount + 1);
    expect(after.header('etag')).not.toBe(before.header('etag'));
  });

  test('a client that does not send the token is not told that it has the answer already', async () => {
    const etag = (await get({ query: TENANT })).header('etag') ?? '';
    const response = await fetch(`${service.url}/graphql?query=${encodeURIComponent(TENANT)}`, {
      headers: { accept: 'application/json', 'if-none-match': etag },
    });
    expect(response.status).toBe(401);
  });
});

describe('compression', () => {
  /** As it comes over the wire: fetch would take the compression off. */
  function raw(query: string, encoding: string) {
    return new Promise<{ encoding: string | undefined; etag: string | undefined; bytes: number }>((resolve, reject) => {
      const headers = {
        ...JSON_TYPE,
        accept: 'application/json',
        'accept-encoding': encoding,
        authorization: `Bearer ${token}`,
      };
      httpRequest(`${service.url}/graphql`, { method: 'POST', headers }, (response) => {
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        });
        const { 'content-encoding': contentEncoding, etag } = response.headers;
        response.on('end', () => resolve({ encoding: contentEncoding, etag, bytes }));
      })
        .on('error', reject)
        .end(JSON.stringify({ query }));
    });
  }

  test('is for long answers and for those who take it, from the cache or not', async () => {
    for (const _ of ['miss', 'hit']) {
      const [plain, gzipped] = [await raw(LONG, 'identity'), await raw(LONG, 'br;q=1, gzip')];
      expect([plain.encoding, gzipped.encoding]).toEqual([undefined, 'gzip']);
      expect(gzipped.bytes).toBeLessThan(plain.bytes);
      expect(gzipped.etag).toBe(plain.etag?.replace(/"$/, '-gzip"'));
      expect((await raw(LONG, 'gzip;q=0')).encoding).toBeUndefined();
      expect((await raw(TENANT, 'gzip')).encoding).toBeUndefined();
    }
  });

  test('changes nothing of the answer', async () => {
    const plain = await post({ query: LONG }, { ...JSON_TYPE, 'accept-encoding': 'identity' });
    const gzipped = await post({ query: LONG }, { ...JSON_TYPE, 'accept-encoding': 'gzip' });
    expect(gzipped.header('content-encoding')).toBe('gzip');
    expect(gzipped.text).toBe(plain.text);
  });

  test('a client that knows the compressed answer gets 304', async () => {
    const first = await get({ query: LONG }, { 'accept-encoding': 'gzip' });
    const again = await get(
      { query: LONG },
      { 'accept-encoding': 'gzip', 'if-none-match': first.header('etag') ?? '' },
    );
    expect([first.status, again.status]).toEqual([200, 304]);
  });
});
