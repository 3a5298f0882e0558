import { getIntrospectionQuery, isAbstractType } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSchema } from '../../src/app/schema.ts';
import { Role } from '../../src/auth/caller.ts';
import * as generated from '../generated/graphql.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { startService, type TestService } from '../support/service.ts';
import { insertTwins, TWINS, type Twin, twinAccountId } from '../support/twin-tenants.ts';

/** An operation is compiled at its third use. */
const USES = 3;
const ID = twinAccountId(0);
const UNKNOWN_ID = '00000000-0000-7000-8000-000000000000';

/** Documents of any size go on to the executors. */
const LIMITS = { LIMIT_TOKENS: '10000', LIMIT_ALIASES: '1000', LIMIT_ROOT_FIELDS: '1000' };

type Variables = Readonly<Record<string, unknown>>;

let database: TestDatabase;
let jit: TestService;
let graphqlJs: TestService;

beforeAll(async () => {
  database = await createTestDatabase();
  await insertTwins(database.url);
  const start = (executor: string) => startService({ database, env: { ...LIMITS, CACHE: 'off', EXECUTOR: executor } });
  [jit, graphqlJs] = await Promise.all([start('jit'), start('graphql-js')]);
});
afterAll(async () => {
  await Promise.all([jit.close(), graphqlJs.close()]);
  await database.drop();
});

/**
 * Every query of `test/operations`, with variables that it answers and some that it must refuse.
 */
const OPERATIONS: Readonly<Record<string, readonly Variables[]>> = {
  Account: [{ id: ID }, { id: UNKNOWN_ID }, { id: 'no uuid' }, { id: null }, {}, { id: [ID] }],
  AccountByNumber: [
    { accountNumber: '0001' },
    { accountNumber: '0001', bankName: 'alfa' },
    { accountNumber: 'none' },
    {},
  ],
  Accounts: [
    {},
    { first: 7, filter: { status: 'ACTIVE', minBalance: '-20' }, orderBy: { field: 'BALANCE', direction: 'DESC' } },
    ...[{ last: 3 }, { first: 0 }, { first: 3, last: 3 }, { after: 'no cursor' }, { first: 'three' }],
    ...[
      { filter: { status: 'GONE' } },
      { filter: { minBalance: 'much' } },
      { filter: { minBalance: 5 } },
      { filter: { unknown: 1 } },
    ],
  ],
  AccountList: [{}, { page: 2, pageSize: 5 }, { page: 0 }, { pageSize: 101 }, { page: null }],
  AccountsWithTransactions: [{ first: 10, limit: 3 }, { first: 10, limit: 0 }, { first: 10 }],
  Dashboard: [{}, { date: '2025-03-30', days: 40 }, { days: 0 }, { date: '2025-02-30' }, { date: 20250330 }],
  DashboardLists: [{}, { topAccounts: 3, recentTransactions: 2 }, { topAccounts: 0 }, { recentTransactions: 101 }],
  RefreshedDashboard: [{}, { date: '2025-03-30' }],
  Statistics: [
    {},
    { period: 'MONTHLY', from: '2024-01-01', to: '2025-06-30' },
    { from: '2025-01-02', to: '2025-01-01' },
    { period: 'HOURLY' },
  ],
  RefreshedStatistics: [{ period: 'WEEKLY' }],
  Transactions: [{ first: 20 }, { last: 5, filter: { direction: 'DEBIT', category: 'rent' } }, { first: 101 }],
  TransactionsOfAccounts: [
    { accounts: 10, first: 3 },
    { accounts: 10, last: 2, filter: { direction: 'CREDIT' } },
    { accounts: 3, first: 0 },
  ],
  Viewer: [{}],
  Tenant: [{}],
  AuditLog: [{}, { first: 2 }, { first: 0 }, { after: 'no cursor' }, { since: 'no time' }],
  RateLimit: [{}],
};

