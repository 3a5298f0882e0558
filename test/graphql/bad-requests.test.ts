import fc from 'fast-check';
import { GraphQLError } from 'graphql';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { formatError } from '../../src/graphql/format-error.ts';
import { postJson } from '../support/post.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type GraphqlAnswer, startService, type TestService } from '../support/service.ts';
import { insertTwins, TWINS, type Twin, twinAccountId } from '../support/twin-tenants.ts';

const ID = twinAccountId(0);
/** graphql-js stops after so many errors of variables. */
const MAX_ERRORS = 50;

let database: TestDatabase;
let services: TestService[];
let token: string;
/** Lines of the log at the level of errors, of all services. */
const logged: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await insertTwins(database.url);
  const log = { write: (line: string) => void logged.push(line) };
  // Documents of any size go on to where they are found at fault.
  const limits = {
    LIMIT_TOKENS: '10000',
    LIMIT_ALIASES: '1000',
    LIMIT_ROOT_FIELDS: '1000',
    LIMIT_REPEATED_FIELDS: '1000',
  };
  const start = (env: Record<string, string>) => startService({ database, log, env: { ...limits, ...env } });
  services = await Promise.all([
    start({ CACHE: 'off', EXECUTOR: 'graphql-js' }),
    start({ EXECUTOR: 'graphql-js' }),
    start({ EXECUTOR: 'jit' }),
  ]);
  token = await (services[0] as TestService).token(Role.ADMIN, (TWINS[0] as Twin).slug);
});
afterAll(async () => {
  await Promise.all(services.map((service) => service.close()));
  await database.drop();
});

/** Queries with a variable `$v`: its type, a value that holds, and some that do not. */
const VARIABLES: readonly (readonly [string, string, unknown, readonly unknown[]])[] = [
  ['account(id: $v) { id }', 'ID!', ID, [null, true, 1.5, [], {}, [ID]]],
  ['accounts(first: $v) { totalCount }', 'Int', 3, ['3', 1.5, 3e9, true, [1], {}]],
  [
    'accounts(orderBy: $v) { totalCount }',
    'AccountOrder',
    { field: 'BALANCE' },
    [{}, { field: null }, 'BALANCE', [1, 2]],
  ],
  [
    'accounts(filter: $v) { totalCount }',
    'AccountFilter',
    { isActive: true },
    [many(60), [many(60)], { isActive: 1 }, 'x'],
  ],
  [
    'transactions(filter: $v) { totalCount }',
    'TransactionFilter',
    {},
    [{ direction: 'UP' }, { minAmount: 1 }, many(200)],
  ],
  ['statistics(period: $v) { from }', 'StatisticsPeriod!', 'DAILY', [null, 'daily', 1, 'HOURLY', {}]],
  ['dashboard(date: $v) { date }', 'Date', '2026-01-31', [20260131, true, [], {}]],
  ['tenant { name @include(if: $v) slug }', 'Boolean!', true, [null, 'true', 1, [true]]],
];

