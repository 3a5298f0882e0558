import { afterAll, beforeAll, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { DEFAULT_SEARCH_LIMITS, defaultOperationPoints } from '../../src/config/search-limits.ts';
import { OPERATION_POINTS, readingPoints } from '../../src/graphql/prices.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { makeKnown } from '../support/known-operation.ts';
import { pointsTaken, RATE_LIMIT } from '../support/points-taken.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { type GraphqlAnswer, startService, type TestService } from '../support/service.ts';

const TRANSACTIONS = 40_000;
const POINTS = 1_500_000;
/** The service's own default; searches of tests may take longer, which would raise it. */
const LIMIT = defaultOperationPoints(DEFAULT_SEARCH_LIMITS);
const DASHBOARD = '{ dashboard { overview { totalAccounts } } }';

let database: TestDatabase;
let service: TestService;
beforeAll(async () => {
  database = await createTestDatabase();
  for (const slug of ['flood', 'other']) {
    const tenantId = await insertTenant(database.url, { slug });
    await insertAccounts(database.url, tenantId, [{ accountNumber: `of ${slug}` }]);
  }
  await withClient(database.url, (client) =>
    client.query(
      `INSERT INTO transactions (tenant_id, account_id, booked_at, direction, amount, currency)
       SELECT tenant_id, id, timestamptz '2025-01-01' + n * interval '1 minute', 'CREDIT', 1 + n % 100, currency
       FROM bank_accounts, generate_series(1, $1) AS n WHERE account_number = 'of flood'`,
      [TRANSACTIONS],
    ),
  );
  const env = {
    ...{ LIMIT_ALIASES: '200', LIMIT_ROOT_FIELDS: '200', LIMIT_TOKENS: '10000' },
    ...{ LIMIT_OPERATION_COST: String(LIMIT), LIMIT_POINTS_PER_MINUTE: String(POINTS) },
  };
  service = await startService({ database, env });
});
afterAll(async () => {
  await service?.close();
  await database?.drop();
});

/** Counts that nothing is kept for. */
const dearest = (aliases: number, from = 0) =>
  `{ ${Array.from(
    { length: aliases },
    (_, index) => `a${index}: transactions(first: 1, filter: { minAmount: "0.${from + index}" }) { totalCount }`,
  ).join(' ')} }`;
/** Each reads the tenant's transactions twice, for its page and for its number. */
const costOf = (aliases: number) => 250 + aliases * (250 + 4 + 1 + 2 * 0.6 * TRANSACTIONS);

function refusal({ status, errors, data }: GraphqlAnswer) {
  expect(data ?? null).toBeNull();
  expect(errors).toHaveLength(1);
  return [status, errors?.[0]?.extensions.code, errors?.[0]?.message.replace(/\d+ s/, '')];
}

test('two hundred counts of a large tenant are refused before any, each time, and cost what any operation does', async () => {
  const token = await service.token(Role.VIEWER, 'flood');
  const other = await service.token(Role.VIEWER, 'other');
  await makeKnown(service, other, dearest(200));
  await makeKnown(service, other, RATE_LIMIT);
  const { points } = await pointsTaken(service, token, async () => {
    service.statements.splice(0);
    for (let time = 0; time < 3; time++) {
      const answer = await service.send(token, dearest(200));
      expect(refusal(answer).slice(0, 2)).toEqual([400, 'QUERY_TOO_COMPLEX']);
      expect(answer.errors?.[0]?.extensions).toMatchObject({ cost: costOf(200), limit: LIMIT });
    }
    expect(service.statements).toEqual([]);
  });
  // The text is long to read, and so are the headers that say how.
  const headers = ['*/*', 'application/json'].join('').length;
  const reading = readingPoints('/graphql'.length + headers + JSON.stringify({ query: dearest(200) }).length);
  expect(reading).toBeGreaterThan(0);
  expect(points).toBe(3 * (OPERATION_POINTS + reading));
});

test('the same text costs each tenant by its own size', async () => {
  const text = '{ a: transactions(first: 1, filter: { minAmount: "1" }) { totalCount } rateLimit { cost } }';
  const costs: number[] = [];
  for (const slug of ['other', 'flood', 'other']) {
    const { data } = await service.send(await service.token(Role.ANALYST, slug), text);
    costs.push(data.rateLimit.cost);
  }
  expect(costs).toEqual([costOf(1) - 1.2 * TRANSACTIONS + 2, costOf(1) + 2, costOf(1) - 1.2 * TRANSACTIONS + 2]);
});

test('what tenants cost is priced by how many of them the caller sees', async () => {
  const text = '{ performance { tenants(first: 1) { slug } } rateLimit { cost } }';
  const costs: number[] = [];
  for (const role of [Role.ANALYST, Role.OPERATOR, Role.ADMIN]) {
    const { data } = await service.send(await service.token(role, 'flood'), text);
    costs.push(data.rateLimit.cost);
  }
  const [own = 0, all = 0, again] = costs;
  // Of each a day of spans of five minutes, added up for hour and day.
  const row = 0.6 * 2;
  expect([all - own, again]).toEqual([Math.ceil(2 * 288 * row) - Math.ceil(288 * row), own]);
  expect(own).toBeGreaterThan(288 * row);
});

test('as many as a minute has points for are counted, then the caller waits, and nobody else', async () => {
  const [flood, other] = [await service.token(Role.ADMIN, 'flood'), await service.token(Role.ADMIN, 'other')];
  const affordable = Math.floor(POINTS / costOf(15));
  const flooding = Array.from({ length: 2 * affordable }, (_, n) => service.send(flood, dearest(15, 1_000 * n)));
  for (let asked = 0; asked < 10; asked++) {
    const { status, data } = await service.send(other, DASHBOARD);
    expect([status, data.dashboard.overview.totalAccounts]).toEqual([200, 1]);
  }
  const answers = await Promise.all(flooding);
  const counted = answers.filter(({ status }) => status === 200);
  expect(counted).toHaveLength(affordable);
  for (const { data } of counted) expect(data.a0).toEqual({ totalCount: 10_000 });

  const refused = answers.filter(({ status }) => status !== 200).map(refusal);
  expect(refused.map(([status, code]) => [status, code])).toEqual(refused.map(() => [429, 'RATE_LIMITED']));
  expect((await service.send(other, DASHBOARD)).status).toBe(200);
});
