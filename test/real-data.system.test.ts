import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Role } from '../src/auth/caller.ts';
import type { ImportResult } from '../src/import/apply-import.ts';
import { importFolder } from '../src/import/import-folder.ts';
import {
  AccountListDocument,
  AccountsDocument,
  DashboardDocument,
  StatisticsDocument,
  type StatisticsPeriod,
  TransactionsDocument,
} from './generated/graphql.ts';
import { dailyTotals, expectImported, expectUnchanged } from './import/imported-rows.ts';
import { describeWithRealData } from './import/real-data.ts';
import { request } from './support/client.ts';
import { plainAccounts, plainDashboard, plainStatistics, plainToday, plainTransactions } from './support/plain-sql.ts';
import { createTestDatabase, type TestDatabase, withClient } from './support/postgres.ts';
import { startService, type TestService } from './support/service.ts';

/** The API takes at most 366 buckets; the years of days are asked for one by one. */
const LONG_PERIODS: readonly StatisticsPeriod[] = ['WEEKLY', 'MONTHLY', 'QUARTERLY', 'YEARLY'];
const MINUTES = 60_000;

interface Tenant {
  readonly id: string;
  readonly slug: string;
  /** The tenant's days of its first and last transaction. */
  readonly first: string;
  readonly last: string;
}

describeWithRealData('berka', (folder) => {
  const { imported, importAgain } = equalsPlainSql(folder, 77, 10 * MINUTES);

  test('is imported to the last decimal', async () => {
    await expectImported(imported().url, folder, imported().result);
  });

  test('imported a second time changes nothing', { timeout: 2 * MINUTES }, async () => {
    const { url, result } = imported();
    const before = await dailyTotals(url);
    expectUnchanged(await importAgain(), result);
    expect(await dailyTotals(url)).toEqual(before);
  });
});

/** A million and a half transactions: some minutes. */
if (process.env.TENANTRY_DATA_FULL === '1')
  describeWithRealData('ukspend', (folder) => equalsPlainSql(folder, 15, 60 * MINUTES));

/**
 * Imports a folder, and holds every number that the API shows of it against plain SQL over the
 * imported rows.
 * @returns what was imported, for further tests
 */
function equalsPlainSql(folder: string, tenantCount: number, timeout: number) {
  let database: TestDatabase;
  let result: ImportResult;
  let service: TestService;
  let sql: pg.Client;
  let tenants: readonly Tenant[];
  beforeAll(async () => {
    database = await createTestDatabase();
    result = await runImport();
    expect(Object.values(result.tables).map(({ rejected }) => rejected)).toEqual([0, 0, 0]);
    sql = new pg.Client({ connectionString: database.url });
    await sql.connect();
    tenants = await tenantsOf(sql);
    service = await startService({ database });
  }, timeout);
  afterAll(async () => {
    await service.close();
    await sql.end();
    await database.drop();
  });

  function runImport(): Promise<ImportResult> {
    const rejectsPath = path.join(tmpdir(), `${database.name}-rejects.csv`);
    return withClient(database.url, (client) => importFolder({ client, folder, rejectsPath }));
  }

  /** Calls back for each tenant, with a token of it. */
  async function forEachTenant(compare: (tenant: Tenant, token: string) => Promise<void>): Promise<void> {
    expect(tenants).toHaveLength(tenantCount);
    for (const tenant of tenants) await compare(tenant, await service.token(Role.VIEWER, tenant.slug));
  }

  test('every page of accounts', { timeout }, async () => {
    await forEachTenant(async ({ id }, token) => {
      const rows = await plainAccounts(sql, id);
      expect(await allAccounts(service, token)).toEqual(rows);
      const orderBy = { field: 'BALANCE', direction: 'DESC' } as const;
      const { accountList } = await request(service, token, AccountListDocument, { pageSize: 100, orderBy });
      const richest = await plainAccounts(sql, id, { orderBy: 'balance DESC, id DESC' });
      expect(accountList.results).toEqual(richest.slice(0, 100));
      expect([accountList.count, accountList.totalPages]).toEqual([rows.length, Math.ceil(rows.length / 100)]);
    });
  });

  test('the newest and oldest transactions, and their number', { timeout }, async () => {
    await forEachTenant(async ({ id }, token) => {
      const newest = (await request(service, token, TransactionsDocument, { first: 100 })).transactions;
      const oldest = (await request(service, token, TransactionsDocument, { last: 100 })).transactions;
      const { rows } = await sql.query('SELECT count(*)::integer AS count FROM transactions WHERE tenant_id = $1', [
        id,
      ]);
      const where = `id IN (SELECT id FROM transactions WHERE tenant_id = $1 ORDER BY booked_at, id LIMIT 100)`;
      expect(newest.totalCount).toBe(rows[0].count);
      expect(newest.edges.map(({ node }) => node)).toEqual(await plainTransactions(sql, id, { limit: 100 }));
      expect(oldest.edges.map(({ node }) => node)).toEqual(await plainTransactions(sql, id, { where }));
    });
  });

  test('the dashboard of today, of the first, a middle and the last day of the data', { timeout }, async () => {
    await forEachTenant(async ({ id, first, last }, token) => {
      for (const [date, days] of [
        [await plainToday(sql, id), 7],
        [first, 30],
        [dayBetween(first, last), 366],
        [last, 90],
      ] as const) {
        const { generatedAt: _, ...shown } = (await request(service, token, DashboardDocument, { date, days }))
          .dashboard;
        expect(shown).toEqual(await plainDashboard(sql, id, { date, days }));
      }
    });
  });

  test('the statistics of every period, over all of the data', { timeout }, async () => {
    await forEachTenant(async ({ id, first, last }, token) => {
      const ranges = [
        ...LONG_PERIODS.map((period) => ({ period, from: first, to: last })),
        ...yearsBetween(first, last).map((year) => ({ period: 'DAILY' as const, ...year })),
      ];
      for (const range of ranges) {
        const { generatedAt: _, ...shown } = (await request(service, token, StatisticsDocument, range)).statistics;
        expect(shown).toEqual(await plainStatistics(sql, id, range));
      }
    });
  });

  return { imported: () => ({ url: database.url, result }), importAgain: runImport };
}

async function tenantsOf(sql: pg.Client): Promise<Tenant[]> {
  const { rows } = await sql.query<Tenant>(
    `SELECT tenants.id, slug, min(day)::text AS first, max(day)::text AS last FROM tenants JOIN LATERAL (
       SELECT (booked_at AT TIME ZONE time_zone)::date AS day FROM transactions WHERE tenant_id = tenants.id) days ON true
     GROUP BY 1, 2 ORDER BY 2`,
  );
  return rows;
}

async function allAccounts(service: TestService, token: string) {
  const accounts = [];
  let after: string | null | undefined;
  do {
    const page = (await request(service, token, AccountsDocument, { first: 100, ...(after && { after }) })).accounts;
    accounts.push(...page.edges.map(({ node }) => node));
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after);
  return accounts;
}

function dayBetween(first: string, last: string): string {
  return new Date((Date.parse(first) + Date.parse(last)) / 2).toISOString().slice(0, 10);
}

/** The calendar years that meet a range of days, clipped to it. */
function yearsBetween(first: string, last: string) {
  const years = [];
  for (let year = Number(first.slice(0, 4)); year <= Number(last.slice(0, 4)); year++) {
    const [from, to] = [`${year}-01-01`, `${year}-12-31`];
    years.push({ from: from < first ? first : from, to: to > last ? last : to });
  }
  return years;
}
