import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DASHBOARD_METRICS } from '../../src/dashboard/dashboard.metrics.ts';
import { SERVICE_ROLE } from '../../src/database/service-rights.ts';
import { runScript, runScriptAlone } from '../cli/run-script.ts';
import { insertTenant } from '../support/fixtures.ts';
import { createPlainlyOwnedDatabase, type PlainlyOwnedDatabase } from '../support/plain-owner.ts';
import { plainDashboard, plainToday } from '../support/plain-sql.ts';
import { insertTwins, TWINS, type Twin } from '../support/twin-tenants.ts';

const [TWIN] = TWINS as readonly [Twin];
const ASKED = { date: '2025-03-31', days: 7 };
const OF_DAY = ['--date', ASKED.date];

let database: PlainlyOwnedDatabase;
let sql: pg.Client;
beforeAll(async () => {
  database = await createPlainlyOwnedDatabase();
  await insertTwins(database.url);
  sql = new pg.Client({ connectionString: database.url });
  await sql.connect();
});
afterAll(async () => {
  await sql?.end();
  await database?.drop();
});

const env = (url = database.url) => ({ DATABASE_URL: url, DATABASE_DIRECT_URL: '' });
const run = (...args: string[]) => runScript('dashboard.ts', args, { env: env() });
const ofTwin = (metric: string, ...args: string[]) => run('--tenant', TWIN.slug, '--metric', metric, ...args);

async function json(metric: string, ...args: string[]) {
  const { code, stdout, stderr } = await ofTwin(metric, '--json', ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

test('prints for programs what plain SQL says, and nothing of another tenant', async () => {
  const { overview, activity, accountsByType, accountsByStatus, accountsByBank } = await plainDashboard(
    sql,
    TWIN.id,
    ASKED,
  );
  const common = { tenant: TWIN.slug, date: ASKED.date, generatedAt: expect.stringMatching(/^\d{4}-.*Z$/) };
  expect(await json('overview', ...OF_DAY)).toEqual({ ...common, metric: 'overview', value: overview });
  expect(await json('activity', ...OF_DAY, '--days', '7')).toEqual({ ...common, metric: 'activity', value: activity });
  const value = { accountsByType, accountsByStatus, accountsByBank };
  expect(await json('accounts', ...OF_DAY)).toEqual({ ...common, metric: 'accounts', value });
});

test('is of the tenant’s today and of 30 days where nothing is said', async () => {
  const before = await plainToday(sql, TWIN.id);
  const { date, value } = await json('activity');
  expect([before, await plainToday(sql, TWIN.id)]).toContain(date);
  expect(value).toEqual((await plainDashboard(sql, TWIN.id, { date, days: 30 })).activity);
});

test('prints tables for people', async () => {
  const { overview, activity, accountsByBank } = await plainDashboard(sql, TWIN.id, ASKED);
  const [balance] = overview.balances;
  const shown = await ofTwin('overview', ...OF_DAY);
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(shown.stdout).toMatch(
    new RegExp(
      `^praha, overview, 2025-03-31\\n\\n36 accounts, ${overview.activeAccounts} of them active\\n\\ncurrency +balance\\n`,
    ),
  );
  expect(shown.stdout).toMatch(new RegExp(`^${balance?.currency} +${balance?.amount}$`, 'm'));
  const days = (await ofTwin('activity', ...OF_DAY, '--days', '7')).stdout;
  const lines = [...activity.series, { date: 'all days', flows: activity.totals }].flatMap(({ date, flows }) =>
    flows.map(({ currency, transactionCount, inflow, outflow, net }) =>
      [date, currency, transactionCount, inflow, outflow, net].join(' '),
    ),
  );
  expect(lines.length).toBeGreaterThan(7);
  expect(rowsOf(days)).toEqual(expect.arrayContaining(lines));
  const banks = rowsOf((await ofTwin('accounts')).stdout);
  for (const { key, count, balances } of accountsByBank)
    expect(banks).toContain([key, count, balances[0]?.currency, balances[0]?.amount].join(' '));
});

test('a day without transactions and a tenant without accounts have a line and a number', async () => {
  expect((await ofTwin('activity', '--date', '1990-01-01', '--days', '1')).stdout).toMatch(
    /^1990-01-01 +- +- +- +- +-$/m,
  );
  expect((await run('--tenant', 'empty', '--metric', 'overview')).stdout).toContain('0 accounts, 0 of them active');
  expect((await run('--tenant', 'empty', '--metric', 'accounts')).code).toBe(0);
});

test('a login that row-level security holds sees the same', async () => {
  for (const role of [database.owner, SERVICE_ROLE]) {
    const url = new URL(database.url);
    url.searchParams.set('options', `-c role=${role}`);
    const args = ['--tenant', TWIN.slug, '--metric', 'overview', '--json'];
    const { stdout, stderr } = await runScript('dashboard.ts', args, { env: env(url.href) });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout).value).toEqual((await json('overview')).value);
  }
});

