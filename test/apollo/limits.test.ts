import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { pointsTaken, RATE_LIMIT } from '../support/points-taken.ts';
import { postJson } from '../support/post.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { withItsId } from '../support/request-ids.ts';
import { type GraphqlAnswer, startService, type TestService } from '../support/service.ts';
import { insertTwins, TWINS, type Twin } from '../support/twin-tenants.ts';

const [PRAGUE, NEW_YORK] = TWINS as [Twin, Twin];
const LIMITS = { LIMIT_OPERATION_COST: '7000', LIMIT_DEPTH: '6', LIMIT_POINTS_PER_MINUTE: '200000' };
const SECRET = 'a secret for tests only, of more than 32 bytes';

let database: TestDatabase;
let service: TestService;
beforeAll(async () => {
  database = await createTestDatabase();
  await insertTwins(database.url);
  service = await startService({ database, env: LIMITS });
});
afterAll(async () => {
  await service.close();
  await database.drop();
});

const viewer = ({ slug }: Twin) => service.token(Role.VIEWER, slug);

/** The only error of an answer, with the status that came with it. */
function refusal({ status, data, errors }: GraphqlAnswer) {
  expect(data ?? null).toBeNull();
  expect(errors).toHaveLength(1);
  return { status, message: errors?.[0]?.message ?? '', extensions: errors?.[0]?.extensions };
}

describe('the cost of one operation', () => {
  test('beyond the limit is refused before anything is read, saying cost, limit and the way under it', async () => {
    service.statements.splice(0);
    const query = '{ accounts(first: 100) { nodes { recentTransactions(limit: 10) { id } } } }';
    const { status, message, extensions } = refusal(await service.send(await viewer(PRAGUE), query));
    expect(status).toBe(400);
    expect(message).toBe(
      'The operation costs 8000 points; at most 7000 are allowed. Ask for smaller pages (first, last, pageSize, limit, days), for fewer fields below lists, for counts without a filter, or split it.',
    );
    expect(extensions).toEqual({ code: 'QUERY_TOO_COMPLEX', cost: 8000, limit: 7000 });
    expect(service.statements).toEqual([]);
  });

  test('is brought under it by what the message says', async () => {
    const query = '{ accounts(first: 80) { nodes { recentTransactions(limit: 10) { id } } } }';
    const { data, errors } = await service.send(await viewer(PRAGUE), query);
    expect(errors).toBeUndefined();
    expect(data.accounts.nodes).toHaveLength(36);
  });

  test('counts aliases, fragments and what variables ask for', async () => {
    const query = `query ($size: Int!) { a: accounts(first: $size) { ...List } b: accounts(last: $size) { ...List } }
      fragment List on BankAccountConnection { nodes { id bankName ... on BankAccount { balance currency recentTransactions(limit: 5) { id } } } totalCount }`;
    const token = await viewer(PRAGUE);
    expect(refusal(await service.send(token, query, { size: 100 })).extensions).toMatchObject({ cost: 11_750 });
    expect((await service.send(token, query, { size: 50 })).errors).toBeUndefined();
  });

  test('leaves out what @skip and @include leave out', async () => {
    const query = `query ($all: Boolean!) { accounts(first: 100) { nodes { id transactions(first: 50) @include(if: $all) { nodes { id } } } } }`;
    const token = await viewer(PRAGUE);
    expect(refusal(await service.send(token, query, { all: true })).extensions?.code).toBe('QUERY_TOO_COMPLEX');
    expect((await service.send(token, query, { all: false })).errors).toBeUndefined();
  });

  test('does not hide what is wrong with the variables, also when it is known', async () => {
    const query = `query ($period: StatisticsPeriod!) { statistics(period: $period) { from } accounts(first: 100) { nodes { recentTransactions(limit: 10) { id } } } }`;
    const token = await viewer(PRAGUE);
    const ask = async (period: string) => refusal(await service.send(token, query, { period })).extensions?.code;
    expect([await ask('NEVER'), await ask('DAILY'), await ask('NEVER')]).toEqual([
      'BAD_USER_INPUT',
      'QUERY_TOO_COMPLEX',
      'BAD_USER_INPUT',
    ]);
  });

  test('fragments spread within fragments are counted without being walked', async () => {
    const fragments = Array.from({ length: 60 }, (_, n) => `fragment f${n} on Tenant { ...f${n + 1} ...f${n + 1} }`);
    const query = `{ tenant { ...f0 } } ${fragments.join(' ')} fragment f60 on Tenant { id }`;
    const { status, extensions } = refusal(await service.send(await viewer(PRAGUE), query));
    expect([status, extensions?.code]).toEqual([400, 'QUERY_TOO_COMPLEX']);
  });
});

