import type { Random } from '../../../graphql/fuzz/random.ts';
import { type Attempt, asking, atLeast, type Kind, times, writing } from '../attempt.ts';
import { bytesOf, type RawRequest } from '../exchange.ts';
import { chosenForms, generatedForms } from '../request-forms.ts';

const QUERY = '{ viewer { role } accounts { totalCount } }';
const JSON_HEADER = ['content-type', 'application/json'] as const;
const body = JSON.stringify({ query: QUERY });
const good: RawRequest = { headers: [JSON_HEADER], body };

const CONTROL = [
  '\u0000',
  '\u0001',
  '\u0007',
  '\u001b[2J',
  '\u007f',
  '\u0080',
  '\u00ff',
  '\t',
  ' ',
  '\r',
  '\n ',
  '\r\n ',
  '%0d%0a',
  'é',
];
const NAMES = [
  ...[
    'accept',
    'accept-language',
    'cookie',
    'expect',
    'forwarded',
    'host',
    'origin',
    'referer',
    'te',
    'trailer',
    'upgrade',
    'user-agent',
  ],
  ...[
    'x-forwarded-for',
    'x-forwarded-host',
    'x-http-method-override',
    'x-original-url',
    'x-request-id',
    'x-cache-debug',
    'x-tenant-id',
  ],
  ...[
    'apollo-require-preflight',
    'content-encoding',
    'content-location',
    'content-md5',
    'if-none-match',
    'connection',
    'keep-alive',
    '__proto__',
  ],
  ...[
    'constructor',
    'traceparent',
    'tracestate',
    'baggage',
    'date',
    'server-timing',
    'accept-encoding',
    'transfer-encoding',
    'content-length',
  ],
];

function header(random: Random): readonly [string, string] {
  const value = random.pick([
    () => random.pick(CONTROL),
    () => `a${random.pick(CONTROL)}b`,
    () =>
      random.pick([
        'x',
        '*',
        ',',
        ';q=',
        'gzip;q=99',
        'en'.repeat(500),
        '1'.repeat(400),
        '../../x',
        '00-0-0-00',
        '-1',
        'identity',
        'chunked',
      ]),
    () => 'v'.repeat(random.pick([100, 4_000, 9_000, 17_000, 70_000])),
  ])();
  return [random.pick(NAMES), value];
}

function headers(token: string, random: Random): Attempt {
  const many = random.chance(0.15) ? random.pick([100, 500, 2_500]) : random.integer(1, 4);
  const own = many > 10 ? times(many, (n) => [`x-${n}`, 'y'] as const) : times(many, () => header(random));
  return asking(token, { headers: [JSON_HEADER, ...own], body });
}

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'QUERY',
  'PROPFIND',
  'MOVE',
  'PURGE',
  'LINK',
];
const ODD_METHODS = ['get', 'Post', 'G E T', '', 'POSTPOST', 'P\u0000ST', 'X'.repeat(5_000)];
const PATHS = [
  ...[
    '/',
    '/graphql',
    '/graphql/',
    '//graphql',
    '/graphql/..',
    '/GRAPHQL',
    '/graphql%2f',
    '/graphql%00',
    '/graphql;x=1',
    '/graphql?',
    '/graphiql',
  ],
  ...[
    '/health',
    '/health/ready',
    '/health/live',
    '/health/ready/',
    '/health/%72eady',
    '/metrics/',
    '/metrics%00',
    '/.env',
    '/.git/config',
    '/favicon.ico',
  ],
  ...[
    '/../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/%c0%ae%c0%ae/',
    '/%',
    '/%zz',
    '/%ff',
    '*',
    'graphql',
    'http://127.0.0.1:1/',
    'test:443',
    '',
  ],
  ...[
    '/__proto__',
    '/constructor',
    '/admin',
    '/debug/pprof',
    `/${'x'.repeat(9_000)}`,
    `/graphql?${'a=1&'.repeat(3_000)}`,
    `/graphql?query=${'%7B'.repeat(3_000)}`,
  ],
  ...[
    '/graphql?query[__proto__]=x',
    '/graphql?query=%F0%9F',
    '/graphql?query=%7Btenant%7Bslug%7D%7D&variables=%7B%22__proto__%22%3A1%7D',
  ],
];

function methodsAndPaths(token: string, random: Random): Attempt {
  const method = random.chance(0.85) ? random.pick(METHODS) : random.pick(ODD_METHODS);
  const request = { method, target: random.pick(PATHS), ...(random.chance(0.4) && good) };
  const attempt = asking(random.chance(0.8) ? token : null, request);
  // Node.js answers CONNECT by closing the connection.
  return method === 'CONNECT' ? writing([bytesOf(token, request)], 0) : attempt;
}

function batches(token: string, random: Random): Attempt {
  const one = { query: random.pick([QUERY, 'mutation { invalidateCache(input: {}) { namespaces } }', '{']) };
  const batch: unknown = random.pick<() => unknown>([
    () => times(random.pick([0, 1, 2, 50, 3_000]), () => one),
    () => [[one]],
    () => [one, null, 1, 'x', {}],
    () => ({ 0: one, length: 1 }),
    () => ({ query: [QUERY, QUERY] }),
    () => ({ ...one, variables: [{}, {}] }),
    () => ({ ...one, operationName: [null, 'A'] }),
    () => ({ ...one, map: { 0: ['variables.file'] }, operations: [one] }),
    () => times(random.pick([100, 5_000]), () => []),
  ])();
  return asking(token, { headers: [JSON_HEADER], body: JSON.stringify(batch) });
}

/** Kinds about HTTP itself, whose requests are whole. */
export const HTTP_KINDS: readonly Kind[] = [
  {
    name: 'forms of requests',
    attempts: ({ tokens }, _random, count) =>
      atLeast(count, [...chosenForms(), ...generatedForms(count)]).map((form) => asking(tokens.VIEWER, form)),
  },
  { name: 'headers', attempts: ({ tokens }, random, count) => times(count, () => headers(tokens.VIEWER, random)) },
  {
    name: 'methods and paths',
    attempts: ({ tokens }, random, count) => times(count, () => methodsAndPaths(tokens.VIEWER, random)),
  },
  { name: 'batches', attempts: ({ tokens }, random, count) => times(count, () => batches(tokens.ADMIN, random)) },
];
