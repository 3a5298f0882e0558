import fc from 'fast-check';
import { type GraphQLArgument, type GraphQLInputField, getNamedType, isInputObjectType, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSchema } from '../../src/app/schema.ts';
import { AUDIT_ACTIONS } from '../../src/audit/audit-actions.ts';
import { Role } from '../../src/auth/caller.ts';
import { type GraphqlAnswer, startService, type TestService } from '../support/service.ts';
import { insertTwins, TWINS, type Twin, twinAccountId } from '../support/twin-tenants.ts';

let service: TestService;
let token: string;
let operator: string;
beforeAll(async () => {
  service = await startService();
  await insertTwins(service.databaseUrl);
  token = await service.token(Role.ADMIN, (TWINS[0] as Twin).slug);
  operator = await service.token(Role.OPERATOR);
});
afterAll(() => service.close());

const ID = twinAccountId(0);
const IDS = ['', 'x', '1', `${ID}0`, `{${ID}}`, ID.replaceAll('-', ''), ID.replace(/./, 'g'), `${ID}\0`, `' OR 1=1 --`];
const DAYS = [
  '',
  '2025-02-30',
  '2025-2-3',
  '2025-13-01',
  '25-01-01',
  '0000-12-31',
  '10000-01-01',
  'today',
  '2025-01-01Z',
];
const INSTANTS = [
  ...['', 'now', '2025-01-01', '2025-01-01T00:00:00', '2025-01-01 00:00:00Z', '2025-01-01T24:00:00Z'],
  ...['2025-02-30T00:00:00Z', '2025-01-01T00:60:00Z', '2025-01-01T00:00:60Z', '2025-01-01T00:00:00+24:00'],
  ...[
    '9999-12-31T23:59:59-01:00',
    '0001-01-01T00:00:00+00:01',
    '0000-01-01T00:00:00Z',
    'infinity',
    '2025-01-01T00:00:00Z\0',
  ],
];
const DECIMALS = [
  '',
  '1,5',
  '1e3',
  '.5',
  '5.',
  '1.00001',
  '1000000000000000',
  'NaN',
  'Infinity',
  '0x10',
  '--1',
  '1 ',
  '1\0',
];
const TEXTS = ['\0', 'a\0b'];
const SIZES = [0, -1, 101, 5000, 2_147_483_647, -2_147_483_648];
const MINUTES = [0, -1, 1_441, 2_147_483_647];
const CURSORS = [
  ...['', 'x', '%%%', ID, encode('x'), encode([]), encode({}), encode(null)],
  // Another order's, another column's value, no id, something that PostgreSQL could not read.
  ...[encode(['BALANCE', '1', ID]), encode(['-BOOKED_AT', '1', ID]), encode(['CREATED_AT', '1', ID])],
  ...['-BOOKED_AT', 'CREATED_AT'].flatMap((order) => [
    encode([order, '2025-01-01T00:00:00.000Z', 'x']),
    encode([order, '2025-01-01T00:00:00.000Z', 5]),
    encode([order, '+010000-01-01T00:00:00.000Z', ID]),
    encode([order, '0000-01-01T00:00:00.000Z', ID]),
    encode([order, '-000001-01-01T00:00:00.000Z', ID]),
    encode([order, '\0', ID]),
  ]),
];

type Case = readonly [string, string, string, string, readonly unknown[]];

/** Of the beginnings of texts, and of lists of them. */
function textFilters(list: string, end: string, starts: readonly string[], lists: readonly string[]): Case[] {
  const expected = 'without null characters';
  return [
    ...starts.map((name): Case => {
      const field = `${name}StartsWith`;
      return [`${list}{ ${field}: $v }${end}`, 'String', `filter.${field}`, expected, TEXTS];
    }),
    ...lists.map((name): Case => [`${list}{ ${name}In: [$v] }${end}`, 'String!', `filter.${name}In`, expected, TEXTS]),
  ];
}

/**
 * Of each argument: an operation with it as `$v`, its type, its path in messages, what is expected,
 * and what is not.
 */
