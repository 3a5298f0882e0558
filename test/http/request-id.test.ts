import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { cacheOutcome } from '../support/cache-outcome.ts';
import { insertTenant } from '../support/fixtures.ts';
import { postJson } from '../support/post.ts';
import { withClient } from '../support/postgres.ts';
import { startService, type TestService } from '../support/service.ts';
import { until } from '../support/until.ts';

/** Of a process, and of a request. */
const MADE = /^[\w-]{12}-[\da-z]+$/;
const NAME = 'query Name { tenant { name } }';
const FAILS = 'query Fails { accounts(first: 0) { totalCount } tenant { name } }';

type Line = Record<string, unknown> & { readonly msg: string };

let service: TestService;
let admin: string;
let operator: string;
const lines: Line[] = [];

beforeAll(async () => {
  service = await startService({
    log: { write: (text) => void lines.push(JSON.parse(text)) },
    env: { LOG_LEVEL: 'info', SLOW_QUERY_MS: '0', SLOW_OPERATION_MS: '0', ACCESS_LOG_HITS: '3' },
  });
  await insertTenant(service.databaseUrl, { slug: 'acme' });
  [admin, operator] = [await service.token(Role.ADMIN, 'acme'), await service.token(Role.OPERATOR)];
  await service.untilCaughtUp();
});
afterAll(() => service?.close());

async function ask(query: string, headers: Record<string, string> = {}, token = admin) {
  const sent = { authorization: `Bearer ${token}`, ...headers };
  const answer = await postJson(`${service.url}/graphql`, sent, JSON.stringify({ query }));
  return { ...answer, requestId: answer.headers.get('x-request-id'), json: JSON.parse(answer.body) };
}

const linesOf = (requestId: string) => lines.filter((line) => line.requestId === requestId);
const accessLinesOf = (requestId: string) => linesOf(requestId).filter(({ msg }) => msg === 'request');

/** Until the answer lies in the process. */
async function warm(): Promise<void> {
  await until(async () => cacheOutcome((await ask(NAME)).headers.get('cache-status')) === 'tenantry; hit');
}

describe('the id of a request', () => {
  it.each([
    ['a miss', 'query { tenant { name, slug } }'],
    ['an answer from the cache', NAME],
    ['a mutation', 'mutation { invalidateCache(input: {}) { namespaces } }'],
    ['an error', FAILS],
  ])("is the client's own for %s", async (_what, query) => {
    await warm();
    expect((await ask(query, { 'x-request-id': 'web/42' })).requestId).toBe('web/42');
  });

  it('is a new one each time where the client gives none, or one that no record can hold', async () => {
    await warm();
    const ids = new Set<string | null>();
    const unfit = fc.constantFrom('', 'two words', '"quoted"', '{"a":1}', 'a;b', 'a\\b', 'ä', 'x'.repeat(101));
    await fc.assert(
      fc.asyncProperty(unfit, fc.constantFrom(NAME, FAILS), async (given, query) => {
        const { requestId } = await ask(query, given ? { 'x-request-id': given } : {});
        expect(requestId).toMatch(MADE);
        expect(ids.has(requestId)).toBe(false);
        ids.add(requestId);
      }),
      { numRuns: 30, seed: 20261130, endOnFailure: true },
    );
  });

  it('is told in every error, and who waited for the load of another has an own one', async () => {
    const ids = ['one', 'two', 'three', 'four'];
    const answers = await Promise.all(ids.map((id) => ask(FAILS, { 'x-request-id': id })));
    for (const { json, requestId } of answers) {
      expect(json.errors).toHaveLength(1);
      expect(json.errors[0].extensions.requestId).toBe(requestId);
    }
    expect(answers.map(({ requestId }) => requestId)).toEqual(ids);
  });

  it('is told to who is refused ahead of GraphQL', async () => {
    const { status, json } = await ask(NAME, { 'x-request-id': 'forged-1' }, 'e30.e30.e30');
    expect([status, json.errors[0].extensions]).toEqual([401, { code: 'UNAUTHENTICATED', requestId: 'forged-1' }]);
    expect(accessLinesOf('forged-1')).toMatchObject([{ method: 'POST', status: 401, code: 'UNAUTHENTICATED' }]);
  });

  it('stands in the lines of slow operations and statements, and in performance', async () => {
    await ask('query Slow { accounts { totalCount } }', { 'x-request-id': 'slow-1' });
    const told = linesOf('slow-1').map(({ msg }) => msg);
    expect(told).toEqual(expect.arrayContaining(['slow operation', 'slow SQL statement', 'request']));
    const { json } = await ask('{ performance { slowQueries { operation requestId } } }', {}, operator);
    expect(json.data.performance.slowQueries).toContainEqual({ operation: 'Slow', requestId: 'slow-1' });
  });

  it('stands in the line of an error that is no fault of its client', async () => {
    const rename = (from: string, to: string) =>
      withClient(service.databaseUrl, (client) => client.query(`ALTER TABLE ${from} RENAME TO ${to}`));
    await rename('bank_accounts', 'gone');
    const { json } = await ask('query Broken { accounts { nodes { bankName } } }', { 'x-request-id': 'broken-1' });
    await rename('gone', 'bank_accounts');
    expect(json.errors[0].extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR', requestId: 'broken-1' });
    expect(linesOf('broken-1')).toContainEqual(expect.objectContaining({ msg: 'internal error', level: 50 }));
  });
});

describe('the access log', () => {
  it('has one line for each request that is computed', async () => {
    await ask('query Missed { accounts { nodes { id } } }', { 'x-request-id': 'miss-1' });
    expect(accessLinesOf('miss-1')).toEqual([
      {
        ...{ level: 30, time: expect.any(Number), pid: expect.any(Number), hostname: expect.any(String) },
        ...{ msg: 'request', requestId: 'miss-1', method: 'POST', path: '/graphql', status: 200 },
        ...{ cache: 'miss', why: 'absent', bytes: expect.any(Number) },
        ...{ operation: 'Missed', tenant: 'acme', role: 'ADMIN' },
        ...{ durationMs: expect.any(Number), statements: 1, databaseMs: expect.any(Number) },
      },
    ]);
  });

  it('has one line for each error, with its code', async () => {
    await ask(FAILS, { 'x-request-id': 'error-1' });
    expect(accessLinesOf('error-1')).toMatchObject([{ status: 200, code: 'BAD_USER_INPUT', operation: 'Fails' }]);
  });

  it('has one line for three answers from the cache, as it is set', async () => {
    await warm();
    for (let n = 0; n < 9; n++) await ask(NAME, { 'x-request-id': 'hits' });
    expect(accessLinesOf('hits')).toHaveLength(3);
    expect(accessLinesOf('hits')[0]).toMatchObject({ cache: 'hit', why: 'memory', operation: 'Name', tenant: 'acme' });
  });

  it('has nothing that a client gave as a variable, a token or a query string', async () => {
    const secret = 'SECRET-0815';
    const query = 'query ($n: String) { accounts(filter: { bankName: $n }) { totalCount } }';
    await postJson(
      `${service.url}/graphql?x=${secret}`,
      { authorization: `Bearer ${admin}`, 'x-request-id': 'private' },
      JSON.stringify({ query, variables: { n: secret } }),
    );
    expect(accessLinesOf('private')).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain(secret);
    expect(JSON.stringify(lines)).not.toContain(admin);
  });
});
