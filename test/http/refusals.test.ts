import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { insertTenant } from '../support/fixtures.ts';
import { startService, type TestService } from '../support/service.ts';

const MIB = 1024 * 1024;

let service: TestService;
/** Where strangers may introspect. */
let open: TestService;
let token: string;
beforeAll(async () => {
  service = await startService({ env: { HTTP_REQUEST_TIMEOUT_MS: '2000', EXPLORER: 'off' } });
  open = await startService({ env: { EXPLORER: 'on' } });
  await insertTenant(service.databaseUrl, { slug: 'acme' });
  token = await service.token(Role.ADMIN, 'acme');
});
afterAll(async () => {
  await open?.close();
  await service?.close();
});

/** How many answers had errors, by status and code. */
async function counts(): Promise<Record<string, number>> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  const lines = text.matchAll(/^tenantry_errors_total\{status="(\d+)",code="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, status, code, count]) => [`${status} ${code}`, Number(count)]));
}

/** What comes back for some bytes until the connection ends. */
async function exchanged(bytes: string) {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1').on('data', (data) => {
    received += data;
  });
  socket.write(bytes);
  await once(socket, 'close');
  const [head = '', body = ''] = received.split('\r\n\r\n');
  const [, requestId] = /\r\nx-request-id: (\S+)/.exec(head) ?? [];
  return { status: Number(head.split(' ')[1]), requestId, body };
}

/** The head of a request whose connection ends with it. */
function head(line: string, ...headers: string[]): string {
  return [`${line} HTTP/1.1`, 'host: test', 'connection: close', ...headers, '', ''].join('\r\n');
}

const json = 'content-type: application/json';
const CHUNKED = 'transfer-encoding: chunked';
const chunk = (bytes: number) => `${bytes.toString(16)}\r\n${' '.repeat(bytes)}\r\n`;
const END = '0\r\n\r\n';
const HEALTH = 'GET /health/live HTTP/1.1\r\nhost: test\r\n\r\n';
/** Two of them are those of every head. */
const withFields = (count: number) => head('GET /graphql', ...Array<string>(count - 2).fill('x:'));
/** Made when the token is there. */
const own = () => `authorization: Bearer ${token}`;
const length = (bytes: number) => `content-length: ${bytes}`;
const EMPTY = '{}';

test.each<[number, string, string, () => string, RegExp?]>([
  [400, 'BAD_REQUEST', 'what is no HTTP', () => 'nonsense\r\n\r\n'],
  [400, 'BAD_REQUEST', 'a path that is none', () => head('GET /%c0')],
  [400, 'BAD_REQUEST', 'no JSON', () => `${head('POST /graphql', own(), json, length(3))}{{{`],
  [401, 'UNAUTHENTICATED', 'no token', () => `${head('POST /graphql', json, length(2))}${EMPTY}`],
  [400, 'BAD_REQUEST', 'a body by GET', () => head('GET /graphql', own(), CHUNKED), /has no body\. Leave out/],
  [404, 'BAD_REQUEST', 'another path', () => head('GET /graph'), /GraphQL is at \/graphql/],
  [404, 'BAD_REQUEST', 'no JSON for another path', () => `${head('POST /graph', json, length(1))}{`],
  [405, 'BAD_REQUEST', 'another method', () => `${head('PUT /graphql', own(), length(2))}${EMPTY}`, /GET or POST/],
  [408, 'BAD_REQUEST', 'half a line', () => 'POST /gra', /within 2000 ms\. Send it again\.$/],
  [408, 'BAD_REQUEST', 'half a body', () => `${head('POST /graphql', own(), json, length(9))}{`],
  [
    413,
    'BAD_REQUEST',
    'too much',
    () => head('POST /graphql', own(), json, length(MIB + 1)) + ' '.repeat(MIB + 1),
    /^The body may have at most 1 MiB \(1,048,576 bytes\), but it has 1,048,577 bytes\. Split it into several requests\.$/,
  ],
  [
    413,
    'BAD_REQUEST',
    'too much of no length',
    () =>
      `${head('POST /graphql', own(), json, 'transfer-encoding: chunked')}${(MIB + 1).toString(16)}\r\n${' '.repeat(MIB + 1)}\r\n0\r\n\r\n`,
    /at most 1 MiB \(1,048,576 bytes\), but it has more\. Split it into several requests\.$/,
  ],
  [
    413,
    'BAD_REQUEST',
    'too many small pieces',
    () => head('POST /graphql', own(), json, CHUNKED) + chunk(1).repeat(1_025),
    /^A body may come in at most 1,024 pieces of less than 512 bytes, but it came in more\. Send larger chunks\.$/,
  ],
  [415, 'BAD_REQUEST', 'plain text', () => `${head('POST /graphql', own(), length(2))}${EMPTY}`],
  [417, 'BAD_REQUEST', 'another expectation', () => head('GET /graphql', own(), 'expect: a miracle')],
  [
    431,
    'BAD_REQUEST',
    'headers that are too long',
    () => head('GET /graphql', `x: ${'x'.repeat(20_000)}`),
    /at most 16,384 bytes/,
  ],
  ...[101, 3_000].map((count): [number, string, string, () => string, RegExp] => [
    431,
    'BAD_REQUEST',
    `${count} header fields`,
    () => withFields(count),
    new RegExp(`^A request may have at most 100 header fields, but it has ${count}\\. Send fewer\\.$`),
  ]),
  [400, 'BAD_REQUEST', 'no host', () => 'POST /graphql HTTP/1.1\r\n\r\n', /HTTP\/1\.1 must have the header Host/],
])('%i %s for %s is told in GraphQL’s form, and counted once', async (status, code, _what, bytes, words = /./) => {
  const before = await counts();
  const answer = await exchanged(bytes());
  expect(answer).toMatchObject({ status, requestId: expect.any(String) });
  expect(JSON.parse(answer.body)).toEqual({
    errors: [{ message: expect.stringMatching(words), extensions: { code, requestId: answer.requestId } }],
  });
  const key = `${status} ${code}`;
  expect(await counts()).toEqual({ ...before, [key]: (before[key] ?? 0) + 1 });
});