const CASES: readonly Case[] = [
  ['account(id: $v) { id }', 'ID!', 'id', 'a UUID', IDS],
  ['accountByNumber(accountNumber: $v) { id }', 'String!', 'accountNumber', 'without null characters', TEXTS],
  ['accountByNumber(accountNumber: "1", bankName: $v) { id }', 'String', 'bankName', 'without null characters', TEXTS],
  ...['accounts(', 'transactions(', 'auditLog(', `account(id: "${ID}") { transactions(`].flatMap((list) => {
    const end = list.includes('{') ? '}' : '';
    return [
      [`${list}first: $v) { nodes { id } } ${end}`, 'Int', 'first', 'between 1 and 100', SIZES],
      [`${list}last: $v) { nodes { id } } ${end}`, 'Int', 'last', 'between 1 and 100', SIZES],
      [`${list}first: 5, last: $v) { nodes { id } } ${end}`, 'Int', 'last', 'absent when first is given', [5]],
      [`${list}after: $v) { nodes { id } } ${end}`, 'String', 'after', 'a cursor', CURSORS],
      [`${list}before: $v) { nodes { id } } ${end}`, 'String', 'before', 'a cursor', CURSORS],
    ] as const;
  }),
  ['accountList(page: $v) { page }', 'Int!', 'page', 'between 1 and 1000000', [0, -1, 1_000_001, 2_147_483_647]],
  ['accountList(pageSize: $v) { page }', 'Int!', 'pageSize', 'between 1 and 100', SIZES],
  ...['accounts(filter: ', 'accountList(filter: '].flatMap((list) => {
    const end = list.startsWith('accounts') ? ') { totalCount }' : ') { count }';
    return [
      [`${list}{ minBalance: $v }${end}`, 'Decimal', 'filter.minBalance', 'a decimal', DECIMALS],
      [`${list}{ maxBalance: $v }${end}`, 'Decimal', 'filter.maxBalance', 'a decimal', DECIMALS],
      [`${list}{ createdFrom: $v }${end}`, 'DateTime', 'filter.createdFrom', 'an instant', INSTANTS],
      [`${list}{ createdTo: $v }${end}`, 'DateTime', 'filter.createdTo', 'an instant', INSTANTS],
      [`${list}{ bankName: $v }${end}`, 'String', 'filter.bankName', 'without null characters', TEXTS],
      [`${list}{ accountNumber: $v }${end}`, 'String', 'filter.accountNumber', 'without null characters', TEXTS],
      [`${list}{ currency: $v }${end}`, 'String', 'filter.currency', 'without null characters', TEXTS],
      [`${list}{ updatedFrom: $v }${end}`, 'DateTime', 'filter.updatedFrom', 'an instant', INSTANTS],
      [`${list}{ updatedTo: $v }${end}`, 'DateTime', 'filter.updatedTo', 'an instant', INSTANTS],
      ...textFilters(list, end, ['bankName', 'accountNumber'], ['bankName', 'accountNumber', 'currency']),
    ] as const;
  }),
  ...['transactions(', `account(id: "${ID}") { transactions(`].flatMap((list) => {
    const end = `) { totalCount }${list.includes('{') ? ' }' : ''}`;
    return [
      [`${list}filter: { accountId: $v }${end}`, 'ID', 'filter.accountId', 'a UUID', IDS],
      [`${list}filter: { category: $v }${end}`, 'String', 'filter.category', 'without null characters', TEXTS],
      [`${list}filter: { accountIdIn: [$v] }${end}`, 'ID!', 'filter.accountIdIn', 'a UUID', IDS],
      [`${list}filter: { currency: $v }${end}`, 'String', 'filter.currency', 'without null characters', TEXTS],
      [
        `${list}filter: { counterpartyBank: $v }${end}`,
        ...(['String', 'filter.counterpartyBank', 'without null characters', TEXTS] as const),
      ],
      ...textFilters(
        `${list}filter: `,
        end,
        ['category', 'counterpartyBank', 'description'],
        ['category', 'counterpartyBank', 'currency'],
      ),
      [`${list}filter: { minAmount: $v }${end}`, 'Decimal', 'filter.minAmount', 'a decimal', DECIMALS],
      [`${list}filter: { maxAmount: $v }${end}`, 'Decimal', 'filter.maxAmount', 'a decimal', DECIMALS],
      [`${list}filter: { bookedFrom: $v }${end}`, 'DateTime', 'filter.bookedFrom', 'an instant', INSTANTS],
      [`${list}filter: { bookedTo: $v }${end}`, 'DateTime', 'filter.bookedTo', 'an instant', INSTANTS],
    ] as const;
  }),
  [`account(id: "${ID}") { recentTransactions(limit: $v) { id } }`, 'Int!', 'limit', 'between 1 and 100', SIZES],
  ['dashboard(date: $v) { date }', 'Date', 'date', 'a calendar day', DAYS],
  ['dashboard { activity(days: $v) { series { date } } }', 'Int!', 'days', 'between 1 and 366', [0, -7, 367, 100_000]],
  ['dashboard { topAccounts(limit: $v) { id } }', 'Int!', 'limit', 'between 1 and 100', SIZES],
  ['dashboard { recentTransactions(limit: $v) { id } }', 'Int!', 'limit', 'between 1 and 100', SIZES],
  ['dashboard(maxStalenessSeconds: $v) { date }', 'Int', 'maxStalenessSeconds', 'between 0 and 3600', [-1, 3_601]],
  ['statistics(maxStalenessSeconds: $v) { from }', 'Int', 'maxStalenessSeconds', 'between 0 and 3600', [-1, 3_601]],
  ['statistics(from: $v) { from }', 'Date', 'from', 'a calendar day', DAYS],
  ['statistics(to: $v) { from }', 'Date', 'to', 'a calendar day', DAYS],
  [
    'performance { indexes(model: $v) { index } }',
    'String',
    'model',
    'one of Tenant, BankAccount',
    ['', 'pg_class', '\0'],
  ],
  ['auditLog(since: $v) { totalCount }', 'DateTime', 'since', 'an instant', INSTANTS],
  ['auditLog(who: $v) { totalCount }', 'String', 'who', 'without null characters', TEXTS],
  [
    'auditLog(what: $v) { totalCount }',
    'String',
    'what',
    `one of ${AUDIT_ACTIONS.join(', ')}`,
    ['', 'transfers', 'Transfer', 'transfer ', 'audit', '*', ...TEXTS],
  ],
  ['performance { history(minutes: $v) { start } }', 'Int!', 'minutes', 'between 1 and 1440', MINUTES],
  ['performance { tenants(first: $v) { slug } }', 'Int!', 'first', 'between 1 and 100', SIZES],
  ['performance { tables(model: $v) { model } }', 'String', 'model', 'one of Tenant, BankAccount', ['', 'tenants']],
];

