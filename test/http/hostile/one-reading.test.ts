import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../../src/auth/caller.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { ITS_ID, withItsId } from '../../support/request-ids.ts';
import { startService, type TestService } from '../../support/service.ts';
import { insertTwins, TWINS, type Twin } from '../../support/twin-tenants.ts';
import { exchange, headerOf, type RawRequest } from './exchange.ts';
import { ACCEPTS, chosenForms, generatedForms, VICTIM } from './request-forms.ts';

const GENERATED = 150;
/** Forms that are sent between two invalidations. */
const AT_A_TIME = 10;
const VICTIM_UNREGISTERED = '{tenant{timeZone}}';
const JSON_HEADERS = [['content-type', 'application/json']] as const;
const INVALIDATE = {
  headers: JSON_HEADERS,
  body: '{"query":"mutation{invalidateCache(input:{pattern:\\"*\\"}){namespaces}}"}',
};
const post = (body: object): RawRequest => ({ headers: JSON_HEADERS, body: JSON.stringify(body) });
const victim = post({ query: VICTIM });

let database: TestDatabase;
let off: TestService;
let cached: TestService;
let viewer: string;
let admin: string;

beforeAll(async () => {
  database = await createTestDatabase();
  await insertTwins(database.url);
  // The explorer's pages answer browsers, with a nonce of their own each.
  const start = (env: Record<string, string>) => startService({ database, env: { EXPLORER: 'off', ...env } });
  [off, cached] = await Promise.all([start({ CACHE: 'off' }), start({})]);
  await cached.untilCaughtUp();
  const { slug } = TWINS[0] as Twin;
  [viewer, admin] = await Promise.all([cached.token(Role.VIEWER, slug), cached.token(Role.ADMIN, slug)]);
});
afterAll(async () => {
  await Promise.all([off.close(), cached.close()]);
  await database.drop();
});

const ask = (request: RawRequest, token = viewer) => exchange(cached.url, token, request);

async function answerOf(service: TestService, request: RawRequest) {
  const answer = await exchange(service.url, viewer, request);
  return { status: answer.status, body: withItsId(answer.body, headerOf(answer, 'x-request-id')) };
}

/**
 * The requests' answers without a cache, from a cold one, and from one that holds the answer that
 * the victim asks for.
 */
async function expectOneMeaning(requests: readonly RawRequest[], expectedOfVictim: string): Promise<void> {
  const answers = async (service: TestService) => {
    const found = [];
    for (const request of requests) found.push({ request, ...(await answerOf(service, request)) });
    return found;
  };
  const plain = await answers(off);
  await ask(INVALIDATE, admin);
  expect(await answers(cached)).toEqual(plain);
  await ask(INVALIDATE, admin);
  await ask(victim, admin);
  expect(await answers(cached)).toEqual(plain);
  const after = await ask(victim, admin);
  expect([after.body, headerOf(after, 'cache-status')]).toEqual([
    expectedOfVictim,
    expect.stringMatching(/^tenantry; hit/),
  ]);
}

describe('a request means the same without a cache, with a cold one and with a warm one', () => {
  test.each([
    ['chosen', chosenForms(), 300],
    ['generated', generatedForms(GENERATED), GENERATED],
  ])('in all %s forms', async (_kind, forms, atLeast) => {
    expect(forms.length).toBeGreaterThanOrEqual(atLeast);
    const { body } = await exchange(off.url, admin, victim);
    expect(JSON.parse(body)).toEqual({ data: { accounts: { totalCount: expect.any(Number) } } });
    for (let at = 0; at < forms.length; at += AT_A_TIME) {
      const some = forms.slice(at, at + AT_A_TIME);
      await expectOneMeaning(some, body).catch((error) => {
        error.message = `${some.map((form) => JSON.stringify(form)).join('\n')}\n${error.message}`;
        throw error;
      });
    }
  });
});