test('a hundred header fields are let through, and a request of HTTP/1.0 needs no host', async () => {
  expect((await exchanged(withFields(100))).status).toBe(401);
  expect((await exchanged('GET /health/live HTTP/1.0\r\n\r\n')).status).toBe(200);
});

test('1,024 small pieces and any number of larger ones are read', async () => {
  const begin = head('POST /graphql', own(), json, CHUNKED);
  for (const pieces of [chunk(1).repeat(1_024), chunk(512).repeat(2_048)])
    expect(await exchanged(begin + pieces + END)).toMatchObject({ status: 400, body: expect.stringContaining('JSON') });
});

/** All that comes until the service ends the connection. */
async function exchangedUntilEnd(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1').setEncoding('latin1');
  let received = '';
  socket.on('data', (text) => {
    received += text;
  });
  socket.write(bytes);
  await once(socket, 'close');
  return received;
}

test('a client that leaves amid its body is nobody to refuse', async () => {
  const before = await counts();
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  socket.write(`${head('POST /graphql', own(), json, length(9))}{`);
  // Answered on another connection, so that the service has read what came before.
  await service.send(token, '{ viewer { id } }');
  socket.resetAndDestroy();
  await once(socket, 'close');
  await service.send(token, '{ viewer { id } }');
  expect(await counts()).toEqual(before);
});

