import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { StatisticsDocument, type StatisticsPeriod } from '../generated/graphql.ts';
import { request, requestAnswer } from '../support/client.ts';
import { plainStatistics, plainToday } from '../support/plain-sql.ts';
import { startService, type TestService } from '../support/service.ts';
import { EMPTY_TENANT, insertTwins, TWINS, type Twin } from '../support/twin-tenants.ts';

const PERIODS: readonly StatisticsPeriod[] = ['DAILY', 'WEEKLY', 'MONTHLY', 'QUARTERLY', 'YEARLY'];

let service: TestService;
let sql: pg.Client;
const tokens = new Map<Twin, string>();
beforeAll(async () => {
  service = await startService();
  await insertTwins(service.databaseUrl);
  sql = new pg.Client({ connectionString: service.databaseUrl });
  await sql.connect();
  for (const twin of [...TWINS, EMPTY_TENANT]) tokens.set(twin, await service.token(Role.VIEWER, twin.slug));
});
afterAll(async () => {
  await sql.end();
  await service.close();
});

interface Range {
  readonly period: StatisticsPeriod;
  readonly from?: string;
  readonly to?: string;
}

async function statistics(twin: Twin, range: Range) {
  const { generatedAt: _, ...answer } = (await request(service, tokens.get(twin) ?? null, StatisticsDocument, range))
    .statistics;
  return answer;
}

async function refusal(range: Range) {
  const { errors } = await requestAnswer(service, tokens.get(TWINS[0] as Twin) ?? null, StatisticsDocument, range);
  return { message: errors?.[0]?.message, ...errors?.[0]?.extensions };
}

describe.each([...TWINS, EMPTY_TENANT])('the statistics of $slug equal plain SQL', (twin) => {
  test.each([
    { period: 'DAILY', from: '2025-03-01', to: '2025-04-30' },
    { period: 'DAILY', from: '2025-10-26', to: '2025-10-26' },
    { period: 'DAILY', from: '2024-01-01', to: '2024-12-31' },
    { period: 'WEEKLY', from: '2025-03-05', to: '2025-11-06' },
    { period: 'WEEKLY', from: '2025-03-30', to: '2025-03-31' },
    { period: 'MONTHLY', from: '2019-12-31', to: '2025-11-02' },
    { period: 'QUARTERLY', from: '2015-02-15', to: '2026-08-14' },
    { period: 'YEARLY', from: '2014-12-31', to: '2026-01-01' },
    { period: 'YEARLY', from: '2025-03-30', to: '2025-11-02' },
  ] as const)('$period from $from to $to, the first and last bucket clipped', async (range) => {
    expect(await statistics(twin, range)).toEqual(await plainStatistics(sql, twin.id, range));
  });

  test.each(PERIODS)('%s without from and to, for the default number of periods up to today', async (period) => {
    const before = await plainToday(sql, twin.id);
    const answer = await statistics(twin, { period });
    expect([before, await plainToday(sql, twin.id)]).toContain(answer.to);
    const buckets = { DAILY: 30, WEEKLY: 26, MONTHLY: 24, QUARTERLY: 12, YEARLY: 10 }[period];
    expect(answer.buckets).toHaveLength(buckets);
    expect(answer).toEqual(await plainStatistics(sql, twin.id, answer));
  });
});

test('the periods counted back from a day begin where calendars say', async () => {
  const to = '2024-02-29'; // a Thursday
  const from = async (period: StatisticsPeriod) => (await statistics(TWINS[0] as Twin, { period, to })).from;
  expect(await Promise.all(PERIODS.map(from))).toEqual([
    ...['2024-01-31', '2023-09-04', '2022-03-01', '2021-04-01', '2015-01-01'],
  ]);
});

test('the fixture’s tenants count the same transactions to other days', async () => {
  const range = { period: 'DAILY', from: '2025-03-29', to: '2025-03-31' } as const;
  const counts = async ({ id }: Twin) =>
    (await plainStatistics(sql, id, range)).buckets.map(({ flows }) =>
      flows.reduce((sum, { transactionCount }) => sum + transactionCount, 0),
    );
  const [prague, newYork, lordHowe] = TWINS as [Twin, Twin, Twin];
  expect(await counts(prague)).not.toEqual(await counts(newYork));
  expect(await counts(newYork)).not.toEqual(await counts(lordHowe));
  expect(Math.min(...(await counts(prague)))).toBeGreaterThan(0);
});