describe('what is refused, and what is meant', () => {
  const encoded = encodeURIComponent(VICTIM);
  const target = (variables: string) => ({ method: 'GET', target: `/graphql?query=${encoded}&variables=${variables}` });

  test.each([
    [
      'a fragment',
      { method: 'GET', target: `/graphql#query=${encoded}&x=?query=%7Btenant%7Bslug%7D%7D` },
      400,
      'fragment',
    ],
    [
      'a gzipped body',
      { ...victim, headers: [...JSON_HEADERS, ['content-encoding', 'gzip']] as const },
      415,
      'content-encoding',
    ],
    ['a body of another type', { ...victim, headers: [['content-type', 'text/plain']] as const }, 415, 'content-type'],
    [
      'a body in another charset',
      { ...victim, headers: [['content-type', 'application/json; charset=utf-16']] as const },
      415,
      'UTF-8',
    ],
    [
      'a client that takes no JSON',
      { ...victim, headers: [...JSON_HEADERS, ['accept', 'text/html']] as const },
      406,
      'accept',
    ],
    ['two queries', { method: 'GET', target: `/graphql?query=${encoded}&query=${encoded}` }, 400, 'query'],
    [
      'bytes that are no UTF-8',
      { headers: JSON_HEADERS, body: Buffer.from('{"query":"\xff"}', 'latin1') },
      400,
      'UTF-8',
    ],
    [
      'another version of persisted queries',
      post({ query: VICTIM, extensions: { persistedQuery: { version: 2 } } }),
      400,
      'version',
    ],
    ['no version of them', post({ query: VICTIM, extensions: { persistedQuery: {} } }), 400, 'version'],
  ])('%s is refused by name, also when the answer is kept', async (_what, request, status, named) => {
    await ask(victim, admin);
    const answer = await ask(request);
    expect(answer.status).toBe(status);
    const { errors } = JSON.parse(withItsId(answer.body, headerOf(answer, 'x-request-id')));
    const extensions = { code: 'BAD_REQUEST', requestId: ITS_ID };
    expect(errors).toEqual([{ message: expect.stringContaining(named), extensions }]);
  });

  test('bytes that are no UTF-8 in one variable do not change how another is read', async () => {
    await ask(target('{"c":"%4a%50%59","z":"%ff"}'));
    const literal = await ask(post({ query: VICTIM, variables: { c: '%4a%50%59', z: '\ufffd' } }));
    expect(JSON.parse(literal.body)).toEqual({ data: { accounts: { totalCount: 0 } } });
  });

  test('a byte order mark before the body is left out', async () => {
    const { status, body } = await ask({ headers: JSON_HEADERS, body: `\ufeff${victim.body}` });
    expect([status, body]).toEqual([200, (await ask(victim)).body]);
  });

  test('numbers that JSON writes alike are told apart', async () => {
    const query = 'query($f:Int){accounts(first:$f){totalCount}}';
    const send = (f: string) => ask({ headers: JSON_HEADERS, body: `{"query":"${query}","variables":{"f":${f}}}` });
    expect((await send('null')).status).toBe(200);
    const { status, body } = await send('1e999');
    expect([status, JSON.parse(body).errors[0].extensions.code]).toEqual([400, 'BAD_USER_INPUT']);
  });

  test('every spelling of the same accepted type shares one entry', async () => {
    const query = '{tenant{slug name}}';
    const outcomes = new Map<string, string[]>();
    for (const accept of ACCEPTS) {
      const answer = await ask({ ...post({ query }), headers: [...JSON_HEADERS, ['accept', accept]] });
      const type = headerOf(answer, 'content-type') ?? '';
      if (answer.status === 200)
        outcomes.set(type, [...(outcomes.get(type) ?? []), headerOf(answer, 'cache-status')?.split(';')[1] ?? '']);
    }
    for (const [first, ...others] of outcomes.values()) {
      expect(first).toBe(' fwd=miss');
      expect(new Set(others)).toEqual(new Set([' hit']));
    }
    expect([...outcomes.keys()].sort()).toEqual([
      'application/graphql-response+json; charset=utf-8',
      'application/json; charset=utf-8',
    ]);
  });

  test('a hash that nobody registered is unknown, though the text was asked for', async () => {
    const sha256Hash = createHash('sha256').update(VICTIM_UNREGISTERED).digest('hex');
    await ask(post({ query: VICTIM_UNREGISTERED }));
    const { body } = await ask(post({ extensions: { persistedQuery: { version: 1, sha256Hash } } }));
    expect(JSON.parse(body).errors).toMatchObject([{ extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }]);
  });

  test('a stranger registers nothing', async () => {
    const query = '{__schema{queryType{name}}}';
    const sha256Hash = createHash('sha256').update(query).digest('hex');
    const extensions = { persistedQuery: { version: 1, sha256Hash } };
    await fetch(`${cached.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, extensions }),
    });
    const { body } = await ask(post({ extensions }));
    expect(JSON.parse(body).errors).toMatchObject([{ extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }]);
  });
});
