import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSchema } from '../../src/app/schema.ts';
import { Role } from '../../src/auth/caller.ts';
import { cacheOutcome } from '../support/cache-outcome.ts';
import { insertAccounts, insertTransactions } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { type GraphqlAnswer, startService, type TestService } from '../support/service.ts';
import { insertTwins, TWINS, type Twin, twinAccountId } from '../support/twin-tenants.ts';

const [PRAGUE, NEW_YORK] = TWINS as [Twin, Twin];
const ID = twinAccountId(0);
const ACCOUNT =
  'id tenant { id slug name } bankName accountNumber accountType status currency balance version createdAt';
const TRANSACTION = 'id bookedAt direction amount currency balanceAfter category description';
const FLOWS = 'flows { currency transactionCount inflow outflow net }';
const PAGE = 'pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount';

/** What both tenants ask for in the same words, by the query of the schema. */
const KEPT: Readonly<Record<string, string>> = {
  viewer: '{ viewer { id name role tenant { id slug name timeZone } } }',
  tenant: '{ tenant { id slug name timeZone } }',
  account: `{ account(id: "${ID}") { ${ACCOUNT} recentTransactions(limit: 20) { ${TRANSACTION} account { ${ACCOUNT} } }
    transactions(first: 9, filter: { direction: DEBIT }) { edges { cursor node { ${TRANSACTION} } } ${PAGE} } } }`,
  accountByNumber: `{ accountByNumber(accountNumber: "0001") { ${ACCOUNT} } }`,
  accounts: `{ accounts(first: 100, orderBy: { field: BALANCE, direction: DESC }) { edges { cursor node { ${ACCOUNT}
    recentTransactions(limit: 3) { ${TRANSACTION} } } } ${PAGE} } }`,
  accountList: `{ accountList(pageSize: 100, filter: { bankName: "alfa" }) { count totalPages results { ${ACCOUNT} } } }`,
  transactions: `{ transactions(first: 100) { nodes { ${TRANSACTION} account { id accountNumber currency tenant { slug } } } ${PAGE} }
    unlike: transactions(first: 100, orderBy: { field: AMOUNT }, filter: { not: { category: "rent" }, or: [
      { descriptionStartsWith: "only" }, { accountIdIn: ["${ID}"] }] }) { edges { cursor node { ${TRANSACTION} } } ${PAGE} } }`,
  dashboard: `{ dashboard(date: "2025-03-31") { date overview { totalAccounts activeAccounts balances { currency amount } }
    accountsByType { key count balances { currency amount } } accountsByStatus { key count } accountsByBank { key count }
    activity(days: 30) { totals { currency net } series { date ${FLOWS} } }
    topAccounts(limit: 9) { ${ACCOUNT} } recentTransactions(limit: 9) { ${TRANSACTION} account { ${ACCOUNT} } } } }`,
  statistics: `{ statistics(period: WEEKLY, from: "2025-01-01", to: "2025-06-30") { from to totals { currency net }
    buckets { start end ${FLOWS} } byCategory { category ${FLOWS} } } }`,
};
/** Never kept, and different with each answer: tested by themselves. */
const OF_THE_MOMENT = ['auditLog', 'performance', 'rateLimit'];

let database: TestDatabase;
let reference: TestService;
const own = new Map<Twin, Own>();
beforeAll(async () => {
  database = await createTestDatabase();
  await insertTwins(database.url);
  for (const twin of [PRAGUE, NEW_YORK]) own.set(twin, await insertOwn(twin));
  reference = await startService({ database, env: { CACHE: 'off' } });
});
afterAll(async () => {
  await reference.close();
  await database.drop();
});

/** What one tenant alone has. */
interface Own {
  readonly accountId: string;
  readonly accountNumber: string;
  readonly transactionId: string;
}

async function insertOwn({ id, slug }: Twin): Promise<Own> {
  const accountNumber = `only-${slug}`;
  const [accountId = ''] = await insertAccounts(database.url, id, [{ accountNumber, id: randomUUID() }]);
  // Later than everything else: no other row is at its place in any order of transactions.
  const newTransaction = { id: randomUUID(), accountId, bookedAt: '2031-01-01T00:00:00Z', description: `only-${slug}` };
  const [transactionId = ''] = await insertTransactions(database.url, id, [newTransaction]);
  return { accountId, accountNumber, transactionId };
}