describe('who may not ask is told so before the body has come', () => {
  const post = (...headers: string[]) =>
    ['POST /graphql HTTP/1.1', 'host: test', json, ...headers, '', ''].join('\r\n');
  const FORGED = 'authorization: Bearer e30.e30.e30';
  const INTROSPECTION = '{"query":"{ __typename }"}';

  test.each<[string, number, () => string]>([
    ['a stranger', 401, () => post(length(10), 'expect: 100-continue')],
    ['a forged token', 401, () => post(length(10), FORGED, 'expect: 100-continue')],
    ['too much', 413, () => post(length(MIB + 1), own(), 'expect: 100-continue')],
  ])('%s who asks whether to send it is told no, and the connection ends', async (_who, status, begin) => {
    const received = await exchangedUntilEnd(begin());
    expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*connection: close`, 'i'));
  });

  /** What is sent first, and the rest, with which the request is whole. */
  test.each<[string, () => TestService, string, string]>([
    ['a stranger', () => service, post(length(10)), ' '.repeat(10)],
    ['a stranger with a mebibyte', () => service, post(length(MIB)), ' '.repeat(MIB)],
    ['a stranger whose body has no length', () => service, post(CHUNKED), `${chunk(5)}0\r\n\r\n`],
    ['a forged token', () => service, post(length(MIB), FORGED), ' '.repeat(MIB)],
    ['no bearer token', () => service, post(length(MIB), 'authorization: Basic YTpi'), ' '.repeat(MIB)],
    ['too much for introspection', () => open, post(length(32_769)), ' '.repeat(32_769)],
  ])('%s, and the connection serves on', async (_who, asked, begin, rest) => {
    const socket = connect(Number(new URL(asked().url).port), '127.0.0.1').setEncoding('latin1');
    const next = async () => String((await once(socket, 'data'))[0]);
    socket.write(begin);
    expect(await next()).toMatch(/^HTTP\/1\.1 401 [\s\S]*"UNAUTHENTICATED"/);
    socket.write(rest);
    socket.write('GET /health/live HTTP/1.1\r\nhost: test\r\n\r\n');
    expect(await next()).toMatch(/^HTTP\/1\.1 200 [\s\S]*"ok"/);
    socket.destroy();
  });

  /** What is left unread of these is read past, and kept nowhere. */
  test.each<[string, number, () => string]>([
    ['a stranger’s', 401, () => post(CHUNKED)],
    ['one for another path', 404, () => post(CHUNKED, own()).replace('/graphql', '/graph')],
    ['one by another method', 405, () => post(CHUNKED, own()).replace('POST', 'PUT')],
  ])('no body is read on without end: %s', async (_whose, status, begin) => {
    for (const [most, more] of [
      [chunk(1).repeat(1_024), chunk(1)],
      [chunk(MIB), chunk(1)],
    ] as const) {
      for (const isTooLong of [false, true]) {
        const socket = connect(Number(new URL(service.url).port), '127.0.0.1').setEncoding('latin1');
        socket.on('error', () => {}); // what is still being sent is not wanted
        socket.write(begin());
        expect(String((await once(socket, 'data'))[0])).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
        let received = '';
        socket.on('data', (text) => {
          received += text;
        });
        socket.write(most + (isTooLong ? more : END + HEALTH));
        await once(socket, isTooLong ? 'close' : 'data');
        // A connection that waits for the rest is closed, too, but is told so (408).
        expect(received).toMatch(isTooLong ? /^$/ : /^HTTP\/1\.1 200 [\s\S]*"ok"/);
        socket.destroy();
      }
    }
  });

  const LISTED = { method: ['GET', 'HEAD', 'POST', 'PUT'], type: [json, 'content-type: a/b/c;;;=', 'x-none: 1'] };
  const SENDERS = [
    ['a stranger', () => []],
    ['a caller', () => [own()]],
    ['a forger', () => [FORGED]],
  ] as const;
  const ALIVE = 'GET /health/live HTTP/1.0\r\n\r\n';
  const LEAVES = 'half a piece, and leaves';
  const BODIES: [string, string][] = [
    ['too many pieces', chunk(1).repeat(1_100)],
    ['too many bytes', chunk(300_000).repeat(4)],
    [LEAVES, '9\r\n{'],
    ['no piece at all', 'zz\r\n'],
  ];
  test.each(
    LISTED.method.flatMap((method) =>
      LISTED.type.flatMap((type) =>
        SENDERS.flatMap(([who, token]) => [[`${method} ${type} by ${who}`, method, type, token] as const]),
      ),
    ),
  )('nothing of a body that nobody reads ends the service: %s', async (_what, method, type, token) => {
    for (const asked of [service, open])
      for (const [what, body] of BODIES) {
        const socket = connect(Number(new URL(asked.url).port), '127.0.0.1').setEncoding('latin1');
        socket.on('error', () => {}); // what is still being sent is not wanted
        const answered = new Promise((resolve) => socket.once('data', resolve).once('close', resolve));
        const target = '/graphql?query=%7Bviewer%7Bid%7D%7D';
        socket.write([`${method} ${target} HTTP/1.1`, 'host: test', type, CHUNKED, ...token(), '', body].join('\r\n'));
        if (what === LEAVES) await exchanged(ALIVE);
        else await answered;
        socket.destroy();
        expect((await exchanged(ALIVE)).status).toBe(200);
      }
  });

  test('too much of no length for introspection, and the connection ends', async () => {
    const socket = connect(Number(new URL(open.url).port), '127.0.0.1').setEncoding('latin1');
    const closed = once(socket, 'close');
    socket.write(post(CHUNKED) + chunk(32_769));
    const answer = String((await once(socket, 'data'))[0]);
    expect(answer).toMatch(/^HTTP\/1\.1 401 [\s\S]*"UNAUTHENTICATED"/);
    expect(answer).toContain('connection: close');
    await closed;
  });

  test.each([
    ['of a known length', post(length(INTROSPECTION.length)) + INTROSPECTION],
    ['of no length', `${post(CHUNKED)}${INTROSPECTION.length.toString(16)}\r\n${INTROSPECTION}\r\n0\r\n\r\n`],
  ])('but introspection %s is answered', async (_what, bytes) => {
    const socket = connect(Number(new URL(open.url).port), '127.0.0.1').setEncoding('latin1');
    socket.write(bytes);
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 [\s\S]*"__typename":"Query"/);
    socket.destroy();
  });
});
