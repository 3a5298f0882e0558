import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import {
  ACCOUNT,
  ACCOUNTS_HEADER,
  csv,
  importFiles,
  reasonsOf,
  snapshot,
  TENANTS_HEADER,
  TRANSACTIONS_HEADER,
  TWO_TENANTS,
  valuesOf,
  zstdFrame,
} from './import-fixture.ts';

const BOOKED = '2024-05-01T12:00:00Z';

const TERMINATE_WAITING = `
  SELECT pg_terminate_backend(pid) AS value FROM pg_stat_activity
   WHERE datname = current_database() AND wait_event_type = 'Lock'`;

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(() => database.drop());

describe('an import', () => {
  test('stores what the files say, balances as given, empty fields as null', async () => {
    const result = await importFiles(database.url, TWO_TENANTS);
    expect(result.tables).toEqual({
      tenants: { inserted: 2, updated: 0, unchanged: 0, rejected: 0 },
      accounts: { inserted: 2, updated: 0, unchanged: 0, rejected: 0 },
      transactions: { inserted: 3, updated: 0, unchanged: 0, rejected: 0 },
    });
    expect(
      await valuesOf(
        database.url,
        `SELECT concat_ws('|', slug, account_number, external_id, x.booked_at AT TIME ZONE 'UTC', direction, amount, x.currency,
                coalesce(balance_after::text, '-'), coalesce(category, '-'), coalesce(counterparty_bank, '-'), coalesce(description, '-')) AS value
           FROM transactions x JOIN tenants t ON t.id = tenant_id JOIN bank_accounts a ON (a.tenant_id, a.id) = (x.tenant_id, account_id)
          ORDER BY slug, external_id`,
      ),
    ).toEqual([
      'north|0001|1|2024-03-30 23:30:00|CREDIT|100.5000|CZK|100.5000|RENT|Other Bank|first',
      'north|0001|2|2024-03-31 21:30:00|DEBIT|0.0001|CZK|-|-|-|-',
      'south|0001|1|2024-04-01 02:30:00|DEBIT|7.0000|USD|-7.0000|-|-|-',
    ]);
    expect(
      await valuesOf(
        database.url,
        `SELECT concat_ws('|', bank_name, account_type, status, currency, balance, version, created_at AT TIME ZONE 'UTC', updated_at = created_at) AS value
           FROM bank_accounts ORDER BY currency`,
      ),
    ).toEqual([
      'First Bank|CHECKING|ACTIVE|CZK|100.5000|1|1995-03-23 23:00:00|t',
      'First Bank|LOAN|CLOSED|USD|-7.0000|1|2020-01-01 00:00:00|t',
    ]);
  });

  test('keeps the totals of days as the tenants count them', async () => {
    await importFiles(database.url, TWO_TENANTS);
    const days = await valuesOf(
      database.url,
      `SELECT concat_ws('|', slug, day, currency, category, sum(transaction_count), sum(inflow), sum(outflow)) AS value
         FROM daily_totals JOIN tenants ON id = tenant_id GROUP BY slug, day, currency, category ORDER BY 1`,
    );
    expect(days).toEqual(
      [
        'north|2024-03-31|CZK|RENT|1|100.5000|0.0000',
        'north|2024-03-31|CZK||1|0.0000|0.0001',
        'south|2024-03-31|USD||1|0.0000|7.0000',
      ].sort(),
    );
  });

  test('run twice writes nothing the second time', async () => {
    await importFiles(database.url, TWO_TENANTS);
    const before = await snapshot(database.url);
    const { tables } = await importFiles(database.url, TWO_TENANTS);
    expect(Object.values(tables).map(({ unchanged, inserted, updated }) => [unchanged, inserted, updated])).toEqual([
      [2, 0, 0],
      [2, 0, 0],
      [3, 0, 0],
    ]);
    expect(await snapshot(database.url)).toEqual(before);
  });

  test('brings what differs to what the files say, and touches nothing else', async () => {
    await importFiles(database.url, TWO_TENANTS);
    const { tables } = await importFiles(database.url, {
      'tenants.csv': csv(TENANTS_HEADER, 'north,North Inc,Asia/Tokyo'),
      'accounts.csv': csv(ACCOUNTS_HEADER, `${ACCOUNT},SAVINGS,FROZEN,CZK,12.3,1995-03-24T00:00:00+01:00`),
      'transactions.csv': csv(
        TRANSACTIONS_HEADER,
        `${ACCOUNT},1,2024-03-30T23:30:00Z,CREDIT,100.5000,100.5,RENT,Other Bank,first`,
        `${ACCOUNT},2,2024-03-31T23:30:00+02:00,DEBIT,0.0001,0,FOOD,,`,
        `${ACCOUNT},3,2024-04-02T00:00:00Z,DEBIT,5,,,,`,
      ),
    });
    expect(tables).toEqual({
      tenants: { inserted: 0, updated: 1, unchanged: 0, rejected: 0 },
      accounts: { inserted: 0, updated: 1, unchanged: 0, rejected: 0 },
      transactions: { inserted: 1, updated: 1, unchanged: 1, rejected: 0 },
    });
    const accounts = await valuesOf(
      database.url,
      `SELECT concat_ws('|', slug, t.name, account_type, status, balance, version, updated_at > a.created_at) AS value
         FROM bank_accounts a JOIN tenants t ON t.id = tenant_id ORDER BY 1`,
    );
    expect(accounts).toEqual(['north|North Inc|SAVINGS|FROZEN|12.3000|2|t', 'south|South Ltd|LOAN|CLOSED|-7.0000|1|f']);
    const days = await valuesOf(
      database.url,
      `SELECT concat_ws('|', day, category, sum(inflow), sum(outflow)) AS value FROM daily_totals JOIN tenants ON id = tenant_id
        WHERE slug = 'north' GROUP BY day, category HAVING sum(transaction_count) > 0 ORDER BY 1`,
    );
    expect(days).toEqual([
      '2024-03-31|RENT|100.5000|0.0000',
      '2024-04-01|FOOD|0.0000|0.0001',
      '2024-04-02||0.0000|5.0000',
    ]);
  });

  test('may name tenants and accounts that only the database has', async () => {
    await importFiles(database.url, TWO_TENANTS);
    const { tables } = await importFiles(database.url, {
      'tenants.csv': csv(TENANTS_HEADER),
      'accounts.csv': csv(ACCOUNTS_HEADER, 'south,First Bank,0002,SAVINGS,ACTIVE,EUR,0,2024-01-01T00:00:00Z'),
      'transactions.csv': csv(
        TRANSACTIONS_HEADER,
        `${ACCOUNT},9,${BOOKED},CREDIT,1,,,,`,
        `south,First Bank,0002,9,${BOOKED},CREDIT,1,,,,`,
      ),
    });
    expect(tables.accounts.inserted).toBe(1);
    expect(tables.transactions.inserted).toBe(2);
  });

  test('reads parts in their order, gzip and zstd, columns in any order and rows in any order', async () => {
    const result = await importFiles(database.url, {
      'accounts.csv': TWO_TENANTS['accounts.csv'],
      'tenants.csv.zst': zstdFrame(
        csv('time_zone,slug,name', 'America/New_York,south,South Ltd', 'Europe/Prague,north,"North, Ltd"'),
      ),
      'transactions.part2.csv': csv(TRANSACTIONS_HEADER, `${ACCOUNT},1,${BOOKED},CREDIT,2,,,,`),
      'transactions.part1.csv.gz': gzipSync(
        csv(
          'external_id,amount,direction,booked_at,account_number,bank_name,tenant_slug,balance_after,category,counterparty_bank,description',
          `1,1,CREDIT,${BOOKED},0001,First Bank,north,,,,"said\nin two lines, ""so"""`,
        ),
      ),
    });
    expect(reasonsOf(result)).toEqual({
      'transactions.part2.csv:2':
        'tenant_slug, external_id: line 2 of transactions.part1.csv.gz has the same, with other values',
    });
    expect(await valuesOf(database.url, 'SELECT description AS value FROM transactions')).toEqual([
      'said\nin two lines, "so"',
    ]);
    expect(await valuesOf(database.url, "SELECT name AS value FROM tenants WHERE slug = 'north'")).toEqual([
      'North, Ltd',
    ]);
  });

  test('that is tried out keeps nothing, but says what it would do', async () => {
    const { tables } = await importFiles(database.url, TWO_TENANTS, { dryRun: true });
    expect(tables.transactions.inserted).toBe(3);
    expect(await valuesOf(database.url, 'SELECT slug AS value FROM tenants')).toEqual([]);
  });

  test('that is broken off leaves nothing, and can be run again', async () => {
    await withClient(database.url, async (other) => {
      await other.query('BEGIN; LOCK TABLE transactions IN EXCLUSIVE MODE');
      const broken = importFiles(database.url, TWO_TENANTS).catch((error: Error) => error.message);
      await vi.waitFor(async () => expect(await valuesOf(database.url, TERMINATE_WAITING)).toEqual([true]), {
        timeout: 15_000,
      });
      expect(await broken).toMatch(/terminat/);
      await other.query('COMMIT');
    });
    expect(await valuesOf(database.url, 'SELECT slug AS value FROM tenants')).toEqual([]);
    expect((await importFiles(database.url, TWO_TENANTS)).tables.transactions.inserted).toBe(3);
  });

  test('is refused while another is running', async () => {
    await withClient(database.url, async (other) => {
      await other.query("SELECT pg_advisory_lock(hashtextextended('tenantry import', 0))");
      await expect(importFiles(database.url, TWO_TENANTS)).rejects.toThrowError(/Another import/);
    });
  });
});
