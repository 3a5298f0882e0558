import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { DashboardDocument, DashboardListsDocument } from '../generated/graphql.ts';
import { request } from '../support/client.ts';
import { plainAccounts, plainDashboard, plainToday, plainTransactions } from '../support/plain-sql.ts';
import { startService, type TestService } from '../support/service.ts';
import { EMPTY_TENANT, insertTwins, TWINS, type Twin } from '../support/twin-tenants.ts';

const ALL = [...TWINS, EMPTY_TENANT];

let service: TestService;
let sql: pg.Client;
const tokens = new Map<Twin, string>();
beforeAll(async () => {
  service = await startService();
  await insertTwins(service.databaseUrl);
  sql = new pg.Client({ connectionString: service.databaseUrl });
  await sql.connect();
  for (const twin of ALL) tokens.set(twin, await service.token(Role.VIEWER, twin.slug));
});
afterAll(async () => {
  await sql.end();
  await service.close();
});

async function dashboard(twin: Twin, variables: { date?: string; days?: number }) {
  const answer = await request(service, tokens.get(twin) ?? null, DashboardDocument, variables);
  const { generatedAt, ...dashboard } = answer.dashboard;
  return { generatedAt, dashboard };
}

describe.each(ALL)('the dashboard of $slug equals plain SQL', (twin) => {
  test.each([1, 2, 30, 366])(
    'over %i days of every season, summer time’s first and last days included',
    async (days) => {
      for (const date of [
        '2025-03-09',
        '2025-03-31',
        '2025-04-06',
        '2025-10-05',
        '2025-10-26',
        '2025-11-02',
        '2024-02-29',
        '2019-12-31',
      ]) {
        const answer = await dashboard(twin, { date, days });
        expect(answer.dashboard).toEqual(await plainDashboard(sql, twin.id, { date, days }));
      }
    },
  );

  test('without a date it ends on the tenant’s today', async () => {
    const before = await plainToday(sql, twin.id);
    const answer = await dashboard(twin, {});
    const { date } = answer.dashboard;
    expect([before, await plainToday(sql, twin.id)]).toContain(date);
    expect(answer.dashboard).toEqual(await plainDashboard(sql, twin.id, { date, days: 30 }));
  });

  test('on days long before and after all transactions', async () => {
    for (const date of ['0100-01-01', '9999-12-31'])
      expect((await dashboard(twin, { date, days: 3 })).dashboard).toEqual(
        await plainDashboard(sql, twin.id, { date, days: 3 }),
      );
  });

  test('its lists are the highest balances and the newest transactions, whatever their date', async () => {
    const [topAccounts, recentTransactions] = [50, 100];
    const answer = await request(service, tokens.get(twin) ?? null, DashboardListsDocument, {
      topAccounts,
      recentTransactions,
    });
    const accounts = await plainAccounts(sql, twin.id, { orderBy: 'balance DESC, id DESC' });
    expect(answer.dashboard.topAccounts).toEqual(accounts.slice(0, topAccounts));
    expect(answer.dashboard.recentTransactions).toEqual(
      await plainTransactions(sql, twin.id, { limit: recentTransactions }),
    );
  });
});

test('the fixture has what a dashboard could get wrong', async () => {
  const date = '2025-03-31';
  const dashboards = [];
  for (const { id } of TWINS) dashboards.push(await plainDashboard(sql, id, { date, days: 3 }));
  const [first, ...others] = dashboards;
  for (const other of others) expect(other.activity.series).not.toEqual(first?.activity.series);
  expect(first?.overview.balances.length).toBe(2);
  expect(first?.accountsByStatus.map(({ key }) => key)).toEqual(['PENDING', 'ACTIVE', 'FROZEN', 'CLOSED']);
  expect(first?.overview.balances.some(({ amount }) => amount.startsWith('-'))).toBe(true);
});

test('several activities of one dashboard each have their own days', async () => {
  const token = tokens.get(TWINS[0] as Twin) ?? null;
  const { data } = await service.send(
    token,
    `{ dashboard(date: "2025-04-01") { week: activity(days: 7) { series { date } totals { net } } day: activity(days: 1) { series { date } totals { net } } } }`,
  );
  const plain = async (days: number) =>
    (await plainDashboard(sql, TWINS[0]?.id ?? '', { date: '2025-04-01', days })).activity;
  expect(data.dashboard.week.series.map(({ date }: { date: string }) => date)).toEqual(
    (await plain(7)).series.map(({ date }) => date),
  );
  expect(data.dashboard.day.series).toEqual([{ date: '2025-04-01' }]);
  for (const [name, days] of [
    ['week', 7],
    ['day', 1],
  ] as const)
    expect(data.dashboard[name].totals).toEqual((await plain(days)).totals.map(({ net }) => ({ net })));
});

test('groups are there whether they are selected plainly, by another name or in a fragment', async () => {
  const { dashboard: plain } = await dashboard(TWINS[0] as Twin, { date: '2025-03-31' });
  const { data } = await service.send(
    tokens.get(TWINS[0] as Twin) ?? null,
    `query ($isAsked: Boolean = true) {
      dashboard(date: "2025-03-31") { ...Types x: accountsByStatus { key count } ... @include(if: $isAsked) { accountsByBank { key } } }
    }
    fragment Types on Dashboard { accountsByType { key } }`,
  );
  const keys = (groups: readonly { key: string }[]) => groups.map(({ key }) => ({ key }));
  expect(data.dashboard).toEqual({
    accountsByType: keys(plain.accountsByType),
    x: plain.accountsByStatus.map(({ key, count }) => ({ key, count })),
    accountsByBank: keys(plain.accountsByBank),
  });
  expect(Object.values(data.dashboard)).not.toContainEqual([]);
});

test('says when it was computed', async () => {
  const { generatedAt } = await dashboard(TWINS[1] as Twin, { date: '2025-01-05' });
  expect(new Date(generatedAt).toISOString()).toBe(generatedAt);
  expect(Math.abs(Date.now() - Date.parse(generatedAt))).toBeLessThan(60_000);
});

test.each([
  ['topAccounts(limit: 1) { transactions(first: 1) { nodes { id } } }', false],
  ['topAccounts(limit: 1) { transactions(first: 1) { totalCount } }', true],
  ['topAccounts(limit: 1) { transactions(first: 1, filter: { minAmount: "1" }) { nodes { id } } }', true],
  ['recentTransactions(limit: 1) { account { transactions(filter: { direction: CREDIT }) { nodes { id } } } }', true],
])('what is read with %s in one snapshot waits for a turn to search: %s', async (lists, isSearch) => {
  const snapshot = vi.spyOn(TenantDatabase.prototype, 'snapshot');
  try {
    const { errors } = await service.send(tokens.get(TWINS[0] as Twin) ?? null, `{ dashboard { ${lists} } }`);
    expect(errors).toBeUndefined();
    expect(snapshot.mock.calls.map(([, , asSearch]) => asSearch)).toEqual([isSearch]);
  } finally {
    snapshot.mockRestore();
  }
});
