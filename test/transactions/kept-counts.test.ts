import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { type Count, exactly } from '../../src/paging/bounded-count.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { transactionConditions } from '../../src/transactions/transaction.filter.ts';
import type { TransactionFilter } from '../../src/transactions/transaction.input.ts';
import { TransactionRepository } from '../../src/transactions/transaction.repository.ts';
import { fixtureId, insertAccounts, insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';

/** Clocks that were set across midnight, by a day in either direction, and by an hour. */
const ZONES = [
  ...['UTC', 'America/Havana', 'Pacific/Apia', 'America/Juneau', 'Asia/Manila', 'Pacific/Kwajalein'],
  ...['Pacific/Kiritimati', 'America/St_Johns', 'Atlantic/Azores'],
];
/** Around the days on which these zones set their clocks furthest. */
const DAYS = [
  ...['1867-10-18', '1844-12-31', '1969-09-30', '1993-08-21', '2011-12-30', '2010-11-07', '2025-11-02', '2025-10-26'],
];
/** More than there are. */
const NO_LIMITS = { rows: 1_000_000, timeoutMs: 10_000 };
const DAY_MS = 86_400_000;

let server: TestDatabase;
let database: TenantDatabase;
let transactions: TransactionRepository;
const actions: (string | undefined)[] = [];
beforeAll(async () => {
  server = await createTestDatabase();
  for (const timeZone of ZONES) await insertInZone(timeZone);
  database = new TenantDatabase({
    url: server.url,
    poolSize: 2,
    statementTimeoutMs: 10_000,
    takeServiceRole: true,
    onStatement: ({ action }) => actions.push(action),
  });
  transactions = new TransactionRepository(database, NO_LIMITS);
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

const tenantId = (timeZone: string) => fixtureId('tenant', timeZone);
const scopeOf = (timeZone: string) => TenantScope.ofVerifiedCaller(tenantId(timeZone));

/**
 * A transaction for each 7 hours and 13 minutes of forty days around each of the days, and around
 * each of their midnights, by the tenant's clock; in two categories and in none.
 */
async function insertInZone(timeZone: string): Promise<void> {
  const id = await insertTenant(server.url, {
    slug: timeZone.toLowerCase().replace('/', '-').replaceAll('_', '-'),
    timeZone,
    id: tenantId(timeZone),
  });
  const account = fixtureId('account', timeZone);
  await insertAccounts(server.url, id, [{ id: account, accountNumber: '1', bankName: 'Bank' }]);
  await withClient(server.url, (client) =>
    client.query(
      `INSERT INTO transactions (tenant_id, id, account_id, booked_at, direction, amount, currency, balance_after, category)
       SELECT $1, gen_random_uuid(), $2, at, 'CREDIT', 1, 'EUR', 1, (ARRAY['rent', 'food', NULL])[1 + n % 3]
       FROM (
         SELECT at, row_number() OVER () AS n FROM unnest($3::date[]) AS day, LATERAL (
           SELECT generate_series(day - interval '20 days', day + interval '20 days', interval '7 hours 13 minutes') AS at
           UNION ALL SELECT midnight::timestamp AT TIME ZONE $4 + tick * interval '1 millisecond'
           FROM generate_series(day - 20, day + 20, interval '1 day') AS midnight, generate_series(-1, 1) AS tick
         ) moment
       ) moments`,
      [id, account, DAYS, timeZone],
    ),
  );
}

async function counted(timeZone: string, filter: TransactionFilter): Promise<Count> {
  const [row] = await database.select<{ count: number }>(scopeOf(timeZone), {
    model: 'Test',
    action: 'plain',
    query: plainCount(timeZone, filter),
  });
  return exactly(row?.count ?? -1);
}

function plainCount(timeZone: string, filter: TransactionFilter) {
  const where = Prisma.join(
    [Prisma.sql`tenant_id = ${tenantId(timeZone)}::uuid`, ...transactionConditions(filter)],
    ' AND ',
  );
  return Prisma.sql`SELECT count(*)::integer AS count FROM transactions WHERE ${where}`;
}

const moment = fc
  .record({ day: fc.constantFrom(...DAYS), minutes: fc.integer({ min: -25 * 1_440, max: 25 * 1_440 }) })
  .map(({ day, minutes }) => new Date(Date.parse(day) + minutes * 60_000).toISOString());
/** About the days, most of which begin and end whole. */
const instantOf = (timeZone: string) =>
  fc.oneof(
    moment,
    fc
      .record({ moment, milliseconds: fc.integer({ min: -2, max: 2 }) })
      .map(({ moment, milliseconds }) => new Date(startOfDay(timeZone, moment) + milliseconds).toISOString()),
  );

/** The midnight before, by what the clocks show at the moment. */
function startOfDay(timeZone: string, moment: string): number {
  const parts = new Intl.DateTimeFormat('en', { timeZone, timeStyle: 'medium', hourCycle: 'h23' }).formatToParts(
    new Date(moment),
  );
  const [hours, minutes, seconds] = parts.filter(({ type }) => type !== 'literal').map(({ value }) => Number(value));
  return Date.parse(moment) - (((hours ?? 0) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1_000;
}

/** The farthest offsets that an argument may have; PostgreSQL refuses those from 16 hours on. */
const OFFSETS = [0, 330, -720, 23 * 60 + 59, -(23 * 60 + 59)];
const spelledOf = (timeZone: string) =>
  fc
    .record({ instant: instantOf(timeZone), offset: fc.constantFrom(...OFFSETS), isLower: fc.boolean() })
    .map(({ instant, offset, isLower }) => {
      const local = new Date(Date.parse(instant) + offset * 60_000).toISOString().slice(0, -1);
      const hours = String(Math.trunc(Math.abs(offset) / 60)).padStart(2, '0');
      const text = `${local}${offset < 0 ? '-' : '+'}${hours}:${String(Math.abs(offset) % 60).padStart(2, '0')}`;
      return isLower ? text.toLowerCase() : text;
    });
const category = fc.option(fc.constantFrom('rent', 'food', 'none'));
const filtersOf = (timeZone: string) => {
  const bound = fc.option(spelledOf(timeZone));
  return fc.oneof(
    fc.record({ bookedFrom: bound, bookedTo: bound, category }, { requiredKeys: [] }),
    // Of a few days at most.
    fc
      .record({ bookedFrom: instantOf(timeZone), minutes: fc.integer({ min: 0, max: 5 * 1_440 }), category })
      .map(({ bookedFrom, minutes, category }) => {
        const bookedTo = new Date(Date.parse(bookedFrom) + minutes * 60_000).toISOString();
        return { bookedFrom, bookedTo, category };
      }),
  );
};
const asked = fc
  .constantFrom(...ZONES)
  .chain((timeZone) => filtersOf(timeZone).map((filter) => ({ timeZone, filter })));

test('counts from totals are those of the rows, whatever the clocks of the tenant did', async () => {
  await fc.assert(
    fc.asyncProperty(asked, async ({ timeZone, filter }) => {
      actions.length = 0;
      expect(await transactions.count(scopeOf(timeZone), filter)).toEqual(await counted(timeZone, filter));
      expect(actions).toEqual(['keptCount', 'plain']);
    }),
    { numRuns: 1_000, seed: 1 },
  );
});

test.each([
  ['America/Juneau', '1867-10-18T15:00:00Z'],
  ['Pacific/Kwajalein', '1969-09-30T13:00:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
])('so are those from and to each hour about the one in which %s changed its date', async (timeZone, change) => {
  const at = (hours: number) => new Date(Date.parse(change) + hours * 3_600_000).toISOString();
  for (let hours = -60; hours <= 60; hours++) {
    for (const filter of [
      { bookedFrom: at(hours) },
      { bookedTo: at(hours) },
      { bookedFrom: at(hours), bookedTo: at(hours + 40) },
    ])
      expect([filter, await transactions.count(scopeOf(timeZone), filter)]).toEqual([
        filter,
        await counted(timeZone, filter),
      ]);
  }
});

test('what totals do not tell is counted to the limit, and at least as many as are said are there', async () => {
  let inexact = 0;
  await fc.assert(
    fc.asyncProperty(asked, fc.integer({ min: 1, max: 6 }), async ({ timeZone, filter }, rows) => {
      const bounded = await new TransactionRepository(database, { ...NO_LIMITS, rows }).count(
        scopeOf(timeZone),
        filter,
      );
      const { count } = await counted(timeZone, filter);
      if (bounded.isExact) expect(bounded.count).toBe(count);
      else {
        inexact++;
        expect(bounded.count).toBeLessThan(count);
        expect(bounded.count).toBeGreaterThanOrEqual(rows);
      }
    }),
    { numRuns: 300, seed: 2 },
  );
  expect(inexact).toBeGreaterThan(30);
});

test.each<[string, TransactionFilter]>([
  ['all', {}],
  ['a category', { category: 'rent' }],
  ['a day', { bookedFrom: '2025-11-05T00:00:00Z', bookedTo: '2025-11-05T23:59:59.999Z' }],
  ['two weeks', { bookedFrom: '2025-10-29T00:00:00Z', bookedTo: '2025-11-11T23:59:59.999Z' }],
])('%s of whole days has its exact number from totals, which no limit bounds', async (_title, filter) => {
  const bounded = new TransactionRepository(database, { ...NO_LIMITS, rows: 1 });
  const count = await counted('UTC', filter);
  expect(count.count).toBeGreaterThan(5);
  expect(await bounded.count(scopeOf('UTC'), filter)).toEqual(count);
});

test('the days at both ends of a range have one limit together', async () => {
  const filter = { bookedFrom: '2025-11-01T12:00:00Z', bookedTo: '2025-11-08T12:00:00Z' };
  const numberOf = async (bookedFrom: string, bookedTo: string) =>
    (await counted('UTC', { bookedFrom, bookedTo })).count;
  const first = await numberOf('2025-11-01T12:00:00Z', '2025-11-01T23:59:59.999Z');
  const last = await numberOf('2025-11-08T00:00:00Z', '2025-11-08T12:00:00Z');
  expect(Math.min(first, last)).toBeGreaterThan(1);
  const all = await counted('UTC', filter);
  const within = (rows: number) =>
    new TransactionRepository(database, { ...NO_LIMITS, rows }).count(scopeOf('UTC'), filter);
  expect(await within(first + last)).toEqual(all);
  expect(await within(first + last - 1)).toEqual({ count: all.count - 1, isExact: false });
});

test.each<[string, TransactionFilter, string]>([
  ['no filter', {}, 'keptCount'],
  ['a filter of nulls', { category: null, accountId: null }, 'keptCount'],
  ['a category', { category: 'rent' }, 'keptCount'],
  [
    'a year of a category',
    { category: 'rent', bookedFrom: '2025-01-01T00:00:00Z', bookedTo: '2025-12-31T23:59:59Z' },
    'keptCount',
  ],
  ['a week', { bookedFrom: '2025-11-01T00:00:00Z', bookedTo: '2025-11-07T23:59:59Z' }, 'keptCount'],
  ['an amount', { minAmount: '1' }, 'count'],
  ['a category and a direction', { category: 'rent', direction: 'CREDIT' }, 'count'],
  ['the empty category, which stands for none in the totals', { category: '' }, 'count'],
])('%s is counted by one statement', async (_title, filter, action) => {
  actions.length = 0;
  const count = await transactions.count(scopeOf('UTC'), filter);
  expect(actions).toEqual([action]);
  expect(count).toEqual(await counted('UTC', filter));
});

test('a range whose ends lie the wrong way round has nothing', async () => {
  const from = new Date(Date.parse('2025-11-02') + 30 * DAY_MS).toISOString();
  expect(await transactions.count(scopeOf('UTC'), { bookedFrom: from, bookedTo: '2025-11-02T00:00:00Z' })).toEqual(
    exactly(0),
  );
});
