import type { Random } from '../../../graphql/fuzz/random.ts';
import { type Attempt, asking, type Kind, posting, times } from '../attempt.ts';
import type { World } from '../world.ts';

/** What may stand for itself at the root, whoever asks. */
const FIELDS = ['tenant { slug }', 'viewer { role }', 'accounts { totalCount }', 'rateLimit { limit }', '__typename'];
/** From what is allowed to far beyond each limit. */
const SIZES = [1, 2, 3, 5, 12, 13, 20, 29, 30, 31, 49, 50, 51, 99, 200, 333, 500, 998, 1_001, 2_500, 5_000];

const nested = (before: string, levels: number, within: string, after: string) =>
  before.repeat(levels) + within + after.repeat(levels);

const NESTINGS: readonly ((levels: number) => string)[] = [
  (n) => `{ ${nested('tenant { ', n, 'id', '}')} }`,
  (n) => `{ transactions { nodes { ${nested('account { transactions { nodes { ', n, 'id', '}}}')} } } }`,
  (n) => `{ account(id: ${nested('[', n, '1', ']')}) { id } }`,
  (n) => `{ accounts(filter: ${nested('{ a: ', n, '1', '}')}) { totalCount } }`,
  (n) => `query ($v: ${nested('[', n, 'Int', ']')}) { accounts(first: $v) { totalCount } }`,
  (n) => `{ ${nested('... { ', n, '__typename', '}')} }`,
  (n) => `{ ${nested('... on Query { ', n, 'tenant { slug }', '}')} }`,
  (n) => `{ ${nested('... @include(if: true) { ', n, '__typename', '}')} }`,
  (n) => '{'.repeat(n),
  (n) => `{ a${'('.repeat(n)}`,
  (n) => `{ a(b: ${'[{c:'.repeat(n)}`,
  (n) => '}'.repeat(n),
];

const DIRECTIVES = ['@include(if: true)', '@skip(if: false)', '@skip(if: true)', '@none', '@deprecated', '@oneOf'];
const ODD_DIRECTIVES = [
  '@include',
  '@include(if: 1)',
  '@include(if: null)',
  '@include(if: $absent)',
  '@cacheControl(maxAge: 5)',
  '@specifiedBy(url: "x")',
  '@__proto__',
];

function documents(name: string, make: (random: Random, n: number) => string): Kind {
  return {
    name,
    attempts: ({ tokens }, random, count) => times(count, (n) => posting(tokens.ADMIN, make(random, n))),
  };
}

const directive = (random: Random) => random.pick(random.chance(0.7) ? DIRECTIVES : ODD_DIRECTIVES);

function fragments(random: Random): string {
  const count = random.pick(SIZES.filter((size) => size < 1_100));
  const chain = (last: string, spreads = 1) =>
    `{ ...f0 } ${times(count, (n) => `fragment f${n} on Query { ${`...f${n + 1} `.repeat(spreads)}}`).join(' ')} fragment f${count} on Query { ${last} }`;
  return random.pick([
    () => chain('__typename'),
    () => chain('...f0'),
    () => chain('tenant { slug }', 2),
    () => chain('accounts { totalCount }', 10),
    () => chain('...none'),
    () => '{ ...a } fragment a on Query { ...a }',
    () => '{ tenant { ...a } } fragment a on Tenant { ...b } fragment b on Tenant { ...a slug }',
    () => '{ ...a } fragment a on Tenant { slug }',
    () => '{ ...a } fragment a on Nothing { slug }',
    () => '{ ...a } fragment a on Query { __typename } fragment a on Query { tenant { slug } }',
    () => 'fragment on on Query { __typename }',
    () => '{ ...__proto__ } fragment __proto__ on Query { tenant { slug } }',
    () => '{ ...constructor }',
    () =>
      `{ ${times(count, (n) => `...f${n}`).join(' ')} } ${times(count, (n) => `fragment f${n} on Query { a${n}: __typename }`).join(' ')}`,
  ])();
}

function repeated(random: Random): string {
  const count = random.pick(SIZES);
  return random.pick([
    () => `{ ${`${random.pick(FIELDS)} `.repeat(count)}}`,
    () => `{ tenant { ${'slug '.repeat(count)}} }`,
    () => `{ ${'... { tenant { slug } } '.repeat(count)}}`,
    () => `{ ${times(count, (n) => `accounts(first: ${n + 1}) { totalCount }`).join(' ')} }`,
    () => `{ ${times(count, (n) => `... { x: account(id: "${n}") { id } }`).join(' ')} }`,
    () => `{ tenant { ${times(count, () => 'x: slug x: name').join(' ')} } }`,
    () => `{ ${'...f '.repeat(count)}} fragment f on Query { tenant { slug } }`,
  ])();
}