/** Everything that would give the tenant away in another's answer. */
function marksOf(twin: Twin): string[] {
  return [twin.id, twin.slug, twin.currency, twin.timeZone, ...Object.values(own.get(twin) ?? {})];
}

function expectNothingOf(other: Twin, { data, errors, headers }: GraphqlAnswer): void {
  const text = JSON.stringify([data, errors, [...headers]]);
  for (const mark of marksOf(other)) expect(text).not.toContain(mark);
}

function expectOwn(twin: Twin, answer: GraphqlAnswer, expected: unknown): void {
  expect(answer.errors).toBeUndefined();
  expect(answer.data).toEqual(expected);
  expectNothingOf(twin === PRAGUE ? NEW_YORK : PRAGUE, answer);
}

/** The same promises for every place that answers are kept in. */
function promises(start: () => Promise<{ services: readonly TestService[]; stop(): Promise<void> }>): void {
  let services: readonly TestService[];
  let stop: () => Promise<void>;
  const tokens = new Map<Twin, string>();
  beforeAll(async () => {
    ({ services, stop } = await start());
    for (const service of services) await service.untilCaughtUp();
    for (const twin of [PRAGUE, NEW_YORK]) tokens.set(twin, await reference.token(Role.ADMIN, twin.slug));
  });
  afterAll(() => stop());

  const ask = (service: TestService, twin: Twin, query: string, variables?: object) =>
    service.send(tokens.get(twin) ?? null, query, variables);

  test.each(Object.entries(KEPT))('%s', async (_name, query) => {
    const expected = new Map<Twin, unknown>();
    for (const twin of [PRAGUE, NEW_YORK]) expected.set(twin, (await ask(reference, twin, query)).data);
    expect(expected.get(PRAGUE)).not.toEqual(expected.get(NEW_YORK));
    for (const order of [
      [PRAGUE, NEW_YORK],
      [NEW_YORK, PRAGUE],
    ] as const) {
      for (const twin of order)
        await services[0]?.send(tokens.get(twin) ?? null, 'mutation { invalidateCache(input: {}) { namespaces } }');
      const outcomes = [];
      for (const service of services)
        for (const twin of [...order, ...order, ...order.toReversed()]) {
          const answer = await ask(service, twin, query);
          expectOwn(twin, answer, expected.get(twin));
          outcomes.push(cacheOutcome(answer.headers.get('cache-status')));
        }
      expect(outcomes.slice(0, 2)).toEqual(['tenantry; fwd=miss', 'tenantry; fwd=miss']);
      expect(outcomes.slice(2, 6)).toEqual(Array(4).fill('tenantry; hit'));
    }
  });

  test('all queries at once, by both tenants in the same tick', async () => {
    const [service] = services as [TestService];
    for (const twin of [PRAGUE, NEW_YORK])
      await ask(service, twin, 'mutation { invalidateCache(input: {}) { namespaces } }');
    const asked = Object.values(KEPT).flatMap((query) =>
      [PRAGUE, NEW_YORK, PRAGUE, NEW_YORK].map((twin) => ({ query, twin })),
    );
    const answers = await Promise.all(asked.map(({ query, twin }) => ask(service, twin, query)));
    for (const [index, { query, twin }] of asked.entries())
      expectOwn(twin, answers[index] as GraphqlAnswer, (await ask(reference, twin, query)).data);
  });

  test('ids and numbers of the other tenant are answered as unknown ones', async () => {
    const queries = [
      `query ($id: ID!) { account(id: $id) { ${ACCOUNT} } }`,
      `query ($id: ID!) { account(id: $id) { recentTransactions { id } transactions { totalCount } } }`,
      `query ($id: ID!) { transactions(filter: { accountId: $id }) { nodes { id } ${PAGE} } }`,
      `query ($id: ID!) { account(id: "${ID}") { transactions(filter: { accountId: $id }) { nodes { id } ${PAGE} } } }`,
      'query ($id: String!) { accountByNumber(accountNumber: $id) { id } }',
      'query ($id: String!) { accounts(filter: { accountNumber: $id }) { nodes { id } totalCount } }',
      'query ($id: String!) { accountList(filter: { accountNumber: $id }) { results { id } count totalPages } }',
    ];
    for (const [twin, other] of [
      [PRAGUE, NEW_YORK],
      [NEW_YORK, PRAGUE],
    ] as const) {
      const theirs = own.get(other) as Own;
      for (const query of queries)
        for (const id of query.includes('ID!')
          ? [theirs.accountId, theirs.transactionId, other.id]
          : [theirs.accountNumber])
          for (const service of services) {
            // The owner's own answer is kept, when there is one.
            await ask(service, other, query, { id });
            const answer = await ask(service, twin, query, { id });
            expect(answer.errors).toBeUndefined();
            expect(answer.data).toEqual((await ask(service, twin, query, { id: randomUUID() })).data);
          }
    }
  });

  test('cursors of the other tenant are places in one’s own list, as those of rows that never were', async () => {
    const list = `query ($after: String, $before: String) {
      transactions(first: 3, after: $after, before: $before) { nodes { id amount currency } ${PAGE} } }`;
    const [service] = services as [TestService];
    for (const [twin, other] of [
      [PRAGUE, NEW_YORK],
      [NEW_YORK, PRAGUE],
    ] as const) {
      const filter = `{ transactions(first: 1, filter: { accountId: "${own.get(other)?.accountId}" }) { edges { cursor } } }`;
      const cursor: string = (await ask(service, other, filter)).data.transactions.edges[0].cursor;
      const place = JSON.parse(Buffer.from(cursor, 'base64url').toString());
      const never = Buffer.from(JSON.stringify([...place.slice(0, 2), randomUUID().replace(/^./, place[2][0])]));
      for (const bound of ['after', 'before']) {
        const answer = await ask(service, twin, list, { [bound]: cursor });
        const unknown = await ask(service, twin, list, { [bound]: never.toString('base64url') });
        expect(answer.errors).toBeUndefined();
        expectNothingOf(other, answer);
        const { totalCount, nodes } = answer.data.transactions;
        expect(totalCount).toBe(unknown.data.transactions.totalCount);
        // Only the own transaction of the same instant may lie on either side of it.
        const shared = ({ id }: { id: string }) => id !== own.get(twin)?.transactionId;
        expect(nodes.filter(shared).slice(0, 2)).toEqual(unknown.data.transactions.nodes.filter(shared).slice(0, 2));
      }
    }
  });
}