test('a superuser reads by the rights of the service', async () => {
  await sql.query(`REVOKE SELECT ON account_totals FROM ${SERVICE_ROLE}`);
  try {
    const { code, stderr } = await ofTwin('overview');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^PostgreSQL refused: permission denied for table account_totals/);
  } finally {
    await sql.query(`GRANT SELECT ON account_totals TO ${SERVICE_ROLE}`);
  }
});

test('a name that holds control characters does not steer the terminal', async () => {
  const id = await insertTenant(database.url, { slug: 'hostile' });
  await sql.query(
    `INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, status, currency)
     VALUES ($1, E'\\x1b[2JBank', '1', 'CHECKING', 'ACTIVE', 'EUR')`,
    [id],
  );
  const { stdout } = await run('--tenant', 'hostile', '--metric', 'accounts');
  expect(stdout).toContain('?[2JBank');
});

test('tells of more sums than are told together, and what to ask for instead', async () => {
  const id = await insertTenant(database.url, { slug: 'many' });
  await sql.query(
    `INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, status, currency)
     SELECT $1, 'Bank ' || n, 'A' || n, 'CHECKING', 'ACTIVE', 'EUR' FROM generate_series(1, 10001) n`,
    [id],
  );
  expect(await run('--tenant', 'many', '--metric', 'accounts')).toEqual({
    code: 1,
    stdout: '',
    stderr:
      "The dashboard's accounts have more than 10000 sums, one for each type, status, bank and currency.\n" +
      'Take --metric overview, which does not tell banks apart.\n',
  });
  expect((await run('--tenant', 'many', '--metric', 'overview')).stdout).toContain('10,001 accounts');
});

test.each([
  [['--metric', 'overview'], '--tenant is missing.\nGive the slug of a tenant.\n'],
  [['--tenant', 'nobody', '--metric', 'overview'], 'There is no tenant "nobody".\nGive the slug of a tenant.\n'],
  [['--tenant', 'praha'], `--metric must be one of ${DASHBOARD_METRICS.join(', ')}, it is missing.\n`],
  [['--tenant', 'praha', '--metric', 'x'], `--metric must be one of ${DASHBOARD_METRICS.join(', ')}, but got: "x".\n`],
  [
    ['--tenant', 'praha', '--metric', 'overview', '--date', '2026-02-30'],
    '--date must be a calendar day of the years 0001 to 9999, YYYY-MM-DD, but got: "2026-02-30".\n',
  ],
  [['--tenant', 'praha', '--metric', 'overview', '--date', ''], '--date must be a calendar day'],
  [
    ['--tenant', 'praha', '--metric', 'activity', '--days', '367'],
    '--days must be a whole number between 1 and 366, but got: "367".\n',
  ],
  [['--tenant', 'praha', '--metric', 'activity', '--days', '0'], '--days must be a whole number between 1 and 366'],
  [['--tenant', 'praha', '--metric', 'accounts', '--days', '7'], '--days is of --metric activity'],
])('refuses %j', async (args, message) => {
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(message);
});

test('says which settings of the service do not hold', async () => {
  const args = ['--tenant', 'praha', '--metric', 'overview'];
  const { code, stderr } = await runScript('dashboard.ts', args, { env: { ...env(), DATABASE_POOL_SIZE: 'many' } });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^DATABASE_POOL_SIZE must be a whole number/);
});

test('ends by itself, in a process of its own', { timeout: 120_000 }, async () => {
  const args = ['--tenant', TWIN.slug, '--metric', 'accounts', '--json'];
  const { code, stdout, stderr } = await runScriptAlone('dashboard.ts', args, { env: env() });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout).value).toEqual((await json('accounts')).value);
});

/** Lines with one space between cells. */
function rowsOf(text: string): string[] {
  return text.split('\n').map((line) => line.replace(/ {2,}/g, ' '));
}