test('an operation deeper than the limit is refused, saying depth and limit', async () => {
  const token = await viewer(PRAGUE);
  const nested = (levels: string) => `{ transactions(first: 1) { nodes { account { ${levels} } } } }`;
  const { status, message, extensions } = refusal(
    await service.send(token, nested('transactions(first: 1) { nodes { account { id } } }')),
  );
  expect(status).toBe(400);
  expect(message).toBe(
    'The operation is 7 levels deep; at most 6 are allowed. Ask for the inner parts by operations of their own.',
  );
  expect(extensions).toEqual({ code: 'QUERY_TOO_DEEP', depth: 7, limit: 6 });
  const inFragments = `{ transactions(first: 1) { nodes { ...T } } }
    fragment T on Transaction { account { ...A } } fragment A on BankAccount { transactions { nodes { account { id } } } }`;
  expect(refusal(await service.send(token, inFragments)).extensions).toMatchObject({ depth: 7 });
  expect((await service.send(token, nested('transactions(first: 1) { nodes { id } }'))).errors).toBeUndefined();
});

describe('a document is refused before it is validated, with the limit and the count', () => {
  const many = (count: number, one: (n: number) => string) => Array.from({ length: count }, (_, n) => one(n)).join(' ');
  test.each([
    ['tokens', `{ ${many(250, () => 'tenant { id }')} }`, '1002 tokens (names, signs and values)', 1000],
    ['tokens, and no end', `{ ${'tenant { '.repeat(700)}`, '1401 tokens (names, signs and values)', 1000],
    ['aliases', `{ tenant { ${many(31, (n) => `a${n}: id`)} } }`, '31 aliases', 30],
    [
      'aliases in a fragment that is spread twice',
      `{ tenant { ...F ...F } } fragment F on Tenant { ${many(16, (n) => `a${n}: id`)} }`,
      '32 aliases',
      30,
    ],
    ['root fields', `{ ${many(31, () => 'tenant { id }')} }`, '31 root fields', 30],
    ['directives', `{ tenant { ${many(51, () => 'id @include(if: true)')} } }`, '51 directives', 50],
    ['directives that do not exist', `{ tenant { id ${'@x '.repeat(100)} } }`, '100 directives', 50],
    ['repeated fields', `{ tenant { ${many(52, () => 'id')} } }`, '51 fields that repeat a name', 50],
    [
      'repeated fields of an operation beside the one that is asked for',
      `query A { tenant { id } } query B { tenant { ${many(52, () => 'id')} } }`,
      '51 fields that repeat a name',
      50,
    ],
  ])('%s', async (_what, query, counted, limit) => {
    const { status, message, extensions } = refusal(await service.send(await viewer(PRAGUE), query));
    expect([status, extensions?.code]).toEqual([400, 'QUERY_TOO_COMPLEX']);
    expect(message).toBe(`The operation has ${counted}; at most ${limit} are allowed. Ask for fewer, or split it.`);
    expect(extensions).toMatchObject({ count: Number.parseInt(counted, 10), limit });
  });

  test('also in a fragment that nothing spreads, by its name', async () => {
    const query = `{ tenant { id } } fragment Idle on Tenant { ${many(52, () => 'id')} }`;
    expect(refusal(await service.send(await viewer(PRAGUE), query)).message).toBe(
      'The fragment Idle has 51 fields that repeat a name; at most 50 are allowed. Ask for fewer, or split it.',
    );
  });

  test('a fragment that spreads itself is refused by validation', async () => {
    const query = '{ tenant { ...F } } fragment F on Tenant { ...G } fragment G on Tenant { id ...F }';
    const { status, extensions } = refusal(await service.send(await viewer(PRAGUE), query));
    expect([status, extensions?.code]).toEqual([400, 'GRAPHQL_VALIDATION_FAILED']);
  });
});