type Case = readonly [title: string, query: string, variables?: Variables];
const MORE: readonly Case[] = [
  [
    'a variable called __proto__',
    'query ($__proto__: Int) { accounts(first: $__proto__) { nodes { id } } }',
    JSON.parse('{"__proto__": 2}'),
  ],
  [
    'null for a variable whose name every object has',
    'query ($toString: String!) { accountByNumber(accountNumber: $toString) { id } }',
    { toString: null },
  ],
  [
    'aliases, merged fields and fragments',
    `{ a: accounts(first: 4) { ...List nodes { x: recentTransactions(limit: 2) { id } x: recentTransactions(limit: 2) { amount } } }
       b: accounts(last: 4) { ...List } }
     fragment List on BankAccountConnection { __typename nodes { ...Fields tenant { slug } } edges { cursor node { ... on BankAccount { status } } } }
     fragment Fields on BankAccount { number: accountNumber id: balance balance: id recentTransactions(limit: 1) { account { id } } }`,
  ],
  [
    'one row under several aliases, with other children',
    `{ a: account(id: "${ID}") { x: recentTransactions(limit: 1) { id account { y: recentTransactions(limit: 2) { id } } } }
       b: account(id: "${ID}") { x: recentTransactions(limit: 3) { id account { y: recentTransactions(limit: 1) { amount } } } } }`,
  ],
  ...[true, false].map(
    (flag): Case => [
      `@skip and @include by ${flag}`,
      `query ($flag: Boolean!) { accounts(first: 3) { ...F @include(if: $flag) totalCount @skip(if: $flag) nodes { id tenant @skip(if: $flag) { id } } }
       other: accounts(last: 2) { ...F @skip(if: $flag) pageInfo { hasNextPage } } }
     fragment F on BankAccountConnection { nodes { bankName recentTransactions(limit: 2) @include(if: $flag) { amount } } }`,
      { flag },
    ],
  ),
  ...[true, false].map(
    (flag): Case => [
      `a condition by ${flag} that stands in a fragment of a fragment alone`,
      `query ($flag: Boolean!) { ...F } fragment F on Query { tenant { ...G } }
     fragment G on Tenant { slug name @include(if: $flag) timeZone @skip(if: $flag) }`,
      { flag },
    ],
  ),
  [
    'defaults of variables',
    'query ($n: Int = 2, $on: Boolean! = false) { accounts(first: $n) { nodes { id status @include(if: $on) } } }',
  ],
  [
    'a condition by a variable with a default, given null',
    'query ($on: Boolean = true) { tenant { slug name @include(if: $on) } }',
    { on: null },
  ],
  ['a condition by what is no truth value', 'query ($on: Boolean!) { tenant { slug @skip(if: $on) } }', { on: 'yes' }],
  ['nothing left of an object', '{ tenant { ... @skip(if: true) { slug } } viewer { id @include(if: false) } }'],
  [
    'names that underscores make alike',
    `{ x_y: accounts(first: 2) { nodes { balance } } y: account(id: "${ID}") { x: recentTransactions(limit: 1) { id } } }`,
  ],
  ['names that are no good as properties', '{ __proto__: tenant { __proto__: slug constructor: name } }'],
  [
    'an optional variable within an object that has a default',
    'query ($d: OrderDirection) { accounts(first: 3, orderBy: { field: BALANCE, direction: $d }) { nodes { id } } }',
  ],
  [
    'the same null for two reasons',
    `{ account(id: "${ID}") { a: recentTransactions(limit: 0) { id } b: transactions(first: 0) { totalCount } } tenant { slug } }`,
  ],
  [
    'errors of several fields, of one place each',
    `{ z: account(id: "x") { id } account(id: "${ID}") { recentTransactions(limit: 0) { id } } a: accountByNumber(accountNumber: "\\u0000") { id }
       account(id: "${ID}") { bankName } }`,
  ],
  [
    'two reasons to give up the answer, and an error behind them',
    '{ a: account(id: "x") { id } accounts(first: 0) { totalCount } transactions(first: 0) { totalCount } b: account(id: "x") { id } }',
  ],
  ['introspection', getIntrospectionQuery()],
  ['types beside fields', '{ __typename __type(name: "BankAccount") { fields { name } } viewer { __typename role } }'],
  [
    'a list out of range within a list',
    '{ accounts(first: 3) { nodes { id recentTransactions(limit: 101) { id } } } }',
  ],
  [
    'a page out of range within a list',
    '{ accounts(first: 3) { nodes { id transactions(first: 0) { nodes { id } } } } tenant { slug } }',
  ],
  [
    'a list out of range under a nullable field',
    `{ account(id: "${ID}") { id recentTransactions(limit: 0) { id } } tenant { slug } }`,
  ],
  [
    'a wrong argument beside a right one',
    '{ accountByNumber(accountNumber: "0001") { id } account(id: "x") { id } tenant { slug } }',
  ],
  ['what only other roles see', '{ performance { indexes { index } } tenant { slug } }'],
  ['a field that does not exist', '{ tenant { shoeSize } }'],
  ['no GraphQL', '{ tenant { '],
  ['an operation that the document lacks', 'query A { tenant { slug } } query B { tenant { name } }'],
  ['a mutation that is refused', 'mutation { invalidateCache(input: { pattern: "*" }) { namespaces } }'],
  [
    'a document that is too deep',
    `{ accounts { nodes ${'{ recentTransactions { account '.repeat(7)} { id } ${'} }'.repeat(7)} } }`,
  ],
];

/**
 * The answer once the operation is compiled, as text and without what differs from request to
 * request.
 */