describe('values that do not hold are BAD_USER_INPUT, naming the argument, what was expected and what came', () => {
  test.each(CASES)('%s', async (selection, type, argument, expected, values) => {
    const as = selection.startsWith('performance') ? operator : token;
    for (const value of values) {
      const inline = await service.send(as, `{ ${selection.replace('$v', JSON.stringify(value))} }`);
      const variable = await service.send(as, `query ($v: ${type}) { ${selection} }`, { v: value });
      const place = placeOf(argument);
      for (const { errors } of [inline, variable]) {
        expect(errors, JSON.stringify(value)).toMatchObject([
          { extensions: { code: 'BAD_USER_INPUT', argument: place } },
        ]);
        const message = errors?.[0]?.message ?? '';
        expect(message).toContain(`${place} must be `);
        expect(message).toContain(expected);
        expect(message).toContain(`but got: ${JSON.stringify(value).slice(0, 80)}`);
      }
    }
  });

  // No literal has half a character: the parser refuses it.
  test.each(CASES.filter(([, , , , values]) => values === TEXTS))(
    '%s, with half a character',
    async (selection, type, argument) => {
      for (const value of ['\ud800', 'a\udc00']) {
        const { errors } = await service.send(token, `query ($v: ${type}) { ${selection} }`, { v: value });
        expect(errors, JSON.stringify(value)).toMatchObject([
          { extensions: { code: 'BAD_USER_INPUT', argument: placeOf(argument) } },
        ]);
      }
    },
  );

  test('the table has every argument of every query whose type lets in what does not hold', () => {
    const named = CASES.map(([selection, , argument]) => `${/(\w+)\([^()]*\$v/.exec(selection)?.[1]} ${argument}`);
    const missing = checkedArguments().filter((argument) => !named.includes(argument));
    expect(missing).toEqual([]);
  });

  test('a long value is cut short', async () => {
    const { errors } = await service.send(token, `{ account(id: "${'x'.repeat(10_000)}") { id } }`);
    expect(errors?.[0]?.message.length).toBeLessThan(200);
  });
});