describe('introspection without a token', () => {
  test('shows the schema in development', async () => {
    const { data, errors } = await service.send(null, getIntrospectionQuery());
    expect(errors).toBeUndefined();
    expect(data.__schema.types.map(({ name }: { name: string }) => name)).toContain('BankAccount');
  });

  test('that shows far more than the whole schema is refused, with a token or without', async () => {
    const type = 'name kind description ofType { name kind description }';
    const fields = `fields { name description args { name description defaultValue type { ${type} } } type { ${type} } }`;
    const nested = `{ __schema { types { name fields { type { ${fields} ofType { ${fields} ofType { ${fields} } } } } } } }`;
    for (const token of [null, await viewer(PRAGUE)]) {
      const { status, message, extensions } = refusal(await service.send(token, nested));
      expect([status, extensions?.code]).toEqual([400, 'QUERY_TOO_COMPLEX']);
      const { cost, limit } = extensions as unknown as { cost: number; limit: number };
      expect(cost).toBeGreaterThan(limit);
      expect(message).toBe(
        `The introspection costs ${cost} points; at most ${limit} are allowed, 2 times what the whole schema costs. Ask for fewer types and fields within one another.`,
      );
    }
  });

  test.each([
    '{ tenant { id } }',
    '{ __typename }',
    '{ tenant',
    '{ __schema { queryType { name } } }'.padEnd(9_000, '#'),
    'query A { __typename } query C { __typename }',
    '{ __schema { queryType { name } } tenant { id } }',
    '{ __schema { queryType { name } } ...F } fragment F on Query { accounts { totalCount } }',
    '{ __schema { queryType { name } } ... { viewer { id } } }',
    'query A { __typename } query B { tenant { id } }',
    'mutation { invalidateCache(input: {}) { namespaces } }',
    '{ account(id: "x") { id } }',
  ])('%s shows nothing of a tenant', async (query) => {
    service.statements.splice(0);
    const operationName = query.startsWith('query') ? 'B' : undefined;
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, operationName }),
    });
    const { data, errors } = await response.json();
    if (data) expect(data).toEqual({ __typename: 'Query' });
    else expect([response.status, errors[0].extensions.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(service.statements).toEqual([]);
  });

  test.each([
    ['{', '}'],
    ['query A { __typename } query B {', '}'],
    ['query A { __typename } fragment F on Query {', '}'],
  ])('is bounded in size, all of the document: %s … %s', async (begin, end) => {
    const query = `${begin} ${Array.from({ length: 200 }, (_, n) => `a${n}: __schema { types { name } }`).join(' ')} ${end}`;
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, operationName: query.startsWith('query A') ? 'A' : null }),
    });
    const { errors } = await response.json();
    expect([response.status, errors[0].extensions.code]).toEqual([400, 'QUERY_TOO_COMPLEX']);
  });

  test.each([
    ['production', {}, false],
    ['production', { EXPLORER: 'on' }, true],
    ['development', { EXPLORER: 'off' }, false],
  ])('in %s with %j: %s', async (mode, env, allowed) => {
    const settings = { NODE_ENV: mode, DATABASE_URL: database.url, AUTH_SECRET: SECRET, ...env };
    const other = await startService({ database, env: settings });
    try {
      for (const token of [null, await other.token(Role.ADMIN, PRAGUE.slug)]) {
        const { status, data, errors } = await other.send(token, '{ __schema { queryType { name } } }');
        if (allowed) expect(data).toEqual({ __schema: { queryType: { name: 'Query' } } });
        else if (token === null) expect([status, errors?.[0]?.extensions.code]).toEqual([401, 'UNAUTHENTICATED']);
        else expect([status, errors?.[0]?.extensions.code]).toEqual([400, 'GRAPHQL_VALIDATION_FAILED']);
      }
    } finally {
      await other.close();
    }
  });
});