test('transactions without a category are an entry of their own, the last one', async () => {
  const { byCategory } = await statistics(TWINS[0] as Twin, { period: 'YEARLY' });
  expect(byCategory.map(({ category }) => category)).toEqual([
    ...['groceries', `o'brien "%_\\" *`, 'rent', 'salary', 'Ärzte', null],
  ]);
});

test('a year of days is answered and one day more is refused by name', async () => {
  const range = { period: 'DAILY', from: '2023-12-31', to: '2024-12-30' } as const;
  expect((await statistics(TWINS[0] as Twin, range)).buckets).toHaveLength(366);
  const refused = await refusal({ ...range, to: '2024-12-31' });
  expect(refused).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'from' });
  expect(refused.message).toContain('at most 366 DAILY buckets');
});

test('a range that ends before it begins is refused, naming the end and the beginning', async () => {
  const refused = await refusal({ period: 'MONTHLY', from: '2025-02-01', to: '2025-01-31' });
  expect(refused).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'from' });
  expect(refused.message).toBe('from must be on or before to, 2025-01-31, but got: "2025-02-01".');
});

test.each(PERIODS)('%s goes on to the last day that can be written', async (period) => {
  const range = { period, from: '9999-12-30', to: '9999-12-31' };
  const { buckets } = await statistics(TWINS[0] as Twin, range);
  expect([buckets[0]?.start, buckets.at(-1)?.end]).toEqual([range.from, range.to]);
});

test('more sums than a range may have are refused with what to do, and as many are answered', async () => {
  const { id } = TWINS[0] as Twin;
  const categories = (from: number, to: number) =>
    sql.query(
      `INSERT INTO transactions (id, tenant_id, account_id, booked_at, direction, amount, currency, category)
       SELECT gen_random_uuid(), tenant_id, account_id, '1999-06-15T12:00:00Z', direction, amount, currency, 'category ' || n
       FROM (SELECT * FROM transactions WHERE tenant_id = $1 LIMIT 1) one, generate_series($2::integer, $3) n`,
      [id, from, to],
    );
  const range = { period: 'DAILY', from: '1999-06-01', to: '1999-06-30' } as const;
  await categories(1, 9_998);
  // One for each category, one for the day, one for the range.
  expect((await statistics(TWINS[0] as Twin, range)).byCategory).toHaveLength(9_998);
  const twice =
    '{ statistics(period: DAILY, from: "1999-06-01", to: "1999-06-30") { a: byCategory { category flows { net } } b: byCategory { category } } }';
  expect((await service.send(tokens.get(TWINS[0] as Twin) ?? null, twice)).errors).toMatchObject([
    { message: expect.stringMatching(/^This answer shows more than 10000 sums/), extensions: { limit: 10_000 } },
  ]);
  await categories(9_999, 9_999);
  const token = tokens.get(TWINS[0] as Twin) ?? null;
  const remaining = async () => (await service.send(token, '{ rateLimit { remaining } }')).data.rateLimit.remaining;
  const before = await remaining();
  expect(await refusal(range)).toEqual({
    message:
      'These statistics have more than 10000 sums, one for each bucket, category and currency. Take a shorter range or a longer period, or leave out byCategory.',
    code: 'QUERY_TOO_COMPLEX',
    limit: 10_000,
  });
  expect(before - (await remaining())).toBeGreaterThan(57_000); // they were read
});

test('selections of single parts hold the same numbers as the whole', async () => {
  const twin = TWINS[2] as Twin;
  const range = { period: 'MONTHLY', from: '2025-01-15', to: '2025-06-15' } as const;
  const whole = await plainStatistics(sql, twin.id, range);
  const ask = async (part: string) =>
    (
      await service.send(
        tokens.get(twin) ?? null,
        `{ statistics(period: MONTHLY, from: "2025-01-15", to: "2025-06-15") { ${part} } }`,
      )
    ).data.statistics;
  expect(await ask('totals { net currency }')).toEqual({
    totals: whole.totals.map(({ net, currency }) => ({ net, currency })),
  });
  expect(await ask('buckets { end start }')).toEqual({
    buckets: whole.buckets.map(({ end, start }) => ({ end, start })),
  });
  expect(await ask('byCategory { category flows { inflow } }')).toEqual({
    byCategory: whole.byCategory.map(({ category, flows }) => ({
      category,
      flows: flows.map(({ inflow }) => ({ inflow })),
    })),
  });
});
