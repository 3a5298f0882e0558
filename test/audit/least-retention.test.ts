import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SERVICE_ROLE } from '../../src/database/service-rights.ts';
import { insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';

let database: TestDatabase;
let tenantId: string;
beforeAll(async () => {
  database = await createTestDatabase();
  tenantId = await insertTenant(database.url, { slug: 'acme' });
});
afterAll(() => database?.drop());

interface Kept {
  readonly table: string;
  readonly age: string;
  readonly leastHours: number;
  /** The values of a row of tenant $1 that is as old as $2. */
  readonly row: string;
}

const AGE = "clock_timestamp() - $2 * interval '1 hour'";
const KEPT: readonly Kept[] = [
  {
    table: 'audit_log',
    age: 'at',
    leastHours: 720,
    row: `$1, ${AGE}, gen_random_uuid(), NULL, NULL, 'x', NULL, NULL, 'DONE', '{}', 1`,
  },
  {
    table: 'idempotency_keys',
    age: 'created_at',
    leastHours: 1,
    row: `$1, gen_random_uuid()::text, '\\x00', '{}', ${AGE}`,
  },
  { table: 'tenant_usage', age: 'bucket', leastHours: 24, row: `$1, ${AGE}, 1, 0, 1, 0, 0, 0, '{}'` },
];
const TIME_ZONES = ['UTC', 'America/New_York', 'Australia/Lord_Howe'];
const HOURS_OF_MONTH = 720;

const small = fc.integer({ min: -60, max: 60 });
/** Some that PostgreSQL compares as equal to a little more than the least, and some of any kind. */
const RETENTION = fc.oneof(
  fc
    .record({ months: fc.integer({ min: -1200, max: 1200 }), days: small, hours: small })
    .map(({ months, days, hours }) => `${months} months ${days - months * 30} days ${hours + HOURS_OF_MONTH} hours`),
  fc
    .record({ months: small, days: small, hours: small })
    .map(({ months, days, hours }) => `${months} months ${days} days ${hours} hours`),
  fc.constant(null),
);

/**
 * As the service's login. @returns whether it was refused, and the ages of the rows that are left
 */
async function leftAfter(
  client: pg.Client,
  { table, age, leastHours, row }: Kept,
  retention: string | null,
  timeZone: string,
): Promise<{ refused: boolean; hours: number[] }> {
  await client.query('BEGIN');
  try {
    // Usage is kept by whole seconds.
    for (const hours of [0, leastHours - 0.01, leastHours + 0.01, 2_000_000])
      await client.query(`INSERT INTO ${table} VALUES (${row})`, [tenantId, hours]);
    await client.query(`SET LOCAL TimeZone = '${timeZone}'; SET LOCAL ROLE ${SERVICE_ROLE}; SAVEPOINT called`);
    const call = client.query(`SELECT ${table}_clean($1, 10000)`, [retention]);
    const refused = await call.then(
      () => false,
      (error: pg.DatabaseError) => {
        expect(error).toMatchObject({
          code: '22023',
          message: expect.stringContaining(`rows of ${table} are kept for`),
        });
        return true;
      },
    );
    await client.query(`${refused ? 'ROLLBACK TO called; ' : ''}RESET ROLE`);
    const { rows } = await client.query<{ hours: number }>(
      `SELECT extract(epoch FROM clock_timestamp() - ${age})::float8 / 3600 AS hours FROM ${table} ORDER BY 1`,
    );
    return { refused, hours: rows.map(({ hours }) => hours) };
  } finally {
    await client.query('ROLLBACK');
  }
}

test.each(KEPT)('whatever the retention, nothing of $table is removed before its time', (kept) =>
  withClient(database.url, (client) =>
    fc.assert(
      fc.asyncProperty(RETENTION, fc.constantFrom(...TIME_ZONES), async (retention, timeZone) => {
        const { hours } = await leftAfter(client, kept, retention, timeZone);
        expect(hours.filter((age) => age < kept.leastHours)).toHaveLength(2);
      }),
      {
        numRuns: 200,
        examples: [
          ['-1200 months 36030 days', 'UTC'],
          ['-1200 months 36000 days 1 hour', 'UTC'],
        ],
      },
    ),
  ),
);

test.each(KEPT)('$table is cleaned from its least retention on, and by none shorter', async (kept) => {
  await withClient(database.url, async (client) => {
    for (const timeZone of TIME_ZONES) {
      const least = await leftAfter(client, kept, `${kept.leastHours} hours`, timeZone);
      expect({ ...least, hours: least.hours.length }).toEqual({ refused: false, hours: 2 });
      const shorter = await leftAfter(client, kept, `${kept.leastHours * 3600 - 1} seconds`, timeZone);
      expect({ ...shorter, hours: shorter.hours.length }).toEqual({ refused: true, hours: 4 });
    }
    expect(await leftAfter(client, kept, null, 'UTC')).toMatchObject({ refused: true });
  });
});