describe('a client that is at fault is told so, whatever executes, cold and warm', () => {
  test.each(VARIABLES)('%s', { timeout: 60_000 }, async (selection, type, good, bad) => {
    const query = `query ($v: ${type}) { ${selection} }`;
    for (const v of bad) {
      const cold = await everywhere(query, { v });
      for (const service of services)
        for (let use = 0; use < 4; use++)
          expect((await service.send(token, query, { v: good })).errors).toBeUndefined();
      expect(await everywhere(query, { v })).toEqual(cold);
      expect(cold.status).toBe(400);
      for (const { extensions } of cold.errors ?? []) expect(extensions).toEqual({ code: 'BAD_USER_INPUT' });
      expect(cold.errors?.length).toBeGreaterThan(0);
    }
    expect(logged).toEqual([]);
  });

  test.each([1, MAX_ERRORS - 1, MAX_ERRORS, MAX_ERRORS + 1, MAX_ERRORS + 2, 1_000])(
    '%i errors of variables: the first of them are named',
    async (count) => {
      const query =
        'mutation ($input: RecordTransactionsInput!) { recordTransactions(input: $input) { userErrors { code } } }';
      const ofItems = { input: { idempotencyKey: 'x', transactions: Array.from({ length: count }, () => 'none') } };
      const names = Array.from({ length: count }, (_, n) => `v${n}`);
      const ofVariables = `query (${names.map((name) => `$${name}: Int!`)}) { ${names.map((name) => `${name}: accounts(first: $${name}) { totalCount }`).join(' ')} }`;
      for (const [document, variables] of [
        [query, ofItems],
        ...(count <= 100 ? [[ofVariables, {}] as const] : []),
      ] as const) {
        const { status, errors = [], data } = await everywhere(document, variables);
        expect([status, data]).toEqual([400, undefined]);
        expect(errors.length).toBe(Math.min(count, MAX_ERRORS + 1));
        for (const { extensions } of errors) expect(extensions).toEqual({ code: 'BAD_USER_INPUT' });
        expect(errors[0]?.message).toMatch(/^Variable "\$(input|v0)" /);
        if (count > MAX_ERRORS) expect(errors.at(-1)?.message).toMatch(/^Too many errors processing variables/);
      }
      expect(logged).toEqual([]);
    },
  );

  test.each<readonly [string, string, string]>([
    ['nothing', '', 'BAD_REQUEST'],
    ['no GraphQL', '{', 'GRAPHQL_PARSE_FAILED'],
    ['more errors than are listed', `{ ${'tenant(x: 1) { none } '.repeat(200)} }`, 'GRAPHQL_VALIDATION_FAILED'],
    ['too many tokens', `{ ${'__typename '.repeat(11_000)} }`, 'QUERY_TOO_COMPLEX'],
    [
      'circles of fragments',
      '{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }',
      'GRAPHQL_VALIDATION_FAILED',
    ],
    ['several operations without a name', '{ tenant { id } } query B { tenant { id } }', 'GRAPHQL_VALIDATION_FAILED'],
    [
      'several operations and none asked for',
      'query A { tenant { id } } query B { tenant { id } }',
      'OPERATION_RESOLUTION_FAILURE',
    ],
    ['only a fragment', 'fragment f on Query { __typename }', 'GRAPHQL_VALIDATION_FAILED'],
    ['a type system', 'type A { a: Int }', 'GRAPHQL_VALIDATION_FAILED'],
    ['a subscription', 'subscription { changes { at } }', 'BAD_REQUEST'],
  ])('documents: %s', { timeout: 60_000 }, async (_, document, code) => {
    const answer = await everywhere(document, {});
    expect([answer.status, answer.errors?.[0]?.extensions.code]).toEqual([400, code]);
    expectClientsFault(answer);
  });

  test.each<readonly [string, (levels: number) => string]>([
    ['lists', (levels) => `{ account(id: ${nested('[', levels, '1', ']')}) { id } }`],
    ['objects', (levels) => `{ accounts(filter: ${nested('{a:', levels, '1', '}')}) { totalCount } }`],
    ['types', (levels) => `query ($v: ${nested('[', levels, 'Int', ']')}) { accounts(first: $v) { totalCount } }`],
    ['fields', (levels) => `{ ${nested('tenant{', levels, 'id', '}')} }`],
    [
      'fields that there are',
      (levels) => `{ transactions { nodes { ${nested('account{transactions{nodes{', levels, 'id', '}}}')} } } }`,
    ],
    ['inline fragments', (levels) => `{ ${nested('...{', levels, '__typename', '}')} }`],
    ['types of types', (levels) => `{ __schema { types { ${nested('ofType{', levels, 'name', '}')} } } }`],
    [
      'fragments',
      (levels) =>
        `{ ...f0 } ${Array.from({ length: levels }, (_, n) => `fragment f${n} on Query { ...f${n + 1} }`).join(' ')} fragment f${levels} on Query { __typename }`,
    ],
  ])('documents of any depth: %s', { timeout: 120_000 }, async (form, document) => {
    for (const levels of [100, 240, 260, 490, 700, 1_000, 1_600, 2_400, 4_900]) {
      const answer = await everywhere(document(levels), {});
      if (answer.errors) expectClientsFault(answer);
      if (levels >= 1_000 && form !== 'fragments') expect(answer.errors).toHaveLength(1);
      if (levels > 500 && levels < 3_000 && form === 'inline fragments')
        expect(answer.errors?.[0]?.message).toMatch(/^The document is nested too deep: at most 500 levels/);
    }
  });

  test('messages are bounded, whatever they show of a value', async () => {
    const v = { x: 'y'.repeat(20_000), ...many(60) };
    const { errors = [] } = await everywhere('query ($v: AccountFilter) { accounts(filter: $v) { totalCount } }', {
      v,
    });
    expect(errors).toHaveLength(MAX_ERRORS + 1);
    expect(errors[0]?.message).toMatch(
      /^Variable "\$v" got invalid value \{ x: "y+ … .*Field "x" is not defined by type "AccountFilter"\.$/,
    );
    for (const { message } of errors) expect(message.length).toBeLessThan(1_010);
  });

  test.each([
    ['names', many(21), 'An object in extensions may have 20 names, but one has 21.'],
    ['names within', { tracing: many(21) }, 'An object in extensions may have 20 names, but one has 21.'],
    [
      'values',
      { tracing: Array(101).fill(0) },
      'extensions may have 100 values, those in lists and objects included, but they have more.',
    ],
  ])('extensions of too many %s are refused', async (_what, extensions, message) => {
    for (const { url } of services) {
      const body = JSON.stringify({ query: '{ tenant { slug } }', extensions });
      const answer = await postJson(`${url}/graphql`, { authorization: `Bearer ${token}` }, body);
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.body)).toMatchObject({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] });
    }
  });

  // What is wrong with each part is told with all that it stands in: an object of 6,000 names took
  // 20 s.
  test('variables are bounded before anybody looks at them', async () => {
    const names = 'query ($v: TransactionFilter) { transactions(filter: $v) { totalCount } }';
    const refused = await everywhere(names, { v: many(251) });
    expect(refused).toMatchObject({
      status: 400,
      errors: [{ message: 'An object in variables may have 250 names, but one has 251.' }],
    });
    const values = 'query ($v: [AccountStatus!]) { tenant { slug } accounts(filter: { status: $v }) { totalCount } }';
    expect(await everywhere(values, { v: Array(20_000).fill('X') })).toMatchObject({
      status: 400,
      errors: [{ message: expect.stringMatching(/^variables may have 20000 values, .* but they have more\.$/) }],
    });
    const list = 'query ($v: [Int!]) { tenant { slug } }';
    const { errors = [] } = await everywhere(list, { v: Array(19_000).fill('X') });
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThanOrEqual(MAX_ERRORS + 1);
  });

  test('any variables of any types', { timeout: 120_000 }, async () => {
    const types = [
      'Int',
      'ID!',
      'String',
      'Boolean!',
      '[Int!]',
      'AccountFilter!',
      '[AccountFilter]',
      'AccountStatus',
      'Date',
      'Decimal',
    ];
    const places = [
      'accounts(first: $v) { totalCount }',
      'account(id: $v) { id }',
      'accounts(filter: $v) { totalCount }',
      'tenant { id @skip(if: $v) }',
      'accounts(filter: { status: $v, minBalance: $v }) { totalCount }',
      '__typename',
    ];
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 4 }),
      fc.integer(),
      fc.constantFrom(deep(3_000), many(60), [many(30), many(30)], '\ud800', 1e300),
    );
    const property = fc.asyncProperty(
      fc.constantFrom(...types),
      fc.constantFrom(...places),
      value,
      async (type, place, v) => {
        const answer = await everywhere(`query ($v: ${type}) { ${place} }`, { v });
        if (answer.errors) expectClientsFault(answer);
      },
    );
    await fc.assert(property, { numRuns: 150, seed: 20261129, endOnFailure: true });
  });
});