async function answerOf(service: TestService, role: Role, query: string, variables?: Variables) {
  const token = await service.token(role, (TWINS[0] as Twin).slug);
  let last = await service.send(token, query, variables);
  for (let use = 1; use < USES; use++) last = await service.send(token, query, variables);
  const { status, data, errors } = last;
  const moment = (key: string, value: unknown) =>
    ['generatedAt', 'resetAt', 'remaining'].includes(key) ? typeof value : value;
  return { status, errors, text: JSON.stringify({ errors, data }, moment) };
}

async function expectEqualAnswers(query: string, variables?: Variables, role = Role.ANALYST) {
  const expected = await answerOf(graphqlJs, role, query, variables);
  expect(await answerOf(jit, role, query, variables)).toEqual(expected);
  return expected;
}

async function metric(service: TestService, line: string): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((candidate) => candidate.startsWith(`${line} `))
      ?.slice(line.length) ?? Number.NaN,
  );
}

describe('compiled queries answer as graphql-js does, errors included', () => {
  // Mutations change what the next one finds, and `performance` is of the moment.
  const documents = Object.entries(generated).flatMap(([name, document]) =>
    /^\s*query (?!Performance)/.test(String(document))
      ? [[name.slice(0, -'Document'.length), String(document)] as const]
      : [],
  );

  test('of every query there is a set of variables', () => {
    expect(documents.map(([name]) => name).filter((name) => !OPERATIONS[name]?.length)).toEqual([]);
  });

  const cases = documents.flatMap(([name, query]) =>
    (OPERATIONS[name] ?? []).map((variables) => [name, JSON.stringify(variables), query, variables] as const),
  );
  test.each(cases)('%s with %s', async (_name, _shown, query, variables) => {
    await expectEqualAnswers(query, variables);
  });

  test.each(MORE.map((each) => [each[0], each] as const))('%s', async (_title, [, query, variables]) => {
    await expectEqualAnswers(query, variables);
  });

  test.each(Object.values(Role).filter((role) => role !== Role.ANALYST))('asked by %s', async (role) => {
    await expectEqualAnswers(
      '{ viewer { role tenant { slug } } performance { indexes(model: "Tenant") { index } } }',
      {},
      role,
    );
    await expectEqualAnswers('{ tenant { slug } }', {}, role);
  });

  test('of failures inside, which are masked alike', async () => {
    const rename = (from: string, to: string) =>
      withClient(database.url, (client) => client.query(`ALTER TABLE ${from} RENAME TO ${to}`));
    await rename('transactions', 'transactions_away');
    try {
      const queries = [
        '{ accounts(first: 3) { nodes { id recentTransactions { id } } } tenant { slug } }',
        `{ account(id: "${ID}") { id transactions { totalCount } } tenant { slug } }`,
        '{ transactions { nodes { id } } }',
        '{ dashboard { date recentTransactions { id } } }',
      ];
      for (const query of queries) {
        const { errors = [] } = await expectEqualAnswers(query);
        expect(errors.map(({ extensions }) => extensions.code)).toEqual(['INTERNAL_SERVER_ERROR']);
      }
    } finally {
      await rename('transactions_away', 'transactions');
    }
  });
});

describe('what is selected does not depend on how often it was asked', () => {
  const SCREEN = `query Screen($d: Boolean!, $n: Int!) { accounts(first: $n) { nodes { ...Card @include(if: $d) ...Row } } }
    fragment Row on BankAccount { accountNumber balance } fragment Card on BankAccount { bankName ...Row }`;
  const NODES = `query ($s: Boolean!) { accounts(first: 1) { nodes { id } nodes @include(if: $s) { ...F } } }
    fragment F on BankAccount { bankName balance }`;
  const TENANT = `query ($s: Boolean!) { tenant { id } tenant @include(if: $s) { ...F } } fragment F on Tenant { slug }`;
  const SKIPPED = 'query ($s: Boolean!) { tenant { name @skip(if: $s) slug name } }';

  test.each([
    [
      'a fragment under a condition and without one',
      SCREEN,
      (flag: boolean, use: number) => ({ d: flag, n: 1 + (use % 3) }),
    ],
    ['a field that is selected again under a condition', NODES, (s: boolean) => ({ s })],
    ['an object that is selected again under a condition', TENANT, (s: boolean) => ({ s })],
    ['a field that is selected again behind others', SKIPPED, (s: boolean) => ({ s })],
  ])('%s', async (_title, query, variablesOf) => {
    const [byJit, byGraphqlJs] = await Promise.all(
      [jit, graphqlJs].map((service) => service.token(Role.VIEWER, (TWINS[0] as Twin).slug)),
    );
    for (let use = 0; use < 6; use++) {
      for (const flag of [false, true]) {
        const variables = variablesOf(flag, use);
        const { data } = await jit.send(byJit as string, query, variables);
        const expected = await graphqlJs.send(byGraphqlJs as string, query, variables);
        expect(JSON.stringify(data)).toBe(JSON.stringify(expected.data));
      }
    }
  });

  test('with values as they are', async () => {
    const token = await jit.token(Role.VIEWER, (TWINS[0] as Twin).slug);
    for (let use = 0; use < USES + 2; use++) {
      const screen = await jit.send(token, SCREEN, { d: false, n: 1 });
      expect(Object.keys(screen.data.accounts.nodes[0])).toEqual(['accountNumber', 'balance']);
      const nodes = await jit.send(token, NODES, { s: false });
      expect(Object.keys(nodes.data.accounts.nodes[0])).toEqual(['id']);
      expect(Object.keys((await jit.send(token, TENANT, { s: false })).data.tenant)).toEqual(['id']);
      expect(Object.keys((await jit.send(token, SKIPPED, { s: true })).data.tenant)).toEqual(['slug', 'name']);
      expect(Object.keys((await jit.send(token, SKIPPED, { s: false })).data.tenant)).toEqual(['name', 'slug']);
    }
  });
});

