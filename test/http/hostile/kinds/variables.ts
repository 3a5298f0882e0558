import type { Random } from '../../../graphql/fuzz/random.ts';
import { type Kind, postingRaw, times } from '../attempt.ts';
import { OWN } from '../world.ts';

/** Operations with a variable `$v`, by its type. */
const PLACES: readonly (readonly [type: string, selection: string])[] = [
  ['ID!', 'account(id: $v) { id }'],
  ['Int', 'accounts(first: $v) { totalCount }'],
  ['Int!', 'accountList(page: $v) { count }'],
  ['Int!', 'accountList(pageSize: $v) { count results { id } }'],
  ['String!', 'accountByNumber(accountNumber: $v) { id }'],
  ['String', 'accounts(after: $v) { totalCount }'],
  ['AccountFilter', 'accounts(filter: $v) { totalCount nodes { id } }'],
  ['TransactionFilter', 'transactions(filter: $v) { totalCount nodes { id } }'],
  ['AccountOrder', 'accounts(orderBy: $v) { totalCount }'],
  ['Date', 'dashboard(date: $v) { date }'],
  ['Decimal', 'accounts(filter: { minBalance: $v }) { totalCount }'],
  ['DateTime', 'transactions(filter: { bookedFrom: $v }) { totalCount }'],
  ['Boolean!', 'tenant { slug @include(if: $v) }'],
  ['[Int!]', 'tenant { slug }'],
  ['StatisticsPeriod!', 'statistics(period: $v) { from to }'],
];

/** As JSON may say them. */
const ODD = [
  ...[
    '1e999',
    '-1e999',
    '-0',
    '0',
    '1e-999',
    '1e3',
    '3.0',
    '2147483647',
    '2147483648',
    '-2147483649',
    '9007199254740993',
  ],
  ...[
    '123456789012345678901234567890',
    '0.1e1',
    '""',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u0000"',
    '"\\u202e"',
    '"\\uffff"',
  ],
  ...[
    'null',
    'true',
    '[]',
    '{}',
    '[[]]',
    '[null]',
    '{"__proto__":{"status":"ACTIVE"}}',
    '{"constructor":1}',
    '{"toJSON":1}',
  ],
  ...[
    '{"length":3}',
    '{"then":1}',
    '{"value":"x","kind":"String"}',
    '["__proto__"]',
    '"__proto__"',
    '"[object Object]"',
  ],
  ...['{"status":"ACTIVE","status":"NONE"}', '{"$ne":null}', '{"raw":"1=1"}', '"NaN"', '"Infinity"', '"1e5"', '"٣"'],
];

const deep = (levels: number, before: string, after: string) => `${before.repeat(levels)}1${after.repeat(levels)}`;

function oddValue(random: Random): string {
  if (random.chance(0.6)) return random.pick(ODD);
  return random.pick([
    () => deep(random.pick([10, 500, 5_000]), '[', ']'),
    () => deep(random.pick([10, 500, 3_000]), '{"a":', '}'),
    () => `[${times(random.pick([1, 100, 5_000]), String)}]`,
    () => `{${times(random.pick([5, 60, 2_000]), (n) => `"x${n}":${n}`)}}`,
    () => JSON.stringify('x'.repeat(random.pick([200, 201, 10_000, 60_000]))),
    () => JSON.stringify('😀'.repeat(random.pick([100, 20_000]))),
    () =>
      JSON.stringify(random.pick(['\ud83d', '\ufeff', '\u0085', '\u2028', '\t', ' ', "'", '"', '\\', '%00', '\x7f'])),
  ])();
}

function argument(name: string, type: string, selections: readonly string[], values: readonly string[]): Kind {
  const query = (selection: string) => `query ($v: ${type}) { ${selection} }`;
  return {
    name,
    attempts: ({ tokens }, random, count) =>
      times(count, () => {
        const value = random.chance(0.85) ? JSON.stringify(random.pick(values)) : oddValue(random);
        return postingRaw(tokens.ADMIN, query(random.pick(selections)), `{"v":${value}}`);
      }),
  };
}

