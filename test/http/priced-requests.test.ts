import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { ERROR_POINTS, hitPoints, NEW_TOKEN_POINTS, OPERATION_POINTS } from '../../src/graphql/prices.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { makeKnown } from '../support/known-operation.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startService, type TestService } from '../support/service.ts';
import { exchange, exchangeBytes, headerOf, type RawAnswer } from './hostile/exchange.ts';

const HOT = '{ tenant { slug } }';
const LEFT = '{ rateLimit { remaining cost } }';
const LONG = '{ accounts(first: 50) { nodes { id bankName accountNumber accountType currency } } }';
const JSON_TYPE = ['content-type', 'application/json'] as const;
const CHUNKED = ['transfer-encoding', 'chunked'] as const;

let database: TestDatabase;
let service: TestService;
/** Of the same database, with budgets that end. */
let poor: TestService;
let token: string;
beforeAll(async () => {
  database = await createTestDatabase();
  const tenantId = await insertTenant(database.url, { slug: 'acme' });
  const accounts = Array.from({ length: 50 }, (_, n) => ({ accountNumber: `${n}` }));
  await insertAccounts(database.url, tenantId, accounts);
  service = await startService({ database });
  poor = await startService({ database, env: { LIMIT_POINTS_PER_MINUTE: '1000' } });
  token = await service.token(Role.ANALYST, 'acme');
  for (const query of [HOT, LONG]) await untilHit(query);
});
afterAll(async () => {
  await poor?.close();
  await service?.close();
  await database?.drop();
});

type Headers = readonly (readonly [string, string])[];

async function untilHit(query: string): Promise<void> {
  while (!headerOf(await post(query), 'cache-status')?.startsWith('tenantry; hit'));
}

function post(query: string, headers: Headers = [JSON_TYPE], of = service): Promise<RawAnswer> {
  return exchange(of.url, token, { headers, body: JSON.stringify({ query }) });
}

/** What a request takes beside the question for what is left. */
async function pointsOf(ask: () => Promise<unknown>): Promise<number> {
  const left = async () => (await service.send(token, LEFT)).data.rateLimit;
  await makeKnown(service, token, LEFT);
  const before = await left();
  await ask();
  const { remaining, cost } = await left();
  return before.remaining - remaining - cost;
}

describe('a request with many errors', () => {
  const wrong = 'mutation ($input: InvalidateCacheInput!) { invalidateCache(input: $input) { userErrors { code } } }';
  const invalid = (count: number) =>
    service.send(token, wrong, { input: { namespaces: Array.from({ length: count }, (_, n) => `NO${n}`) } });
  const unknown = (count: number) =>
    service.send(token, `{ viewer { ${Array.from({ length: count }, (_, n) => `no${n}`).join(' ')} } }`);

  test('costs more the more there are, of its variables', async () => {
    await makeKnown(service, token, wrong);
    const [one, twenty] = [await pointsOf(() => invalid(1)), await pointsOf(() => invalid(20))];
    expect(one).toBe(OPERATION_POINTS);
    expect(twenty - one).toBe(19 * ERROR_POINTS);
  });

  test('costs more the more there are, of its document', async () => {
    const [one, twenty] = [await pointsOf(() => unknown(1)), await pointsOf(() => unknown(20))];
    expect(twenty - one).toBe(19 * (ERROR_POINTS + NEW_TOKEN_POINTS));
  });
});

describe('headers that say how a request is read', () => {
  const padded = (length: number) => `application/json; x=${'x'.repeat(length)}`;

  test('cost as its bytes do when they are long, each time', async () => {
    const points = [];
    for (let time = 0; time < 2; time++)
      points.push(await pointsOf(() => post(HOT, [['content-type', padded(10_000)]])));
    expect(points[0]).toBeGreaterThan(hitPoints(1) + 750);
    expect(points[0]).toBeLessThan(hitPoints(1) + 1_000);
    expect(points[1]).toBe(points[0]);
  });

  test('cost nothing when they are as long as usual', async () => {
    const ask = () => post(HOT, [['content-type', padded(900)]]);
    expect([await pointsOf(ask), await pointsOf(ask)]).toEqual([hitPoints(1), hitPoints(1)]);
  });

  test('name a kilobyte of media types at most', async () => {
    const ask = (length: number) => post(HOT, [JSON_TYPE, ['accept', `*/*;q=0.5,${'a'.repeat(length - 10)}`]]);
    expect((await ask(1_024)).status).toBe(200);
    const { status, body } = await ask(1_025);
    expect([status, JSON.parse(body).errors[0].message]).toEqual([
      406,
      'accept may have at most 1,024 characters, but it has 1,025. ' +
        'Name application/json or application/graphql-response+json.',
    ]);
  });
});

