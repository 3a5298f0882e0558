import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import {
  DASHBOARD_METRICS,
  type DashboardMetric,
  dashboardMetrics,
  type MetricOptions,
} from '../../src/dashboard/dashboard.metrics.ts';
import type { DashboardActivity, DashboardOverview } from '../../src/dashboard/dashboard.type.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { plainToday } from '../support/plain-sql.ts';
import { startService, type TestService } from '../support/service.ts';
import { CLOCK_CHANGES, EMPTY_TENANT, insertTwins, TWINS, type Twin } from '../support/twin-tenants.ts';

const ALL = [...TWINS, EMPTY_TENANT];
const [FIRST] = TWINS as readonly [Twin];

const BALANCES = 'balances { currency amount }';
const GROUP = `key count ${BALANCES}`;
const FLOW = 'currency transactionCount inflow outflow net';
/** All that a metric has, in the order of the schema. */
const SELECTIONS: Readonly<Record<DashboardMetric, string>> = {
  overview: `overview { totalAccounts activeAccounts ${BALANCES} }`,
  activity: `activity(days: $days) { totals { ${FLOW} } series { date flows { ${FLOW} } } }`,
  accounts: ['accountsByType', 'accountsByStatus', 'accountsByBank'].map((name) => `${name} { ${GROUP} }`).join(' '),
};

let service: TestService;
let sql: pg.Client;
const tokens = new Map<Twin, string>();
beforeAll(async () => {
  service = await startService();
  await insertTwins(service.databaseUrl);
  sql = new pg.Client({ connectionString: service.databaseUrl });
  await sql.connect();
  for (const twin of ALL) tokens.set(twin, await service.token(Role.VIEWER, twin.slug));
  await service.untilCaughtUp();
});
beforeEach(() => {
  service.statements.splice(0);
});
afterAll(async () => {
  await sql.end();
  await service.close();
});

const metricOf = <Metric extends DashboardMetric>({ id }: Twin, metric: Metric, options?: MetricOptions) =>
  dashboardMetrics(service.services.dashboards, TenantScope.ofVerifiedCaller(id), metric, options);

/** The same by GraphQL; without options as the field is without its arguments. */
async function fieldOf(twin: Twin, metric: DashboardMetric, options: MetricOptions = {}) {
  const days = options.days === undefined ? '' : ', $days: Int!';
  const selection = days ? SELECTIONS[metric] : SELECTIONS[metric].replace('(days: $days)', '');
  const isUsed = selection.includes('$days');
  const query = `query ($date: Date${isUsed ? days : ''}) { dashboard(date: $date) { date generatedAt ${selection} } }`;
  const { data, errors } = await service.send(tokens.get(twin) ?? null, query, options);
  expect(errors).toBeUndefined();
  const { date, generatedAt, ...fields } = data.dashboard;
  return { date, generatedAt, value: metric === 'accounts' ? fields : fields[metric] };
}

const timeless = ({ generatedAt, ...answer }: { generatedAt: string }) => JSON.stringify(answer);

test('each metric equals what the field answers, byte for byte, of any tenant, day and number of days', async () => {
  const date = fc.oneof(
    fc.constantFrom(...CLOCK_CHANGES.map((change) => change.slice(0, 10)), '0001-01-01', '9999-12-31'),
    fc
      .date({ min: new Date('2014-12-01'), max: new Date('2026-12-31'), noInvalidDate: true })
      .map((day) => day.toISOString().slice(0, 10)),
  );
  const days = fc.option(fc.oneof(fc.integer({ min: 1, max: 366 }), fc.constantFrom(1, 2, 366)), { nil: undefined });
  const asked = fc.record({ twin: fc.constantFrom(...ALL), metric: fc.constantFrom(...DASHBOARD_METRICS), date, days });
  await fc.assert(
    fc.asyncProperty(asked, fc.boolean(), async ({ twin, metric, date, days }, isFieldFirst) => {
      const options = { date, ...(days !== undefined && { days }) };
      const field = isFieldFirst ? await fieldOf(twin, metric, options) : undefined;
      const answer = await metricOf(twin, metric, options);
      expect(timeless(answer)).toBe(timeless(field ?? (await fieldOf(twin, metric, options))));
    }),
    { numRuns: 300 },
  );
});

