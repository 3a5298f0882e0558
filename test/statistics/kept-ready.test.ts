import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkStatistics, rebuildStatistics } from '../../src/statistics/check.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase, withClient, withKeptClient } from '../support/postgres.ts';

const RUNS = 25;
const WRITERS = 24;

describe('the totals kept by triggers', () => {
  let database: TestDatabase;
  let prague: string;
  let newYork: string;
  let accounts: string[];
  beforeAll(async () => {
    database = await createTestDatabase();
    prague = await insertTenant(database.url, { slug: 'prague', timeZone: 'Europe/Prague' });
    newYork = await insertTenant(database.url, { slug: 'new-york', timeZone: 'America/New_York' });
    accounts = await insertAccounts(database.url, prague, [
      { accountNumber: '1', currency: 'CZK' },
      { accountNumber: '2', currency: 'EUR' },
      { accountNumber: '3', currency: 'EUR', bankName: 'Second Bank', status: 'CLOSED' },
    ]);
    await insertAccounts(database.url, newYork, [{ accountNumber: '1', currency: 'USD' }]);
  });
  afterAll(() => database.drop());

  const differences = async () => {
    const found = await withClient(database.url, async (client) => [
      ...(await checkStatistics(client, prague)),
      ...(await checkStatistics(client, newYork)),
    ]);
    return found;
  };
  const run = (sql: string, values: unknown[] = []) =>
    withKeptClient(database.url, (client) => client.query(sql, values));

  it('equal plain SQL after any history of inserts, moves, corrections, deletions and rollbacks', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await fc.assert(
      fc.asyncProperty(fc.array(change(), { minLength: 1, maxLength: 12 }), async (changes) => {
        for (const { sql, values, isRolledBack } of changes) {
          await client.query('BEGIN');
          await client.query(sql, values(accounts, prague));
          await client.query(isRolledBack ? 'ROLLBACK' : 'COMMIT');
        }
        expect(await differences()).toEqual([]);
      }),
      { numRuns: RUNS, seed: 7 },
    );
    await client.end();
  });

  it('count a day of the tenant, summer time included', async () => {
    await run('TRUNCATE transactions');
    // The last second of a Sunday in Prague, and the first of the Monday, around the change to
    // summer time.
    for (const bookedAt of [
      '2026-03-29T21:59:59Z',
      '2026-03-29T22:00:00Z',
      '2026-03-28T22:59:59Z',
      '2026-03-28T23:00:00Z',
    ])
      await run(INSERT, [prague, accounts[0], bookedAt, 'CREDIT', '1', null]);
    const { rows } = await run(
      'SELECT day::text, sum(transaction_count)::integer AS count FROM daily_totals GROUP BY day ORDER BY day',
    );
    expect(rows).toEqual([
      { day: '2026-03-28', count: 1 },
      { day: '2026-03-29', count: 2 },
      { day: '2026-03-30', count: 1 },
    ]);
  });

  it('are exact with many writers of one tenant at once, none of which waits for or kills another', async () => {
    const clients = await Promise.all(
      Array.from({ length: WRITERS }, async () => {
        const client = new pg.Client({ connectionString: database.url });
        await client.connect();
        return client;
      }),
    );
    // All of them hold their transaction open over the same days, taken in opposite orders: without
    // slots of their own they would deadlock.
    await Promise.all(clients.map((client) => client.query("BEGIN; SET LOCAL lock_timeout = '2s'")));
    const days = ['2026-01-01T12:00:00Z', '2026-01-02T12:00:00Z', '2026-01-03T12:00:00Z'];
    await Promise.all(
      clients.map(async (client, writer) => {
        for (const day of writer % 2 ? days : [...days].reverse())
          await client.query(INSERT, [prague, accounts[writer % 3], day, 'DEBIT', '0.0001', 'FEE']);
      }),
    );
    await Promise.all(clients.map((client) => client.query('COMMIT')));
    await Promise.all(clients.map((client) => client.end()));
    expect(await differences()).toEqual([]);
  });

  it('are made anew when the tenant moves to another time zone, also while a writer is under way', async () => {
    const writer = new pg.Client({ connectionString: database.url });
    await writer.connect();
    await writer.query('BEGIN');
    await writer.query(INSERT, [prague, accounts[0], '2026-02-01T23:30:00Z', 'CREDIT', '10', null]);
    const moved = run("UPDATE tenants SET time_zone = 'Asia/Tokyo' WHERE id = $1", [prague]);
    await untilBlocked(database.url);
    await writer.query('COMMIT');
    await writer.end();
    await moved;
    expect(await differences()).toEqual([]);
  });

  it('follow COPY, TRUNCATE and the deletion of a whole tenant', async () => {
    await run(
      `INSERT INTO transactions (tenant_id, account_id, booked_at, direction, amount, currency)
       SELECT $1, $2, timestamptz '2026-05-01' + n * interval '7 hours', CASE n % 2 WHEN 0 THEN 'CREDIT' ELSE 'DEBIT' END::transaction_direction, n, 'CZK'
       FROM generate_series(1, 5000) n`,
      [prague, accounts[0]],
    );
    expect(await differences()).toEqual([]);
    await run('DELETE FROM tenants WHERE id = $1', [newYork]);
    const { rows } = await run('SELECT count(*)::integer AS count FROM account_totals WHERE tenant_id = $1', [newYork]);
    expect(rows).toEqual([{ count: 0 }]);
    await run('TRUNCATE transactions');
    expect(await differences()).toEqual([]);
  });

  it('are kept by one statement over more tenants than the server has locks for', async () => {
    await withClient(database.url, async (client) => {
      await client.query('BEGIN');
      await client.query(
        "INSERT INTO tenants (slug, name, time_zone) SELECT 'many-' || n, 'One of many', 'UTC' FROM generate_series(1, 20000) n",
      );
      await client.query(
        `INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, currency, balance)
         SELECT id, 'First Bank', '1', 'CHECKING', 'EUR', 7 FROM tenants WHERE slug LIKE 'many-%'`,
      );
      await client.query('UPDATE bank_accounts SET balance = 8 WHERE balance = 7');
      const { rows } = await client.query(
        'SELECT count(DISTINCT tenant_id)::integer AS tenants, sum(balance) AS balance FROM account_totals WHERE balance = 8',
      );
      expect(rows).toEqual([{ tenants: 20_000, balance: '160000.0000' }]);
      await client.query('ROLLBACK');
    });
  });

  it('of a COPY lie together as they are read, in whatever order its rows come', async () => {
    await run(
      `INSERT INTO tenants (slug, name, time_zone) SELECT 'copied-' || n, 'Copied', 'UTC' FROM generate_series(1, 20) n`,
    );
    await run(`INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, currency)
      SELECT id, 'First Bank', '1', 'CHECKING', 'EUR' FROM tenants WHERE slug LIKE 'copied-%'`);
    const { rows: lines } = await run(`
      SELECT concat_ws(',', tenant_id, bank_accounts.id, date '2026-01-01' + day, 'DEBIT', 1, (ARRAY['CZK', 'EUR'])[money], 'C' || kind) AS line
        FROM bank_accounts JOIN tenants ON tenants.id = tenant_id AND slug LIKE 'copied-%',
             generate_series(1, 90) day, generate_series(1, 2) money, generate_series(1, 3) kind
       ORDER BY md5(tenant_id || ' ' || day || ' ' || money || ' ' || kind)`);
    await withClient(database.url, (client) =>
      pipeline(
        lines.map(({ line }) => `${line}\n`),
        client.query(
          copyFrom(
            'COPY transactions (tenant_id, account_id, booked_at, direction, amount, currency, category) FROM STDIN (FORMAT csv)',
          ),
        ),
      ),
    );
    // A page is filled to 70 hundredths: what is read, a month of a tenant, lies on as few as it
    // can, and the ends of two others.
    const { rows } = await run(`
      WITH placed AS (
        SELECT tenant_id, day, (ctid::text::point)[0] AS page FROM daily_totals
         WHERE tenant_id IN (SELECT id FROM tenants WHERE slug LIKE 'copied-%')
      ), full_page AS (SELECT max(count) AS rows FROM (SELECT count(*) FROM placed GROUP BY page) pages)
      SELECT count(DISTINCT page)::integer AS pages, ceil(count(*)::numeric / max(full_page.rows))::integer AS ideal
        FROM placed, full_page WHERE day > '2026-02-01' AND day <= '2026-03-03' GROUP BY tenant_id`);
    expect(rows).toHaveLength(20);
    for (const { pages, ideal } of rows) expect(pages).toBeLessThanOrEqual(ideal + 2);
    await run(`DELETE FROM tenants WHERE slug LIKE 'copied-%'`);
  });

  it('go with their rows when everything is truncated from the tenants down', async () => {
    await withClient(database.url, async (client) => {
      await client.query('BEGIN; TRUNCATE tenants CASCADE');
      const { rows } = await client.query('SELECT FROM account_totals UNION ALL SELECT FROM daily_totals');
      expect(rows).toEqual([]);
      await client.query('ROLLBACK');
    });
    expect(await differences()).toEqual([]);
  });

  it('are found wrong by the check and mended by the rebuild', async () => {
    await run(INSERT, [prague, accounts[0], '2026-06-01T00:00:00Z', 'CREDIT', '3.5', 'GIFT']);
    await run('UPDATE daily_totals SET inflow = inflow + 1 WHERE tenant_id = $1', [prague]);
    await run('UPDATE account_totals SET account_count = 99 WHERE tenant_id = $1 AND currency = $2', [prague, 'CZK']);
    expect((await differences()).map(({ kind }) => kind)).toEqual(['account total', 'daily total']);
    await withClient(database.url, (client) => rebuildStatistics(client, prague));
    expect(await differences()).toEqual([]);
  });

  it('stay where they are in a rebuild, but for those that are wrong', async () => {
    for (const [day, category] of [
      ['02', 'GIFT'],
      ['02', 'FEE'],
      ['03', null],
    ])
      await run(INSERT, [prague, accounts[0], `2026-06-${day}T00:00:00Z`, 'CREDIT', '3.5', category]);
    const places = async () => {
      const { rows } = await run(
        `SELECT concat_ws(' ', day, currency, category, slot, ctid, xmin) AS place FROM daily_totals WHERE tenant_id = $1
         UNION ALL SELECT concat_ws(' ', account_type, status, bank_name, currency, slot, ctid, xmin) FROM account_totals WHERE tenant_id = $1`,
        [prague],
      );
      return rows.map(({ place }) => place).sort();
    };
    await withClient(database.url, (client) => rebuildStatistics(client, prague));
    const before = await places();
    await run(
      `INSERT INTO daily_totals SELECT tenant_id, day, currency, category, 7, transaction_count, inflow, outflow FROM daily_totals WHERE tenant_id = $1`,
      [prague],
    );
    await run('DELETE FROM daily_totals WHERE tenant_id = $1 AND slot = 0 AND category = $2', [prague, 'FEE']);
    await run(
      'INSERT INTO account_totals SELECT tenant_id, account_type, status, $2, currency, slot, 1, 1 FROM account_totals WHERE tenant_id = $1',
      [prague, 'No Bank'],
    );
    await withClient(database.url, (client) => rebuildStatistics(client, prague));
    const after = await places();
    const isFee = (place: string) => place.includes(' FEE ');
    expect(after.filter((place) => !isFee(place))).toEqual(before.filter((place) => !isFee(place)));
    expect(after.filter(isFee)).toHaveLength(before.filter(isFee).length);
    expect(after.filter(isFee)).not.toEqual(before.filter(isFee));
    expect(await differences()).toEqual([]);
  });
});

