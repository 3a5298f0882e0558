import { gzipSync } from 'node:zlib';
import type { Random } from '../../../graphql/fuzz/random.ts';
import { type Attempt, type Kind, times, writing } from '../attempt.ts';
import { bytesOf } from '../exchange.ts';

const body = JSON.stringify({ query: '{ viewer { role } accounts { totalCount } }' });
const good = { headers: [['content-type', 'application/json']], body } as const;

/** A head with these lines, which ends the connection after the answer. */
function head(token: string, lines: readonly string[], first = 'POST /graphql HTTP/1.1'): string {
  const own = [
    first,
    'host: test',
    'connection: close',
    `authorization: Bearer ${token}`,
    'content-type: application/json',
  ];
  return `${[...own, ...lines].join('\r\n')}\r\n\r\n`;
}

const chunk = (text: string, extension = '') => `${Buffer.byteLength(text).toString(16)}${extension}\r\n${text}\r\n`;
const LAST = '0\r\n\r\n';

/**
 * Bodies that are not what their heads say. The client ends its side, so that nobody waits for what
 * does not come.
 */
function framing(token: string, random: Random): Attempt {
  const length = Buffer.byteLength(body);
  const lengths = [
    0,
    1,
    length - 1,
    length + 1,
    length + 5_000,
    '-1',
    '1e2',
    `+${length}`,
    `0x${length.toString(16)}`,
    '',
    'x',
    '99999999999999999999',
  ];
  const ending = (...pieces: (string | Buffer)[]) => ({ ...writing(pieces, undefined, true), mayHangUp: true });
  return random.pick<() => Attempt>([
    () => ending(head(token, [`content-length: ${random.pick(lengths)}`]), body),
    () => ending(head(token, [`content-length: ${length}`, `content-length: ${random.pick(lengths)}`]), body),
    () => ending(head(token, [`content-length: ${length}`, 'transfer-encoding: chunked']), chunk(body), LAST),
    () => ending(head(token, ['transfer-encoding: chunked']), chunk(body), LAST),
    () => ending(head(token, ['transfer-encoding: chunked']), ...[...body].map((each) => chunk(each)), LAST),
    () =>
      ending(
        head(token, ['transfer-encoding: chunked']),
        chunk(body, `;x=${'y'.repeat(random.pick([1, 9_000, 40_000]))}`),
        LAST,
      ),
    () => ending(head(token, ['transfer-encoding: chunked']), 'zz\r\nx\r\n', LAST),
    () => ending(head(token, ['transfer-encoding: chunked']), 'ffffffffffffffff\r\n', body),
    () =>
      ending(head(token, ['transfer-encoding: chunked']), chunk(body), `0\r\nx-trailer: ${'t'.repeat(100)}\r\n\r\n`),
    () =>
      ending(
        head(token, [
          `transfer-encoding: ${random.pick(['gzip', 'chunked, chunked', 'identity', 'xchunked', 'gzip, chunked', ' chunked'])}`,
        ]),
        chunk(body),
        LAST,
      ),
    () =>
      ending(
        head(token, [
          'transfer-encoding: chunked',
          `content-encoding: ${random.pick(['gzip', 'br', 'deflate', 'zstd', 'x'])}`,
        ]),
        chunk(body),
        LAST,
      ),
    () => {
      const packed = gzipSync(Buffer.alloc(random.pick([1_000, 5_000_000]), 32));
      return ending(head(token, [`content-length: ${packed.length}`, 'content-encoding: gzip']), packed);
    },
    () => ending(head(token, ['expect: 100-continue', `content-length: ${length}`]), body),
    () =>
      ending(
        head(token, [`expect: ${random.pick(['200-ok', '', 'x'.repeat(3_000)])}`, `content-length: ${length}`]),
        body,
      ),
    () =>
      ending(
        head(
          token,
          [`content-length: ${length}`],
          random.pick([
            'POST /graphql HTTP/1.0',
            'POST /graphql HTTP/2.0',
            'POST /graphql HTTP/9.9',
            'POST /graphql',
            'POST  /graphql HTTP/1.1',
            'PRI * HTTP/2.0',
          ]),
        ),
        body,
      ),
    () => ending('\r\n\r\n', head(token, [`content-length: ${length}`]), body),
    () =>
      ending(
        head(token, [`content-length: ${length}`]).replaceAll('\r\n', random.pick(['\n', '\r', '\r\n\r\n'])),
        body,
      ),
    () =>
      ending(
        random.pick([
          '\u0016\u0003\u0001\u0002\u0000',
          'SSH-2.0-x\r\n',
          '\u0000'.repeat(100),
          'HELO test\r\n',
          '{}',
          '\r\n',
          '',
        ]),
      ),
    () => ending(head(token, [`content-length: ${length}`]), body.slice(0, random.integer(0, length - 1))),
  ])();
}

/** Several requests at once over one connection: each has its answer, in its order. */
function pipelined(token: string, random: Random): Attempt {
  const count = random.pick([1, 2, 5, 20]);
  const kinds = times(count, () =>
    random.pick([
      good,
      { ...good, body: '{' },
      { ...good, method: 'PUT' },
      { method: 'GET', target: '/health/live' },
      { method: 'GET', target: '/none' },
      { ...good, body: '[]' },
    ]),
  );
  const bytes = Buffer.concat(kinds.map((request, n) => bytesOf(token, request, n === count - 1)));
  if (random.chance(0.5)) return writing([bytes], count);
  const at = random.integer(1, bytes.length - 1);
  return writing([bytes.subarray(0, at), bytes.subarray(at)], count);
}

function upgrades(token: string, random: Random): Attempt {
  const protocol = random.pick(['websocket', 'h2c', 'TLS/1.0', 'x', 'websocket, h2c']);
  const socket = [
    'sec-websocket-version: 13',
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
    `sec-websocket-protocol: ${random.pick(['graphql-ws', 'graphql-transport-ws'])}`,
  ];
  const lines = [
    `upgrade: ${protocol}`,
    'connection: upgrade',
    ...(protocol === 'websocket' ? socket : ['http2-settings: AAMAAABkAAQAAP__']),
  ];
  const first = random.pick([
    'GET /graphql HTTP/1.1',
    'GET / HTTP/1.1',
    'GET /subscriptions HTTP/1.1',
    'POST /graphql HTTP/1.1',
  ]);
  const frame = Buffer.from([0x81, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const length = first.startsWith('POST') ? [`content-length: ${body.length}`] : [];
  return {
    ...writing([head(token, [...lines, ...length], first), length.length > 0 ? body : frame], undefined, true),
    mayHangUp: true,
  };
}

/**
 * Halves of requests, whose rest never comes while the connection stays open: the service ends it.
 */
function halves(token: string, random: Random): Attempt {
  const whole = bytesOf(token, good);
  const half = whole.subarray(0, random.integer(1, whole.length - 1));
  const pieces = random.chance(0.5) ? [half] : times(half.length, (at) => half.subarray(at, at + 1));
  return writing(pieces, 1);
}

function connections(name: string, make: (token: string, random: Random) => Attempt): Kind {
  return { name, attempts: ({ tokens }, random, count) => times(count, () => make(tokens.VIEWER, random)) };
}

/** Kinds about what happens on a connection. */
export const CONNECTION_KINDS: readonly Kind[] = [
  connections('bodies that are not as they are said to be', framing),
  connections('requests in a row', pipelined),
  connections('other protocols', upgrades),
  { ...connections('halves of requests', halves), atOnce: Number.POSITIVE_INFINITY },
];