/** Up to beyond what a body may be. */
const LENGTHS = [1_000, 9_999, 30_000, 65_500, 65_536, 70_000, 250_000, 1_048_000, 1_048_577, 1_300_000];

function huge(random: Random, n: number): string {
  // Large ones are few: what is measured is that they are refused, not how often.
  const length = n % 16 === 0 ? random.pick(LENGTHS) : random.pick(LENGTHS.slice(0, 5));
  return random.pick([
    () => `{ ${'x'.repeat(length)} }`,
    () => `{ account(id: "${'y'.repeat(length)}") { id } }`,
    () => `{ account(id: """${'y\\n'.repeat(length / 3)}""") { id } }`,
    () => `#${'z'.repeat(length)}\n{ tenant { slug } }`,
    () => `{ tenant { slug } }${','.repeat(length)}`,
    () => `${' '.repeat(length)}{ tenant { slug } }`,
    () => `{ ${'a '.repeat(length / 2)}}`,
    () => `{ accounts(first: ${'9'.repeat(length)}) { totalCount } }`,
    () => `query ${'N'.repeat(length)} { tenant { slug } }`,
    () => `query (${'$a: Int '.repeat(length / 8)}) { tenant { slug } }`,
    () => `{ accounts(filter: { bankName: "${'\\u0041'.repeat(length / 6)}" }) { totalCount } }`,
    () => '\\'.repeat(length),
    () => '"'.repeat(length),
    () => '\u0000'.repeat(length / 6),
  ])();
}

const NAMES = ['tenan', 'acounts', 'acount', 'transaction', 'viwer', 'rateLimits', 'Query', '_service', '_entities'];
const META = ['__schema', '__type', '__typename', '__proto__', '__defineGetter__', '__directives'];

function introspection(random: Random): string {
  return random.pick([
    () =>
      `{ __schema { types { name fields { name type { ${nested('ofType { ', random.integer(0, 20), 'name', '}')} } } } } }`,
    () =>
      `{ __type(name: "${random.pick(['Query', 'Tenant', 'none', '__Type', 'cache_outbox'])}") { name fields { name } } }`,
    () => `{ ${random.pick(NAMES)} }`,
    () => `{ ${random.pick(NAMES)}(id: 1) { ${random.pick(NAMES)} } }`,
    () => `{ tenant { ${random.pick(NAMES)} } ${random.pick(META)} }`,
    () => `{ ${random.pick(META)} { ${random.pick(META)} } }`,
    () => `mutation { createAcount(inptu: { bankNam: "x" }) { acount } }`,
    () => `{ accounts(filtr: {}) { totalCoun } }`,
    () => `{ accounts(filter: { bankNme: "x", status: ACTIV }) { totalCount } }`,
    () => `query ($v: CreateAcountInput) { tenant { slug } }`,
    () => `{ ... on ${random.pick(['Tenan', 'BankAcount', 'Query', 'UserErr'])} { id } }`,
    () => `subscription { ${random.pick(NAMES)} }`,
    () => `type Query { x: Int } extend type Tenant { y: Int }`,
    () => `query A { tenant { slug } } query ${random.pick(['A', 'B'])} { tenant { slug } }`,
  ])();
}

function strangers(_world: World, random: Random, count: number): Attempt[] {
  const headers = [['content-type', 'application/json']] as const;
  const query = () => random.pick([fragments, repeated, introspection])(random);
  return times(count, () => asking(null, { headers, body: JSON.stringify({ query: query() }) }));
}

export const DOCUMENT_KINDS: readonly Kind[] = [
  documents('deep nesting', (random) => random.pick(NESTINGS)(random.pick(SIZES))),
  documents(
    'wide aliases',
    (random) => `{ ${times(random.pick(SIZES), (n) => `a${n}: ${random.pick(FIELDS)}`).join(' ')} }`,
  ),
  documents('many directives', (random) => {
    const some = times(random.pick(SIZES), () => directive(random)).join(' ');
    return random.pick([
      `{ tenant ${some} { slug } }`,
      `query ${some} { tenant { slug ${some} } }`,
      `{ ... ${some} { __typename } }`,
    ]);
  }),
  documents('repeated fields', repeated),
  documents('huge documents', huge),
  documents('fragments in circles and chains', fragments),
  documents('what there is in the schema', introspection),
  { name: 'documents of strangers', attempts: strangers },
];