const INSERT = `INSERT INTO transactions (tenant_id, account_id, booked_at, direction, amount, currency, category)
  SELECT tenant_id, id, $3, $4::transaction_direction, $5, currency, $6 FROM bank_accounts WHERE tenant_id = $1 AND id = $2`;

interface Change {
  readonly sql: string;
  readonly values: (accounts: readonly string[], tenant: string) => unknown[];
  readonly isRolledBack: boolean;
}

/**
 * One statement of a history; `pick` chooses rows by the last digit of their id, so that it meets
 * some and not others.
 */
function change(): fc.Arbitrary<Change> {
  const pick = fc.constantFrom(...'0123456789abcdef');
  const instant = fc
    .date({ min: new Date('2026-03-27T20:00:00Z'), max: new Date('2026-03-31T04:00:00Z'), noInvalidDate: true })
    .map((date) => date.toISOString());
  const amount = fc.integer({ min: 1, max: 10_000_000 }).map((units) => (units / 10_000).toFixed(4));
  const category = fc.constantFrom(null, 'FEE', 'RENT');
  const direction = fc.constantFrom('CREDIT', 'DEBIT');
  const account = fc.nat({ max: 2 });
  const statements = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ account, instant, direction, amount, category }).map((row) => ({
        sql: INSERT,
        values: (accounts: readonly string[], tenant: string) => [
          tenant,
          accounts[row.account],
          row.instant,
          row.direction,
          row.amount,
          row.category,
        ],
      })),
    },
    {
      weight: 1,
      arbitrary: fc.record({ pick, instant }).map((row) => ({
        sql: "UPDATE transactions SET booked_at = $2 WHERE tenant_id = $1 AND id::text LIKE '%' || $3",
        values: (_: readonly string[], tenant: string) => [tenant, row.instant, row.pick],
      })),
    },
    {
      weight: 1,
      arbitrary: fc.record({ pick, account, category, amount }).map((row) => ({
        sql: `UPDATE transactions t SET account_id = a.id, currency = a.currency, category = $3, amount = $4, direction = 'CREDIT'
            FROM bank_accounts a WHERE t.tenant_id = $1 AND a.tenant_id = $1 AND a.id = $2 AND t.id::text LIKE '%' || $5`,
        values: (accounts: readonly string[], tenant: string) => [
          tenant,
          accounts[row.account],
          row.category,
          row.amount,
          row.pick,
        ],
      })),
    },
    {
      weight: 1,
      arbitrary: pick.map((digit) => ({
        sql: "DELETE FROM transactions WHERE tenant_id = $1 AND id::text LIKE '%' || $2",
        values: (_: readonly string[], tenant: string) => [tenant, digit],
      })),
    },
    {
      weight: 1,
      arbitrary: fc
        .record({
          account,
          amount,
          status: fc.constantFrom('ACTIVE', 'FROZEN'),
          type: fc.constantFrom('CHECKING', 'LOAN'),
        })
        .map((row) => ({
          sql: 'UPDATE bank_accounts SET balance = balance - $3, status = $4::account_status, account_type = $5::account_type WHERE tenant_id = $1 AND id = $2',
          values: (accounts: readonly string[], tenant: string) => [
            tenant,
            accounts[row.account],
            row.amount,
            row.status,
            row.type,
          ],
        })),
    },
  );
  return fc.tuple(statements, fc.boolean()).map(([statement, isRolledBack]) => ({ ...statement, isRolledBack }));
}

async function untilBlocked(url: string): Promise<void> {
  for (let blocked = 0; blocked === 0; ) {
    const { rows } = await withClient(url, (client) =>
      client.query<{ count: number }>(
        "SELECT count(*)::integer AS count FROM pg_locks WHERE NOT granted AND locktype = 'advisory'",
      ),
    );
    blocked = rows[0]?.count ?? 0;
  }
}