const DAYS = [
  ...[
    '0001-01-01',
    '0000-01-01',
    '9999-12-31',
    '9999-12-30',
    '10000-01-01',
    '-0001-01-01',
    '+2025-01-01',
    '2025-02-29',
  ],
  ...['2024-02-29', '2025-13-01', '2025-00-10', '2025-1-1', '20250101', '2025-W01-1', '2025-01-01T00:00:00Z', 'today'],
  ...[
    'infinity',
    '-infinity',
    'epoch',
    '1582-10-10',
    '1900-02-29',
    '2025-03-30',
    '2025-10-26',
    ' 2025-01-01',
    '２０２５-01-01',
  ],
  ...['0001-01-02', '1970-01-01', '2025-06-31', '2025-12-32', '', 'Invalid Date', '9999-99-99', '2025-01-01 BC'],
];
const INSTANTS = [
  ...[
    '0001-01-01T00:00:00Z',
    '0001-01-02T00:00:00.000Z',
    '9999-12-31T23:59:59.999Z',
    '9999-12-31T23:59:60Z',
    '2025-01-01',
  ],
  ...['0001-01-01T00:00:00+14:00', '9999-12-31T23:59:59-12:00', '2025-01-01T24:00:00Z', '2025-01-01T00:00:00+24:00'],
  ...[
    '2025-01-01T00:00:00.0000000001Z',
    '2025-01-01t00:00:00z',
    '2025-03-30T02:30:00+01:00',
    '2025-01-01 00:00:00Z',
    'now',
  ],
  ...[
    '2025-01-01T00:00:00',
    '2025-01-01T00:00:00+99:99',
    '2025-01-01T00:00:00−01:00',
    '+275760-09-13T00:00:00Z',
    '1e12',
  ],
  ...[
    '2025-01-01T00:00:00[Europe/Prague]',
    '2025-01-01T00:00:00 America/New_York',
    '2016-12-31T23:59:60Z',
    '',
    'infinity',
  ],
];
const DECIMALS = [
  ...[
    '999999999999999.9999',
    '-999999999999999.9999',
    '1000000000000000',
    '0.00001',
    '-0',
    '+0',
    '.5',
    '5.',
    '1e10',
    '1e-10',
  ],
  ...[
    'NaN',
    'Infinity',
    '-Infinity',
    '0x10',
    '1_000',
    '1,000',
    ' 1',
    '1 ',
    '',
    '-',
    '+',
    '--1',
    '1.2.3',
    '٣',
    '９',
    '1e999999',
  ],
  ...[
    '0000000000000000000001',
    '999999999999999.99999',
    '-0.0001',
    '0.0000',
    "1'; --",
    '1::text',
    '9'.repeat(4_000),
    '1/0',
  ],
];
const TEXTS = [
  ...[
    '%',
    '_',
    '%%%',
    '\\',
    '\\%',
    '\\_',
    '[a-z]',
    '.*',
    '(a+)+$',
    '^',
    '$',
    '|',
    '*',
    '?',
    "'",
    "''",
    '"',
    '`',
    ';',
    '--',
    '/*',
  ],
  ...[
    "' OR 1=1 --",
    "'; DROP TABLE tenants; --",
    '$1',
    '$$',
    '#{x}',
    '{{x}}',
    '%s',
    '%n',
    '\u0000',
    'a\u0000b',
    '\ud800',
    '\udfff',
  ],
  ...[
    '\u202e',
    '\u200b',
    '\ufeff',
    '\u0001',
    '\n',
    '\r\n',
    '\t',
    ' ',
    '',
    'NULL',
    'null',
    'undefined',
    'İ',
    'ß',
    'ﬃ',
    '😀'.repeat(50),
  ],
  ...[
    'a'.repeat(201),
    'a'.repeat(30_000),
    '(a+)+$'.repeat(500),
    '%'.repeat(5_000),
    '\\'.repeat(5_001),
    '_'.repeat(10_000),
  ],
];
const ENUMS = [
  ...[
    'ACTIVE',
    'active',
    'Active',
    'ACTIVE ',
    '',
    'NONE',
    '__proto__',
    'constructor',
    'toString',
    'CHECKING',
    'DAILY',
    'daily',
  ],
  ...[
    'HOURLY',
    'ASC',
    'DESC',
    'asc',
    'BALANCE',
    'balance',
    'BALANCE; --',
    'CREATED_AT',
    'created_at',
    'CREDIT',
    'ACTİVE',
    '0',
    '1',
  ],
  ...[
    'Europe/Prague',
    'UTC',
    'UTC+3',
    'Etc/GMT+3',
    '../../etc/localtime',
    'posix/Europe/Prague',
    'Mars/Olympus',
    'A'.repeat(5_000),
  ],
];
const SIZES = [
  ...[0, 1, -1, 20, 100, 101, 1_000],
  ...[2_147_483_647, -2_147_483_648, 2_147_483_648, 1.5, 1e21, 4_294_967_296],
];

