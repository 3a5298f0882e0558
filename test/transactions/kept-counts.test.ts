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
const DAYS = ['1867-10-18', '1844-12-31', '1993-08-21', '2011-12-30', '2010-11-07', '2025-11-02', '2025-10-26'];
const DAY_MS = 86_400_000;

let server: TestDatabase;
let database: TenantDatabase;
let transactions: TransactionRepository;
const actions: (string | undefined)[] = [];
beforeAll(async () => {
  server = await createTestDatabase();
  for (const timeZone of ZONES) await insertMovements(timeZone);
  database = new TenantDatabase({
    url: server.url,
    poolSize: 2,
    statementTimeoutMs: 10_000,
    takeServiceRole: true,
    onStatement: ({ action }) => actions.push(action),
  });
  transactions = new TransactionRepository(database);
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

const tenantId = (timeZone: string) => fixtureId('tenant', timeZone);
const scopeOf = (timeZone: string) => TenantScope.ofVerifiedCaller(tenantId(timeZone));

/**
 * A movement for each 7 hours and 13 minutes of forty days around each of the days, in two
 * categories and in none.
 */
async function insertMovements(timeZone: string): Promise<void> {
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
       FROM unnest($3::date[]) AS day,
         generate_series(day - interval '20 days', day + interval '20 days', interval '7 hours 13 minutes')
           WITH ORDINALITY AS moment (at, n)`,
      [id, account, DAYS],
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

const instant = fc
  .record({ day: fc.constantFrom(...DAYS), minutes: fc.integer({ min: -25 * 1_440, max: 25 * 1_440 }) })
  .map(({ day, minutes }) => new Date(Date.parse(day) + minutes * 60_000).toISOString());
/** The farthest offsets that an argument may have; PostgreSQL refuses those from 16 hours on. */
const OFFSETS = [0, 330, -720, 23 * 60 + 59, -(23 * 60 + 59)];
const spelled = fc
  .record({ instant, offset: fc.constantFrom(...OFFSETS), isLower: fc.boolean() })
  .map(({ instant, offset, isLower }) => {
    const local = new Date(Date.parse(instant) + offset * 60_000).toISOString().slice(0, -1);
    const hours = String(Math.trunc(Math.abs(offset) / 60)).padStart(2, '0');
    const text = `${local}${offset < 0 ? '-' : '+'}${hours}:${String(Math.abs(offset) % 60).padStart(2, '0')}`;
    return isLower ? text.toLowerCase() : text;
  });
const filters = fc.record(
  {
    bookedFrom: fc.option(spelled),
    bookedTo: fc.option(spelled),
    category: fc.option(fc.constantFrom('rent', 'food', 'none')),
  },
  { requiredKeys: [] },
);

test('counts from totals are those of the rows, whatever the clocks of the tenant did', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...ZONES), filters, async (timeZone, filter) => {
      expect(await transactions.count(scopeOf(timeZone), filter)).toEqual(await counted(timeZone, filter));
    }),
    { numRuns: 400, seed: 1 },
  );
  expect(actions).toContain('keptCount');
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
  ['a week', { bookedFrom: '2025-11-01T00:00:00Z', bookedTo: '2025-11-07T23:59:59Z' }, 'count'],
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
