import { createHash } from 'node:crypto';
import type { Random } from '../../../graphql/fuzz/random.ts';
import { asking, type Kind, posting, times } from '../attempt.ts';
import { OWN, THEIRS } from '../world.ts';

const INVALIDATE =
  'mutation ($input: InvalidateCacheInput!) { invalidateCache(input: $input) { namespaces userErrors { code } } }';
const PATTERNS: readonly unknown[] = [
  ...[
    '*',
    '**',
    '***',
    '*:*',
    ':',
    '::',
    '',
    ' ',
    'dashboard',
    'dashboard:*',
    'dashboard:2025-*',
    'dashboard:2025-13-*',
    'd*',
  ],
  ...[
    'statistics:daily:*',
    'statistics:*:2025-01-01',
    'accounts:list:*',
    'tenant:*',
    'tenant',
    `{${OWN.id}}:*`,
    `${THEIRS.id}:*`,
  ],
  ...[
    '*:accounts',
    'accounts:[a-z]',
    'accounts:?',
    'accounts:\\*',
    '../dashboard:*',
    'FLUSHALL',
    'dashboard:*\r\nFLUSHALL\r\n',
    '\u0000',
  ],
  ...[
    'accounts:BankAccount.findMany:*',
    '__proto__:*',
    'constructor',
    '*'.repeat(5_000),
    ':'.repeat(5_000),
    'x'.repeat(50_000),
  ],
  ...[null, 1, [], {}, ['*'], true],
];
const NAMESPACES: readonly unknown[] = [
  ...[['ACCOUNTS'], ['ACCOUNTS', 'ACCOUNTS'], [], ['TENANT'], ['accounts'], 'DASHBOARD', [null], [['ACCOUNTS']], {}, 1],
  ...[Array(1_000).fill('ACCOUNTS'), ['__proto__'], null],
];

function invalidation(random: Random): object {
  if (random.chance(0.6)) return { pattern: random.pick(PATTERNS) };
  if (random.chance(0.7)) return { namespaces: random.pick(NAMESPACES) };
  return { pattern: random.pick(PATTERNS), namespaces: random.pick(NAMESPACES) };
}

const sha = (text: string) => createHash('sha256').update(text).digest('hex');
const HEADERS = [
  'cache-control',
  'pragma',
  'if-none-match',
  'if-match',
  'if-modified-since',
  'range',
  'x-cache-debug',
  'vary',
];
const VALUES = [
  'no-cache',
  'no-store',
  'max-age=0',
  '*',
  'W/"x"',
  '"',
  '""',
  '1',
  'bytes=0-1',
  'bytes=0-0,1-1',
  'x'.repeat(8_000),
  ',,,,',
];

function persisted(random: Random, n: number): object {
  const query = `{ tenant { slug } } # ${random.integer(0, 20)}`;
  const hash = sha(query);
  return random.pick<() => object>([
    () => ({ query, extensions: { persistedQuery: { version: 1, sha256Hash: hash } } }),
    () => ({ extensions: { persistedQuery: { version: 1, sha256Hash: hash } } }),
    () => ({ query: `${query} `, extensions: { persistedQuery: { version: 1, sha256Hash: hash } } }),
    () => ({
      query,
      extensions: { persistedQuery: { version: random.pick<unknown>([0, 2, '1', null, []]), sha256Hash: hash } },
    }),
    () => ({
      query,
      extensions: {
        persistedQuery: {
          version: 1,
          sha256Hash: random.pick<unknown>(['', 'x', hash.toUpperCase(), `${hash}0`, null, 1, [hash], {}]),
        },
      },
    }),
    () => ({ query: '{ \ud800 }', extensions: { persistedQuery: { version: 1, sha256Hash: sha('{ \ufffd }') } } }),
    () => ({ query: '', extensions: { persistedQuery: { version: 1, sha256Hash: sha('') } } }),
    () => ({ query: `{ none${n} }`, extensions: { persistedQuery: { version: 1, sha256Hash: sha(`{ none${n} }`) } } }),
    () => ({
      query,
      extensions: random.pick<unknown>([
        null,
        [],
        1,
        'x',
        { persistedQuery: 'x' },
        { __proto__: 1 },
        { persistedQuery: {} },
      ]),
    }),
    () => ({ id: hash, documentId: hash, extensions: { persistedQuery: { sha256Hash: hash } } }),
  ])();
}

export const CACHE_KINDS: readonly Kind[] = [
  {
    name: 'patterns and namespaces to invalidate',
    attempts: ({ tokens }, random, count) =>
      times(count, () =>
        posting(random.pick([tokens.ADMIN, tokens.ADMIN, tokens.VIEWER]), INVALIDATE, { input: invalidation(random) }),
      ),
  },
  {
    name: 'answers that are kept, asked for in odd ways',
    attempts: ({ tokens, theirToken }, random, count) =>
      times(count, () => {
        const query = random.pick([
          '{ tenant { slug } }',
          '{ accounts { totalCount } }',
          '{ viewer { id } }',
          '{ dashboard(refresh: true) { date } }',
        ]);
        const own = random.chance(0.8);
        const headers = times(random.integer(1, 3), () => [random.pick(HEADERS), random.pick(VALUES)] as const);
        const token = own ? random.pick([tokens.ADMIN, tokens.VIEWER, tokens.ANALYST]) : theirToken;
        const request = random.chance(0.5)
          ? { method: 'GET', target: `/graphql?query=${encodeURIComponent(query)}`, headers }
          : { headers: [['content-type', 'application/json'] as const, ...headers], body: JSON.stringify({ query }) };
        const attempt = asking(token, request);
        // The other tenant is shown what is its own.
        return own ? attempt : { ...attempt, sent: `${attempt.sent} ${THEIRS.slug} ${THEIRS.timeZone}` };
      }),
  },
  {
    name: 'persisted queries',
    attempts: ({ tokens }, random, count) =>
      times(count, (n) =>
        asking(random.pick([tokens.VIEWER, tokens.VIEWER, null]), {
          headers: [['content-type', 'application/json']],
          body: JSON.stringify(persisted(random, n)),
        }),
      ),
  },
];
