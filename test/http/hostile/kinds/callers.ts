import type { Random } from '../../../graphql/fuzz/random.ts';
import { type Attempt, asking, atLeast, type Kind, posting, times } from '../attempt.ts';
import { THEIRS, type World } from '../world.ts';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const body = JSON.stringify({ query: '{ viewer { id role tenant { slug } } accounts { totalCount } }' });
const JSON_HEADER = ['content-type', 'application/json'] as const;
/** With Authorization headers as they are given, and none else. */
const authorized = (...values: readonly string[]): Attempt =>
  asking(null, { headers: [JSON_HEADER, ...values.map((value) => ['authorization', value] as const)], body });

const ALGORITHMS = [
  'none',
  'None',
  'NONE',
  '',
  'HS256',
  'HS384',
  'RS256',
  'ES256',
  'dir',
  'A256KW',
  null,
  1,
  ['HS256'],
];

async function badTokens({ sign }: World): Promise<string[]> {
  const claims = { sub: 'eve', tenant: THEIRS.slug, role: 'ADMIN', exp: 4_000_000_000 };
  const unsigned = ALGORITHMS.flatMap((alg) => [
    `${encode({ alg })}.${encode(claims)}.`,
    `${encode({ alg, typ: 'JWT' })}.${encode(claims)}.x`,
  ]);
  const wrong = await Promise.all([
    ...[{ exp: 1 }, { exp: 'x' }, { exp: -1 }, { exp: 1e300 }, { nbf: 4e9 }, { iat: 4e9 }, { iat: 'x' }].map((each) =>
      sign(each),
    ),
    ...[
      { tenant: 'nobody' },
      { tenant: '' },
      { tenant: "' OR ''='" },
      { tenant: '%' },
      { tenant: [THEIRS.id] },
      { tenant: { $ne: 1 } },
    ].map((each) => sign(each)),
    ...[
      { tenant: 'x'.repeat(5_000) },
      { tenant: '\u0000' },
      { tenant: null },
      { tenant: 7 },
      { tenant: '-' },
      { tenant: '__proto__' },
    ].map((each) => sign(each)),
    ...[
      { role: 'ROOT' },
      { role: 'admin' },
      { role: null },
      { role: ['ADMIN'] },
      { role: 'toString' },
      { role: '__proto__' },
    ].map((each) => sign(each)),
    ...[{ sub: '' }, { sub: null }, { sub: 5 }, { name: { toString: 1 } }].map((each) => sign(each)),
    sign({}, {}, 'another secret that is longer than 32 bytes'),
    sign({}, { alg: 'HS384' }),
    sign({}, { alg: 'HS512', kid: '../../../../dev/null' }),
    sign({}, {}, ' '.repeat(32)),
  ]);
  const good = await sign({});
  const [head, , signature] = good.split('.');
  const mended = [
    `${head}.${encode(claims)}.${signature}`,
    good.slice(0, -1),
    `${good}x`,
    `${good}.`,
    `.${good}`,
    good.replaceAll('.', '..'),
    good.split('.').reverse().join('.'),
  ];
  return [
    ...unsigned,
    ...wrong,
    ...mended,
    '',
    ' ',
    '.',
    '..',
    '...',
    'null',
    'a.b.c',
    'x'.repeat(8_193),
    'y'.repeat(15_000),
    '.'.repeat(9_000),
  ];
}

async function goodOdd({ sign }: World): Promise<string[]> {
  const odd = [
    { kid: 'none' },
    { kid: '../../etc/passwd' },
    { jku: 'http://127.0.0.1:1/keys' },
    { x5u: 'http://127.0.0.1:1/' },
    { typ: 'none' },
    { jwk: { kty: 'oct', k: 'x' } },
  ];
  const subjects = ['x'.repeat(3_000), '\u0000', '\ud800', '%', "'; --", '\n', '😀', '__proto__', 'operator:root'];
  return Promise.all([...odd.map((header) => sign({}, header)), ...subjects.map((sub) => sign({ sub, name: sub }))]);
}

async function tokens(world: World, _random: Random, count: number): Promise<Attempt[]> {
  const [bad, odd] = await Promise.all([badTokens(world), goodOdd(world)]);
  const { VIEWER } = world.tokens;
  const bearer = (token: string) => `Bearer ${token}`;
  const schemes = [
    'bearer',
    'BEARER',
    'Basic',
    'Digest',
    'Token',
    '',
    'Bearer Bearer',
    'Bearer\t',
    'Bearer  ',
    'Bearer,',
  ];
  const attempts = [
    ...[...bad, ...odd].map((token) => authorized(bearer(token))),
    ...schemes.map((scheme) => authorized(`${scheme} ${VIEWER}`)),
    ...bad
      .slice(0, 12)
      .flatMap((token) => [authorized(bearer(token), bearer(VIEWER)), authorized(bearer(VIEWER), bearer(token))]),
    authorized(...times(50, () => bearer(VIEWER))),
    authorized(`${bearer(VIEWER)}, ${bearer(VIEWER)}`),
    authorized(bearer(VIEWER).replace('.', '\u0000')),
  ];
  return atLeast(count, attempts);
}

const REPORTS = [
  'performance { tenants(first: $n) { slug day { requests errors { code count } } } }',
  'performance { tenants(first: $n, orderBy: ROWS) { id hour { databaseMs } } }',
  'performance { tables(model: $s) { model rows } }',
  'performance { indexes(model: $s) { __typename } }',
  'performance { operations { name statements latency { count p95Ms: mean } } }',
  'performance { queries { action model rows } resolvers { coordinate } slowQueries { sql plan advice operation } }',
  'performance { cache { namespace hits misses tiers { tier fills } } resources { rssBytes redisMemoryBytes } }',
  'rateLimit { cost limit remaining resetAt tenant { limit remaining resetAt } }',
  'rateLimit(first: $n) { cost }',
  'auditLog(first: $n, who: $s) { totalCount nodes { key codes } }',
  'auditLog(last: $n, what: $s, before: $s) { nodes { id } }',
];
const MODELS = [
  'Tenant',
  'BankAccount',
  'tenants',
  'bank_accounts',
  '__proto__',
  'pg_authid',
  '',
  '%',
  '\u0000',
  'x'.repeat(5_000),
];

function reports(pick: (world: World, random: Random) => string): Kind['attempts'] {
  return (world, random, count) =>
    times(count, () => {
      const n = random.pick<unknown>([1, 0, -1, 100, 101, 2_147_483_647, 2_147_483_648, 1.5, null, '1', []]);
      const s = random.pick<unknown>([...MODELS, null, 1, {}]);
      return posting(pick(world, random), `query ($n: Int = 1, $s: String) { ${random.pick(REPORTS)} }`, { n, s });
    });
}

export const CALLER_KINDS: readonly Kind[] = [
  { name: 'tokens', attempts: tokens },
  {
    name: 'reports',
    attempts: reports(({ tokens }, random) => random.pick([tokens.VIEWER, tokens.ANALYST, tokens.ADMIN])),
  },
  { name: 'reports for operators', attempts: reports(({ tokens }) => tokens.OPERATOR), isOperators: true },
];