test('no text of a client becomes code', async () => {
  // The compiler marks dates so, and writes what follows the mark into the code.
  const mark = '__MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74d';
  for (const text of [mark, mark.replaceAll('_', '\\u005f')]) {
    const query = `{ accountByNumber(accountNumber: "${text}0),x:(globalThis.wasRun=true),y:(0") { id } }`;
    expect((await expectEqualAnswers(query)).text).toBe('{"data":{"accountByNumber":null}}');
  }
  expect(globalThis).not.toHaveProperty('wasRun');
});

describe('what is compiled', () => {
  test('is one form for each combination of what decides, and no more than sixteen of one operation', async () => {
    const token = await jit.token(Role.VIEWER, (TWINS[0] as Twin).slug);
    const flags = ['a', 'b', 'c', 'd', 'e'];
    const query = `query Forms(${flags.map((flag) => `$${flag}: Boolean!`).join(' ')}) {
      tenant { id ${flags.map((flag) => `${flag}: slug @include(if: $${flag})`).join(' ')} } }`;
    const compiled = () => metric(jit, 'tenantry_compilations_total{result="compiled"}');
    const before = await compiled();
    const combinations = Array.from({ length: 2 ** flags.length }, (_, bits) =>
      Object.fromEntries(flags.map((flag, index) => [flag, Boolean(bits & (1 << index))])),
    );
    for (const variables of combinations) {
      const shown = ['id', ...flags.filter((flag) => variables[flag])];
      for (let use = 0; use < USES; use++)
        expect(Object.keys((await jit.send(token, query, variables)).data.tenant)).toEqual(shown);
    }
    expect((await compiled()) - before).toBe(16);
  });

  test('is counted, and only what comes again', async () => {
    const token = await jit.token(Role.ANALYST, (TWINS[0] as Twin).slug);
    const counts = async () => ({
      compiled: await metric(jit, 'tenantry_compilations_total{result="compiled"}'),
      jit: await metric(jit, 'tenantry_executions_total{executor="jit"}'),
      graphqlJs: await metric(jit, 'tenantry_executions_total{executor="graphql-js"}'),
    });
    const before = await counts();
    for (let use = 0; use < 5; use++) await jit.send(token, 'query Counted { tenant { name } }');
    await jit.send(token, 'query Once { tenant { name } }');
    await jit.send(token, 'mutation Other { invalidateCache(input: { pattern: "*" }) { namespaces } }');
    const { compiled, jit: byJit, graphqlJs: byGraphqlJs } = await counts();
    expect(compiled - before.compiled).toBe(1);
    expect(byJit - before.jit).toBe(3);
    expect(byGraphqlJs - before.graphqlJs).toBe(4);
  });

  test('is nothing too large: graphql-js goes on with it', async () => {
    const query = `{ ${Array.from({ length: 170 }, (_, n) => `t${n}: tenant { id name }`).join(' ')} }`;
    const refused = () => metric(jit, 'tenantry_compilations_total{result="refused"}');
    const before = await refused();
    await expectEqualAnswers(query);
    await expectEqualAnswers(query);
    expect((await refused()) - before).toBe(1);
  });

  test('is nothing with EXECUTOR=graphql-js', async () => {
    const text = await (await fetch(`${graphqlJs.url}/metrics`)).text();
    expect(text).not.toContain('tenantry_executions_total');
  });
});

describe('the schema', () => {
  test('tells the type of an interface or a union at once: compiled code does not wait for it', () => {
    const abstract = Object.values(createSchema().getTypeMap()).filter(isAbstractType);
    const waiting = abstract.filter(({ resolveType }) => resolveType?.constructor.name !== 'Function');
    expect(waiting.map(({ name }) => name)).toEqual([]);
  });
});