describe('values of another type', () => {
  test.each([
    ['accounts(first: $v) { totalCount }', 'Int', ['5', 1.5, true, [1], {}, 3_000_000_000]],
    ['account(id: $v) { id }', 'ID!', [true, 1.5, [], {}, null]],
    ['dashboard(date: $v) { date }', 'Date', [5, true, [], {}]],
    ['accounts(filter: { minBalance: $v }) { totalCount }', 'Decimal', [1, 0.1, true, {}]],
    ['transactions(filter: { bookedFrom: $v }) { totalCount }', 'DateTime', [0, true, {}]],
    ['transactions(filter: { direction: $v }) { totalCount }', 'TransactionDirection', ['UP', 1, true]],
    ['statistics(period: $v) { from }', 'StatisticsPeriod!', ['HOURLY', 'daily', 1, null]],
    [
      'accounts(orderBy: $v) { totalCount }',
      'AccountOrder',
      [{}, { field: 'ID' }, { field: 'BALANCE', way: 'UP' }, 'BALANCE'],
    ],
    ['accounts(filter: $v) { totalCount }', 'AccountFilter', [{ name: 'x' }, [1, 2], 'x']],
    ['dashboard(refresh: $v) { date }', 'Boolean!', ['true', 1, null]],
  ])('%s: refused as variables and as literals with status 400', async (selection, type, values) => {
    for (const value of values) {
      const variable = await service.send(token, `query ($v: ${type}) { ${selection} }`, { v: value });
      expect(variable).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
      expect(variable.errors?.[0]?.message).toContain('$v');
      const inline = await service.send(token, `{ ${selection.replace('$v', literal(value))} }`);
      expect(inline.status).toBe(400);
      expect(inline.errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    }
  });

  test.each([
    ['accountList(page: $v) { page }', 'Int = 1', 'page'],
    [`account(id: "${ID}") { recentTransactions(limit: $v) { id } }`, 'Int = 1', 'limit'],
    ['statistics(period: $v) { from }', 'StatisticsPeriod = DAILY', 'period'],
    ['dashboard(refresh: $v) { date }', 'Boolean = false', 'refresh'],
    ['accounts(orderBy: { field: BALANCE, direction: $v }) { totalCount }', 'OrderDirection = ASC', 'orderBy'],
    ['tenant { name @include(if: $v) }', 'Boolean = true', 'if'],
    ['__type(name: $v) { name }', 'String = "Date"', 'name'],
  ])(
    '%s: null is refused where the variable may be null and the argument may not',
    async (selection, type, argument) => {
      const answer = await service.send(token, `query ($v: ${type}) { ${selection} }`, { v: null });
      expect(answer).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
      expect(answer.errors?.[0]?.message).toContain(`Argument "${argument}"`);
    },
  );

  test('a variable that is missing is named', async () => {
    const answer = await service.send(token, 'query ($id: ID!) { account(id: $id) { id } }');
    expect(answer).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
    expect(answer.errors?.[0]?.message).toBe('Variable "$id" of required type "ID!" was not provided.');
  });
});

describe('random requests are answered or refused, and never end as an internal error', () => {
  const SETTINGS = { numRuns: 200, seed: 20261122, endOnFailure: true };
  /** Text with what is special to GraphQL, SQL, JSON, Unicode and dates. */
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.constantFrom(
      ...IDS,
      ...DAYS,
      ...INSTANTS,
      ...DECIMALS,
      ...CURSORS,
      '\ud800',
      '\u202e',
      "'; DROP TABLE tenants; --",
      '$1',
    ),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.tuple(fc.constantFrom('CREATED_AT', '-BOOKED_AT', 'BALANCE'), fc.string(), fc.constant(ID)).map(encode),
  );
  const value: fc.Arbitrary<unknown> = fc.oneof(
    text,
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.jsonValue(),
  );

  test('variables', { timeout: 60_000 }, async () => {
    const queries = CASES.filter(([selection]) => !selection.startsWith('performance'));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...queries), value, async ([selection, type], v) => {
        expectAnswered(await service.send(token, `query ($v: ${type}) { ${selection} }`, { v }));
      }),
      SETTINGS,
    );
  });

  test('documents', { timeout: 60_000 }, async () => {
    const words = [
      ...[
        '{',
        '}',
        '(',
        ')',
        '[',
        ']',
        ':',
        '!',
        '$v',
        '@include(if: true)',
        '...',
        '... on BankAccount',
        'query',
        'mutation',
      ],
      ...[
        'fragment f on Tenant',
        '...f',
        '"',
        '"""',
        '#',
        '\n',
        'null',
        '1',
        '"x"',
        'accounts',
        'nodes',
        'tenant',
        'id',
      ],
      ...[
        'dashboard',
        'statistics',
        'first: 1',
        '__typename',
        '__schema',
        'subscription',
        'type A',
        '\0',
        '\ufeff',
        '&',
      ],
    ];
    const document = fc.oneof(
      fc.array(fc.constantFrom(...words), { maxLength: 25 }).map((parts) => parts.join(' ')),
      fc.tuple(text, text).map(([a, b]) => `{ accounts(filter: { bankName: ${JSON.stringify(a)} }) { ${b} } }`),
      text,
    );
    await fc.assert(
      fc.asyncProperty(document, async (query) => expectAnswered(await service.send(token, query))),
      SETTINGS,
    );
  });
});