describe('where there is no introspection', () => {
  let closed: TestService;
  beforeAll(async () => {
    closed = await startService({ database, env: { ...LIMITS, EXPLORER: 'off' } });
  });
  afterAll(() => closed.close());

  test('introspection is refused in words that a client can use', async () => {
    const token = await closed.token(Role.VIEWER, PRAGUE.slug);
    const { errors = [] } = await closed.send(token, '{ __schema { queryType { name } } }');
    expect(errors.map(({ message }) => message)).toEqual([
      'This service does not show its schema; its operator has it as schema.graphql.',
    ]);
  });

  test('errors suggest no names of the schema', async () => {
    const token = await closed.token(Role.VIEWER, PRAGUE.slug);
    const { message } = refusal(await closed.send(token, '{ tenan { id } }'));
    expect(message).toBe('Cannot query field "tenan" on type "Query".');
    const ofVariables =
      'query ($f: AccountFilter, $p: StatisticsPeriod!) { accounts(filter: $f) { totalCount } statistics(period: $p) { from } }';
    const { errors = [] } = await closed.send(token, ofVariables, { f: { bankNam: 'x', status: 'ACTIV' }, p: 'daily' });
    expect(errors.map((error) => error.message)).toEqual([
      'Variable "$f" got invalid value "ACTIV" at "f.status"; Value "ACTIV" does not exist in "AccountStatus" enum.',
      'Variable "$f" got invalid value { bankNam: "x", status: "ACTIV" }; Field "bankNam" is not defined by type "AccountFilter".',
      expect.stringMatching(
        /^Variable "\$p" got invalid value "daily"; Value "daily" does not exist in "StatisticsPeriod" enum\./,
      ),
    ]);
    expect(refusal(await service.send(token, '{ tenan { id } }')).message).toContain('Did you mean');
  });

  test.each([
    ['a query', JSON.stringify({ query: '{ tenant { id } }' })],
    ['no GraphQL', JSON.stringify({ query: '{'.repeat(2_000) })],
    ['no JSON', '{{{'],
    ['nothing', ''],
  ])('a stranger who sends %s gets 401, and nothing is read of it', async (_what, body) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${closed.url}/graphql`, { method: 'POST', headers, body });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect((await response.json()).errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  });

  test('what is refused is counted by status and code', async () => {
    const counted = async (status: number, code: string) => {
      const text = await (await fetch(`${closed.url}/metrics`)).text();
      const line = text
        .split('\n')
        .find((each) => each.startsWith(`tenantry_errors_total{status="${status}",code="${code}"}`));
      return Number(line?.split(' ')[1] ?? 0);
    };
    const token = await closed.token(Role.VIEWER, PRAGUE.slug);
    const ways = [
      [401, 'UNAUTHENTICATED', () => closed.send('no token', '{ tenant { id } }')],
      [401, 'UNAUTHENTICATED', () => closed.send(null, '{ tenant { id } }')],
      [400, 'QUERY_TOO_DEEP', () => closed.send(token, '{ a { b { c { d { e { f { g } } } } } } }')],
      [400, 'GRAPHQL_VALIDATION_FAILED', () => closed.send(token, '{ nothing }')],
      [200, 'FORBIDDEN', () => closed.send(token, 'mutation { invalidateCache(input: {}) { namespaces } }')],
    ] as const;
    for (const [status, code, send] of ways) {
      const before = await counted(status, code);
      await send();
      expect(await counted(status, code)).toBe(before + 1);
    }
  });
});

describe('the points of a minute', () => {
  const COSTLY = '{ accounts(first: 49) { nodes { id bankName } } }'; // 250 + 250 + 49 * (4 + 3)
  const RATE = '{ rateLimit { limit cost remaining resetAt } }';
  const BOTH = '{ rateLimit { cost remaining } tenant { name } }';
  const INVALID = '{ nothing }';

  let service: TestService;
  beforeAll(async () => {
    service = await startService({ database, env: { ...LIMITS, LIMIT_POINTS_PER_MINUTE: '20000' } });
  });
  afterAll(() => service.close());

  test('are what rateLimit counts: each operation takes its cost, and one that is new its tokens', async () => {
    const other = await service.token(Role.ANALYST, NEW_YORK.slug);
    // Known and compiled, at another's cost.
    for (const query of [COSTLY, RATE, RATE, RATE, BOTH, BOTH, BOTH]) await service.send(other, query);
    const token = await service.token(Role.ANALYST, PRAGUE.slug);
    const first = (await service.send(token, RATE)).data.rateLimit;
    expect(first).toMatchObject({ limit: 20_000, cost: 255, remaining: 19_745 });
    expect(Math.abs(Date.parse(first.resetAt) - Date.now() - 60_000)).toBeLessThan(10_000);
    await service.send(token, COSTLY);
    const second = (await service.send(token, RATE)).data.rateLimit;
    expect(second).toEqual({ ...first, remaining: first.remaining - 843 - 255 });
    await service.send(token, COSTLY); // from the cache: 40
    for (let n = 0; n < 2; n++) await service.send(token, INVALID); // validated each time: 250 and 3 tokens
    const combined = (await service.send(token, BOTH)).data.rateLimit;
    expect(combined).toEqual({ cost: 504, remaining: second.remaining - 40 - 2 * (250 + 3 * 15) - 504 });
    await service.send(token, '{ t: tenant { name } }'); // 8 tokens
    const known = (await service.send(token, BOTH)).data.rateLimit;
    expect(known.remaining).toBe(combined.remaining - 501 - 8 * 15 - 504);
    // `cost` is the price alone: what is charged beside it shows in what is left.
    const fresh = (await service.send(token, '{ rateLimit { cost remaining } viewer { role } }')).data.rateLimit; // 11 tokens
    expect(fresh.cost).toBe(255);
    expect(fresh.remaining).toBe(known.remaining - fresh.cost - 11 * 15);
  });

  test('are taken for what is compiled when it comes again, field by field', async () => {
    const token = await service.token(Role.VIEWER, (TWINS[2] as Twin).slug);
    const remaining = async () => (await service.send(token, RATE)).data.rateLimit.remaining;
    const query = '{ performance { operations { name } } }'; // never kept: executed each time
    const costs = [];
    await remaining();
    for (let n = 0; n < 5; n++) {
      const before = await remaining();
      await service.send(token, query);
      costs.push(before - (await remaining()));
    }
    const [, again = 0, compiled = 0, ...later] = costs;
    expect(compiled - again).toBe(3 * 100);
    expect(later).toEqual([again, again]);
  });

  test('once spent give RATE_LIMITED with status 429 and Retry-After, to that caller alone', async () => {
    const [spender, colleague, stranger] = await Promise.all([
      service.token(Role.ADMIN, PRAGUE.slug),
      service.token(Role.VIEWER, PRAGUE.slug),
      service.token(Role.ADMIN, NEW_YORK.slug),
    ]);
    const costly = (n: number) => `{ accounts(first: ${60 + n}) { nodes { id bankName accountNumber balance } } }`;
    let answer = await service.send(spender, costly(0));
    for (let n = 1; !answer.errors; n++) answer = await service.send(spender, costly(n));
    const { status, message, extensions } = refusal(answer);
    expect([status, extensions?.code]).toEqual([429, 'RATE_LIMITED']);
    const seconds = Number(answer.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    const { cost, remaining, limit } = extensions as unknown as Record<string, number>;
    expect(cost).toBeGreaterThan(remaining as number);
    expect(message).toBe(
      `The points of this minute do not suffice: this operation costs ${cost}, and ${remaining} of ${limit} are left; try again in ${seconds} s.`,
    );
    for (const other of [colleague, stranger]) expect((await service.send(other, COSTLY)).errors).toBeUndefined();
  });

  describe('are taken by the bytes of a request that is not remembered', () => {
    const KEPT = '{ tenant { slug } }';
    const HIT = 40;
    let reader: TestService;
    let token: string;
    beforeAll(async () => {
      reader = await startService({ database, env: { LIMIT_POINTS_PER_MINUTE: '10000000' } });
      await reader.untilCaughtUp();
      token = await reader.token(Role.ADMIN, PRAGUE.slug);
      // Known and compiled, and kept.
      for (let n = 0; n < 4; n++) for (const query of [KEPT, RATE_LIMIT]) await reader.send(token, query);
      while (!(await post(reader, token, { query: KEPT })).headers.get('cache-status')?.includes('; hit'));
    });
    afterAll(() => reader.close());

    function post({ url }: TestService, bearer: string, body: object | string) {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      return postJson(`${url}/graphql`, { authorization: `Bearer ${bearer}` }, text);
    }

    /** What one request takes from its caller. */
    async function paid(body: object): Promise<number> {
      const { points, result } = await pointsTaken(reader, token, () => post(reader, token, body));
      expect(result.status).toBe(200);
      return points;
    }

    /** Of what is read beside the body: the target, and the headers that say how. */
    const BESIDE = ['/graphql', '*/*', 'application/json'].join('').length;
    /** 2 KiB are free. */
    const reading = (body: object) => Math.ceil((Buffer.byteLength(JSON.stringify(body)) + BESIDE - 2_048) / 10);
    const padded = (bytes: number, more: object = {}) => ({ query: KEPT, ...more, padding: 'x'.repeat(bytes) });

    test('found in the cache: the first time; every time when it is too long to be remembered', async () => {
      expect(await paid({ query: KEPT })).toBe(HIT);
      expect(await paid(padded(1_500))).toBe(HIT);
      const first = padded(60_000);
      expect(await paid(first)).toBe(HIT + reading(first));
      expect(await paid(first)).toBe(HIT);
      const long = padded(1_000_000);
      expect(reading(long)).toBeGreaterThan(99_000);
      for (let n = 0; n < 2; n++) expect(await paid(long)).toBe(HIT + reading(long));
      const named = { query: KEPT, extensions: { clientLibrary: { name: 'x'.repeat(9_000) } } };
      expect(await paid(named)).toBe(HIT + reading(named));
    });

    test('of what is never kept: every time', async () => {
      const query = '{ rateLimit { limit } }';
      for (let n = 0; n < 3; n++) await paid({ query });
      const alone = await paid({ query });
      const body = padded(50_000, { query });
      for (let n = 0; n < 2; n++) expect(await paid(body)).toBe(alone + reading(body));
    });

    test('that is remembered, whose answer is computed again: as it is read again', async () => {
      const forget = () => reader.send(token, 'mutation { invalidateCache(input: {}) { namespaces } }');
      const body = padded(50_000);
      await paid(body);
      // Compiled, too.
      for (let n = 0; n < 3; n++) {
        await forget();
        await paid({ query: KEPT });
      }
      await forget();
      const alone = await paid({ query: KEPT });
      expect(alone).toBeGreaterThan(250);
      await forget();
      expect(await paid(body)).toBe(alone + reading(body));
    });

    test('and what is spent by them is refused alike, found or not; then nothing is read', async () => {
      const poor = await startService({ database, env: { LIMIT_POINTS_PER_MINUTE: '2000' } });
      try {
        await poor.untilCaughtUp();
        const viewer = await poor.token(Role.VIEWER, NEW_YORK.slug);
        while (!(await post(poor, viewer, { query: KEPT })).headers.get('cache-status')?.includes('; hit'));
        const [analyst, admin] = await Promise.all([
          poor.token(Role.ANALYST, NEW_YORK.slug),
          poor.token(Role.ADMIN, NEW_YORK.slug),
        ]);
        const hot = await post(poor, analyst, padded(30_000));
        const cold = await post(poor, admin, padded(30_000, { query: '{ cold: tenant { slug } }' }));
        const told = ({ status, body, headers }: typeof hot) => ({
          status,
          body: withItsId(body, headers.get('x-request-id')).replace(/in \d+ s\b|"resetAt":"[^"]*"/g, ''),
        });
        expect(hot.body).toContain('are spent: 0 of 2000 are left');
        expect(told(hot)).toEqual(told(cold));
        expect(told(await post(poor, analyst, '{'))).toEqual(told(hot));
      } finally {
        await poor.close();
      }
    });
  });

  describe('are taken for all that is read and not found in the cache', () => {
    let bounded: TestService;
    beforeAll(async () => {
      bounded = await startService({ database, env: { ...LIMITS, LIMIT_POINTS_PER_MINUTE: '2000' } });
    });
    afterAll(() => bounded.close());

    const dear = '{ accounts(first: 100) { nodes { recentTransactions(limit: 10) { id } } } }';
    const unfit = 'query ($n: Int!) { accounts(first: $n) { nodes { id } } }';
    test.each([
      ['introspection', [Role.ADMIN, 0] as const, '{ __schema { queryType { name } } }', undefined],
      ['a type’s name', [Role.ADMIN, 1] as const, '{ __typename }', undefined],
      ['what is no GraphQL', [Role.ADMIN, 2] as const, '{ tenant', 'GRAPHQL_PARSE_FAILED'],
      ['what is not valid', [Role.VIEWER, 0] as const, '{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
      ['variables that do not fit', [Role.VIEWER, 1] as const, unfit, 'BAD_USER_INPUT'],
      ['what is too dear', [Role.VIEWER, 2] as const, dear, 'QUERY_TOO_COMPLEX'],
      ['what is too large', [Role.ANALYST, 0] as const, `{ ${'tenant { id } '.repeat(31)} }`, 'QUERY_TOO_COMPLEX'],
    ])('%s: some times, with its own answer, then 429', async (_, [role, twin], query, code) => {
      const token = await bounded.token(role, (TWINS[twin] as Twin).slug);
      let answer = await bounded.send(token, query);
      let answers = 0;
      for (; answer.status !== 429; answers++) {
        expect(answer.errors?.[0]?.extensions.code).toBe(code);
        answer = await bounded.send(token, query);
      }
      expect(answers).toBeGreaterThanOrEqual(4);
      expect(answers).toBeLessThanOrEqual(8); // 250 points each, of 2,000
      expect([answer.status, refusal(answer).extensions?.code]).toEqual([429, 'RATE_LIMITED']);
      expect((await bounded.send(null, '{ __schema { queryType { name } } }')).errors).toBeUndefined();
    });
  });
});