test('the table has every query of the schema', () => {
  const queries = Object.keys(createSchema().getQueryType()?.getFields() ?? {});
  expect([...Object.keys(KEPT), ...OF_THE_MOMENT].sort()).toEqual(queries.sort());
});

describe('both tenants ask the same, with answers kept in memory: each gets its own', () => {
  promises(async () => {
    const service = await startService({ database });
    await service.untilCaughtUp();
    return { services: [service], stop: () => service.close() };
  });
});

describeWithRedis('both tenants ask the same, with answers kept in two processes and Redis: each gets its own', () => {
  let redis: TestRedis;
  promises(async () => {
    redis = await startRedis();
    const env = { REDIS_URL: redis.url };
    const services = [await startService({ database, env }), await startService({ database, env })];
    for (const service of services) await service.untilCaughtUp();
    const stop = async () => {
      for (const service of services) await service.close();
      await redis.stop();
    };
    return { services, stop };
  });
});

describe('what is of the moment', () => {
  test('performance shows an ADMIN the operations of the own tenant alone, and an OPERATOR all', async () => {
    for (const twin of [PRAGUE, NEW_YORK])
      await reference.send(
        await reference.token(Role.VIEWER, twin.slug),
        `query Only_${twin.slug.replace('-', '_')} { transactions(first: 1) { nodes { id } } }`,
      );
    const operations = async (token: string) => {
      const { data } = await reference.send(token, '{ performance { operations { name } slowQueries { sql } } }');
      return data.performance.operations.map(({ name }: { name: string }) => name);
    };
    const prague = await operations(await reference.token(Role.ADMIN, PRAGUE.slug));
    expect(prague).toContain('Only_praha');
    expect(prague).not.toContain('Only_new_york');
    expect(await operations(await reference.token(Role.ADMIN, NEW_YORK.slug))).not.toContain('Only_praha');
    expect(await operations(await reference.token(Role.OPERATOR))).toEqual(
      expect.arrayContaining(['Only_praha', 'Only_new_york']),
    );
  });

  test('the points that one tenant’s caller spends are not taken from the same subject of another', async () => {
    const remaining = async (twin: Twin) =>
      (await reference.send(await reference.token(Role.ANALYST, twin.slug), '{ rateLimit { remaining } }')).data
        .rateLimit.remaining;
    const before = await remaining(NEW_YORK);
    for (let n = 0; n < 3; n++) await remaining(PRAGUE);
    expect(await remaining(NEW_YORK)).toBe(before - 252);
  });
});