test.each(ALL)('without a date it is of today, where $slug is', async (twin) => {
  for (const metric of DASHBOARD_METRICS) {
    const before = await plainToday(sql, twin.id);
    const answer = await metricOf(twin, metric);
    expect([before, await plainToday(sql, twin.id)]).toContain(answer.date);
    expect(timeless(answer)).toBe(timeless(await fieldOf(twin, metric, { date: answer.date })));
  }
});

describe('it shares what is kept with the field', () => {
  test.each(DASHBOARD_METRICS)('%s is read once for both, whichever is first', async (metric) => {
    const month = `2025-0${1 + DASHBOARD_METRICS.indexOf(metric)}`;
    const [date, other] = [`${month}-05`, `${month}-15`];
    const field = await fieldOf(FIRST, metric, { date, days: 7 });
    expect(service.statements.splice(0)).toHaveLength(1);
    expect(await metricOf(FIRST, metric, { date, days: 7 })).toEqual(field);
    expect(service.statements).toEqual([]);
    const answer = await metricOf(FIRST, metric, { date: other, days: 7 });
    expect(service.statements.splice(0)).toHaveLength(1);
    expect(await fieldOf(FIRST, metric, { date: other, days: 7 })).toEqual(answer);
    expect(service.statements).toEqual([]);
  });

  test('and a write invalidates it', async () => {
    const { id } = EMPTY_TENANT;
    expect((await metricOf(EMPTY_TENANT, 'overview')).value.totalAccounts).toBe(0);
    await sql.query(
      `INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, status, currency)
       VALUES ($1, 'Bank', '1', 'CHECKING', 'ACTIVE', 'EUR')`,
      [id],
    );
    await service.untilCaughtUp();
    expect((await metricOf(EMPTY_TENANT, 'overview')).value.totalAccounts).toBe(1);
  });
});

test.each<[DashboardMetric, RegExp[], RegExp[]]>([
  ['overview', [/account_totals/], [/daily_totals/, /GROUP BY account_type, status, bank_name/]],
  ['activity', [/daily_totals/], [/account_totals/]],
  ['accounts', [/account_totals/, /GROUP BY account_type, status, bank_name/], [/daily_totals/]],
])('%s reads what it needs, by one statement, and nothing else', async (metric, needed, others) => {
  // A day of its own: what is kept of a day is read with what else is asked for.
  await metricOf(FIRST, metric, { date: `2024-05-1${DASHBOARD_METRICS.indexOf(metric)}` });
  const [statement, ...more] = service.statements;
  expect(more).toEqual([]);
  for (const part of needed) expect(statement?.sql).toMatch(part);
  for (const part of [...others, /bank_accounts/, /FROM transactions/]) expect(statement?.sql).not.toMatch(part);
});

test.each<[MetricOptions, string]>([
  [{ date: '2026-02-30' }, 'date must be a calendar day of the years 0001 to 9999, YYYY-MM-DD, but got: "2026-02-30".'],
  [{ days: 0 }, 'days must be a whole number between 1 and 366, but got: 0.'],
  [{ days: 367 }, 'days must be a whole number between 1 and 366, but got: 367.'],
  [{ days: 1.5 }, 'days must be a whole number between 1 and 366, but got: 1.5.'],
])('refuses %j, and reads nothing', async (options, message) => {
  await expect(metricOf(FIRST, 'activity', options)).rejects.toThrow(message);
  expect(service.statements).toEqual([]);
});

test('the name decides of which type the value is', async () => {
  const overview = () => metricOf(FIRST, 'overview');
  const activity = () => metricOf(FIRST, 'activity');
  const accounts = () => metricOf(FIRST, 'accounts');
  type ValueOf<Read extends () => Promise<{ value: unknown }>> = Awaited<ReturnType<Read>>['value'];
  expectTypeOf<ValueOf<typeof overview>>().toEqualTypeOf<DashboardOverview>();
  expectTypeOf<ValueOf<typeof activity>>().toEqualTypeOf<DashboardActivity>();
  expectTypeOf<keyof ValueOf<typeof accounts>>().toEqualTypeOf<
    'accountsByType' | 'accountsByStatus' | 'accountsByBank'
  >();
  // @ts-expect-error there is no such metric
  const unknown = metricOf(FIRST, 'balances');
  await expect(unknown).rejects.toThrow();
});