/** Nothing of the inside: no internal error, no SQL, no stack, no file. */
function expectAnswered({ status, data, errors }: GraphqlAnswer): void {
  expect(status).toBeLessThan(500);
  for (const { message, extensions } of errors ?? []) {
    expect(extensions.code, message).not.toBe('INTERNAL_SERVER_ERROR');
    expect(extensions).not.toHaveProperty('stacktrace');
    expect(message).not.toMatch(/\bSELECT .* FROM\b|syntax for type|node_modules|\.ts:\d|prisma|tenant_id/i);
  }
  expect(errors?.length ?? data).toBeTruthy();
}

/** The first value of a list is named. */
function placeOf(argument: string): string {
  return argument.endsWith('In') ? `${argument}[0]` : argument;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** JSON as GraphQL writes it: names without quotes. */
function literal(value: unknown): string {
  return JSON.stringify(value).replace(/"(\w+)":/g, '$1:');
}

/**
 * The arguments and input fields of the queries and what lies below, whose type does not say all
 * that is expected.
 */
function checkedArguments(): string[] {
  const roots = Object.values(createSchema().getQueryType()?.getFields() ?? {});
  const below = roots.flatMap(({ type }) => {
    const named = getNamedType(type);
    return isObjectType(named) ? Object.values(named.getFields()) : [];
  });
  const paths = [...roots, ...below].flatMap(({ name, args }) =>
    args.flatMap(pathsOf).map((path) => `${name} ${path}`),
  );
  expect(paths.length).toBeGreaterThan(40);
  return paths;
}

/** A filter within another of its kind has the same fields as that: test/graphql/filters.test.ts. */
function pathsOf({ name, type }: GraphQLArgument | GraphQLInputField): string[] {
  const named = getNamedType(type);
  if (['not', 'and', 'or'].includes(name)) return [];
  if (isInputObjectType(named))
    return Object.values(named.getFields()).flatMap((field) => pathsOf(field).map((path) => `${name}.${path}`));
  return ['Int', 'String', 'ID', 'Date', 'DateTime', 'Decimal'].includes(named.name) ? [name] : [];
}