describe('an error without a code', () => {
  const format = (error: GraphQLError) =>
    formatError(error.toJSON(), error, { error: (_, message) => logged.push(message) });

  it('of graphql-js about the variables is the client’s', () => {
    expect(format(new GraphQLError('Too many'))).toEqual({
      message: 'Too many',
      extensions: { code: 'BAD_USER_INPUT' },
    });
    expect(logged).toEqual([]);
  });

  it.each([
    ['of a resolver', new GraphQLError('secret', { path: ['a'], originalError: new GraphQLError('secret') })],
    ['at a field', new GraphQLError('secret', { path: ['a'] })],
    ['that something else caused', new GraphQLError('secret', { originalError: new TypeError('secret') })],
  ])('%s is ours, and is logged', (_, error) => {
    expect(format(error)).toMatchObject({ extensions: { code: 'INTERNAL_SERVER_ERROR' } });
    expect(format(error).message).not.toContain('secret');
    expect(logged.splice(0)).toEqual(['internal error', 'internal error']);
  });
});

/** The same answer of every service. */
async function everywhere(
  query: string,
  variables: object,
): Promise<Pick<GraphqlAnswer, 'status' | 'errors' | 'data'>> {
  const answers = await Promise.all(services.map((service) => service.send(token, query, variables)));
  const [first, ...others] = answers.map(({ status, errors, data }) => ({ status, errors, data }));
  for (const other of others) expect(other).toEqual(first);
  return first as GraphqlAnswer;
}

function expectClientsFault({ status, errors = [] }: Pick<GraphqlAnswer, 'status' | 'errors'>): void {
  expect(status).toBeLessThan(500);
  expect(errors.length).toBeGreaterThan(0);
  for (const { extensions, message } of errors) {
    expect(extensions.code, message).not.toBe('INTERNAL_SERVER_ERROR');
    expect(extensions.code, message).toBeTruthy();
  }
  expect(logged).toEqual([]);
}

/** An object with so many fields that no input type has. */
function many(count: number): object {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`x${n}`, n]));
}

function nested(before: string, levels: number, within: string, after: string): string {
  return before.repeat(levels) + within + after.repeat(levels);
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}