export const VARIABLE_KINDS: readonly Kind[] = [
  {
    name: 'odd variables',
    attempts: ({ tokens }, random, count) =>
      times(count, () => {
        const [type, selection] = random.pick(PLACES);
        return postingRaw(tokens.ADMIN, `query ($v: ${type}) { ${selection} }`, `{"v":${oddValue(random)}}`);
      }),
  },
  {
    name: 'odd sets of variables',
    attempts: ({ tokens }, random, count) =>
      times(count, (n) => {
        const value = oddValue(random);
        const sets = [
          value,
          `{"V":${value}}`,
          `{"__proto__":${value}}`,
          `{"v":1,"v":${value}}`,
          `{"":${value}}`,
          `[{"v":1}]`,
          '"{}"',
          '{"v":1',
        ];
        const [type, selection] = random.pick(PLACES);
        return postingRaw(
          tokens.ADMIN,
          `query ($v: ${type}, $w: [${type.replace('!', '')}]) { ${selection} }`,
          sets[n % sets.length] as string,
        );
      }),
  },
  argument(
    'days at the edges',
    'Date',
    [
      'dashboard(date: $v) { date cashFlow: activity { __typename } }',
      'dashboard(date: $v) { date }',
      'statistics(period: YEARLY, from: $v) { from to }',
      'statistics(period: DAILY, to: $v) { from to }',
      'statistics(period: WEEKLY, from: $v, to: $v) { buckets { start end } }',
    ],
    DAYS,
  ),
  argument(
    'instants at the edges',
    'DateTime',
    [
      'transactions(filter: { bookedFrom: $v }) { totalCount }',
      'transactions(filter: { bookedTo: $v, category: "rent" }) { totalCount nodes { id } }',
      'accounts(filter: { createdFrom: $v, createdTo: $v }) { totalCount }',
      'auditLog(since: $v) { totalCount }',
    ],
    INSTANTS,
  ),
  argument(
    'decimals at the edges',
    'Decimal',
    [
      'accounts(filter: { minBalance: $v }) { totalCount }',
      'accounts(filter: { maxBalance: $v }, first: 2) { nodes { balance } }',
      'transactions(filter: { minAmount: $v, maxAmount: $v }) { totalCount }',
    ],
    DECIMALS,
  ),
  argument(
    'texts that search',
    'String',
    [
      'accounts(filter: { bankName: $v }) { totalCount nodes { id } }',
      'accounts(filter: { accountNumber: $v, currency: $v }) { totalCount }',
      'accounts(filter: { currency: $v }) { totalCount }',
      'transactions(filter: { category: $v }) { totalCount nodes { id } }',
      'accountByNumber(accountNumber: "0001", bankName: $v) { id }',
      'auditLog(who: $v) { totalCount }',
      'auditLog(what: $v) { nodes { id } }',
    ],
    TEXTS,
  ),
  {
    name: 'names of enums and of time zones',
    attempts: ({ tokens }, random, count) =>
      times(count, () => {
        const name = random.pick(ENUMS);
        const written = random.chance(0.5) ? name : JSON.stringify(name);
        const [field, type] = random.pick([
          ['accounts(filter: { status: $v }) { totalCount }', 'AccountStatus'],
          ['accounts(filter: { accountType: $v }) { totalCount }', 'AccountType'],
          ['accounts(orderBy: { field: $v }) { totalCount }', 'AccountOrderField!'],
          ['accounts(orderBy: { field: BALANCE, direction: $v }) { totalCount }', 'OrderDirection!'],
          ['statistics(period: $v) { from }', 'StatisticsPeriod!'],
          ['transactions(filter: { direction: $v }) { totalCount }', 'TransactionDirection'],
        ] as const);
        if (random.chance(0.5)) return postingRaw(tokens.ADMIN, `{ ${field.replace('$v', written)} }`, '{}');
        return postingRaw(tokens.ADMIN, `query ($v: ${type}) { ${field} }`, JSON.stringify({ v: name }));
      }),
  },
  argument(
    'sizes and numbers of pages',
    'Int',
    [
      'accounts(first: $v) { totalCount nodes { id } }',
      'accounts(last: $v, before: "x") { totalCount }',
      'accounts(first: $v, last: $v) { totalCount }',
      'transactions(last: $v) { nodes { id } }',
      'auditLog(first: $v) { nodes { id } }',
      'dashboard(maxStalenessSeconds: $v) { date }',
      'statistics(maxStalenessSeconds: $v) { from }',
    ],
    SIZES as unknown as string[],
  ),
  argument(
    'numbers that may not be absent',
    'Int!',
    [
      'accountList(page: $v) { count page totalPages results { id } }',
      'accountList(page: $v, pageSize: $v) { count }',
      'dashboard { activity(days: $v) { __typename } }',
      'dashboard { topAccounts(limit: $v) { id } }',
      'accounts(first: 2) { nodes { recentTransactions(limit: $v) { id } } }',
    ],
    SIZES as unknown as string[],
  ),
  {
    name: 'ids of others and of none',
    attempts: ({ tokens, theirIds }, random, count) =>
      times(count, () => {
        const id = random.pick([
          ...theirIds,
          ...[
            OWN.id,
            '',
            '0',
            'null',
            '00000000-0000-0000-0000-000000000000',
            'ffffffff-ffff-ffff-ffff-ffffffffffff',
            '%',
            "' OR ''='",
          ],
          ...[
            `{${OWN.id}}`,
            OWN.id.replaceAll('-', ''),
            OWN.id.toUpperCase(),
            ` ${OWN.id}`,
            `${OWN.id}\n`,
            `${OWN.id}\u0000`,
            'x'.repeat(9_000),
          ],
        ]);
        const selection = random.pick([
          'account(id: $v) { id bankName balance transactions { totalCount nodes { description } } }',
          'transactions(filter: { accountId: $v }) { totalCount nodes { category description } }',
          'accounts(filter: { bankName: "zz" }) { totalCount } account(id: $v) { tenant { slug } recentTransactions { amount } }',
        ]);
        const value = random.chance(0.9) ? JSON.stringify(id) : oddValue(random);
        return postingRaw(tokens.VIEWER, `query ($v: ID!) { ${selection} }`, `{"v":${value}}`);
      }),
  },
];