describe('tags that a client knows', () => {
  const GET = { method: 'GET', target: `/graphql?query=${encodeURIComponent(HOT)}` };
  const ask = (known: string) => exchange(service.url, token, { ...GET, headers: [['if-none-match', known]] });
  const others = fc.array(fc.stringMatching(/^(W\/)?"[\w-]{0,40}"$/), { maxLength: 100 });

  test('are found wherever they stand, and no others', async () => {
    const etag = headerOf(await exchange(service.url, token, GET), 'etag') as string;
    const known = fc.constantFrom(etag, `W/${etag}`, etag.replace(/"$/, '-gzip"'));
    await fc.assert(
      fc.asyncProperty(others, fc.option(known), others, async (before, own, after) => {
        const tags = [...before, ...(own === null ? [] : [own]), ...after];
        expect((await ask(tags.join(', '))).status).toBe(own === null ? 200 : 304);
      }),
      { numRuns: 40, seed: 20_261_130, endOnFailure: true },
    );
    for (const like of [etag.slice(0, -2), `${etag.slice(0, -1)}x"`, etag.slice(1, -1), '"*"'])
      expect((await ask(like)).status).toBe(200);
    expect((await ask('*')).status).toBe(304);
  });
});

describe('a body in chunks', () => {
  const body = JSON.stringify({ query: HOT });
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
  const inPieces = (pieces: number) => chunk(body) + chunk(' ').repeat(pieces - 1);
  const ask = (pieces: number) =>
    exchangeBytes(service.url, [
      `POST /graphql HTTP/1.1\r\nhost: test\r\nconnection: close\r\nauthorization: Bearer ${token}\r\n` +
        `${[JSON_TYPE, CHUNKED].map((header) => header.join(': ')).join('\r\n')}\r\n\r\n${inPieces(pieces)}0\r\n\r\n`,
    ]);

  test('costs more the more small pieces it comes in, also when the answer is kept', async () => {
    await ask(1_000); // known from here on
    const points = [];
    for (const pieces of [16, 17, 1_000]) points.push(await pointsOf(() => ask(pieces)));
    expect(points).toEqual([0, 1, 984].map((dear) => hitPoints(1) + 4 * dear));
  });

  test('is paid for when it is refused for them', async () => {
    expect(await pointsOf(() => ask(1_025))).toBe(OPERATION_POINTS + 4 * (1_025 - 16));
  });
});

describe('a report on a kept answer', () => {
  const REPORTED: Headers = [JSON_TYPE, ['x-cache-debug', '1']];

  test('costs by the length of the answer', async () => {
    const { length } = (await post(LONG)).body;
    expect(length).toBeGreaterThan(5_000);
    expect(await pointsOf(() => post(LONG, REPORTED))).toBe(hitPoints(length) + Math.ceil(0.02 * length));
    const asked = '{ accounts(first: 50) { nodes { id bankName accountNumber accountType currency status } } }';
    const plain = await pointsOf(() => post(`query A ${asked}`));
    const reported = await pointsOf(() => post(`query B ${asked}`, REPORTED));
    expect(reported - plain).toBe(Math.ceil(0.02 * (await post(`query A ${asked}`)).body.length));
  });
});

describe('who has no points left', () => {
  const KNOWN: Headers = [['content-length', '10']];

  /** A connection on which the head of a request was answered, with nothing of its body. */
  async function refusedAhead(headers: Headers) {
    while ((await post(HOT, [JSON_TYPE], poor)).status !== 429);
    const own = [['host', 'test'], ['authorization', `Bearer ${token}`], JSON_TYPE, ...headers];
    const socket = connect(Number(new URL(poor.url).port), '127.0.0.1').setEncoding('latin1');
    const next = async () => String((await once(socket, 'data'))[0]);
    socket.write(`POST /graphql HTTP/1.1\r\n${own.map((header) => header.join(': ')).join('\r\n')}\r\n\r\n`);
    const spent = /^HTTP\/1\.1 429 [\s\S]*fwd=bypass; detail=budget[\s\S]*are spent: 0 of 1000 are left/;
    expect(await next()).toMatch(spent);
    return { socket, next };
  }

  test.each<[string, Headers, string]>([
    ['a body of a known length', KNOWN, ' '.repeat(10)],
    ['a body in chunks', [CHUNKED], `${chunkOf(10)}0\r\n\r\n`],
  ])('is told so before %s has come, and the connection serves on', async (_body, headers, rest) => {
    const { socket, next } = await refusedAhead(headers);
    socket.write(rest);
    socket.write('GET /health/live HTTP/1.1\r\nhost: test\r\n\r\n');
    expect(await next()).toMatch(/^HTTP\/1\.1 200 [\s\S]*"ok"/);
    socket.destroy();
  });

  test('sends no body without end', async () => {
    const { socket } = await refusedAhead([CHUNKED]);
    let received = '';
    socket.on('data', (text) => {
      received += text;
    });
    socket.write(chunkOf(1).repeat(1_025));
    await once(socket, 'close');
    expect(received).toBe('');
  });
});

function chunkOf(bytes: number): string {
  return `${bytes.toString(16)}\r\n${' '.repeat(bytes)}\r\n`;
}
