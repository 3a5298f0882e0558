import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endOfDayMs } from '../../src/database/sql-text.ts';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** When the local date is next another, of rows with `zone` and `at`. */
const END = endOfDayMs(Prisma.raw('zone'), Prisma.raw('at')).text;

let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  // Not the zones' own, so that no arithmetic of instants may go by the session's clock.
  await client.query("SET TIME ZONE 'America/Havana'");
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

describe('what is said of today ends when the date of the time zone is next another', () => {
  /** A day of each: where clocks are set, in which direction, and across which midnight. */
  const KNOWN: readonly (readonly [string, string, string, string])[] = [
    ['sets its clocks back to a midnight that comes twice', 'America/Havana', '2025-11-01', '2025-11-02T04:00:00.000Z'],
    ['has a day of 25 hours then', 'America/Havana', '2025-11-02', '2025-11-03T05:00:00.000Z'],
    ['skips midnight', 'America/Havana', '2025-03-08', '2025-03-09T05:00:00.000Z'],
    ['skips midnight', 'Asia/Beirut', '2022-03-26', '2022-03-26T22:00:00.000Z'],
    ['skipped midnight', 'America/Sao_Paulo', '2018-11-03', '2018-11-04T03:00:00.000Z'],
    ['skips midnight', 'America/Asuncion', '2023-09-30', '2023-10-01T04:00:00.000Z'],
    ['lacks the day after', 'Pacific/Apia', '2011-12-29', '2011-12-30T10:00:00.000Z'],
    ['sets its clocks by half an hour', 'Australia/Lord_Howe', '2025-04-05', '2025-04-05T13:00:00.000Z'],
    ['has a day of 24 and a half hours', 'Australia/Lord_Howe', '2025-04-06', '2025-04-06T13:30:00.000Z'],
    ['was a minute past midnight before it went back', 'America/St_Johns', '2010-11-06', '2010-11-07T02:30:00.000Z'],
    ['comes to midnight a second time', 'Atlantic/Azores', '2025-10-25', '2025-10-26T00:00:00.000Z'],
    ['never sets its clocks', 'Asia/Kathmandu', '2025-11-01', '2025-11-01T18:15:00.000Z'],
  ];

  test.each(KNOWN)('%s: %s on %s, at %s', async (_, zone, day, end) => {
    const dateAt = dateIn(zone);
    const begin = Array.from({ length: 80 * 60 }, (_, minute) => Date.parse(day) - 24 * HOUR_MS + minute * MINUTE_MS);
    const during = begin.filter((at) => dateAt(at) === day && at < Date.parse(end)).filter((_, n) => n % 60 === 1);
    expect(during.length).toBeGreaterThanOrEqual(23);
    expect([dateAt(Date.parse(end) - 1), dateAt(Date.parse(end)) === day]).toEqual([day, false]);
    for (const [at, said] of await ends(zone, during)) expect(new Date(said).toISOString(), at).toBe(end);
  });

  test.each([
    ['America/St_Johns', '2010-11-07T02:30:30Z', '2010-11-07T02:31:00.000Z', '2010-11-07T03:30:00.000Z'],
    ['America/Sao_Paulo', '2018-02-18T01:59:59Z', '2018-02-18T03:00:00.000Z', '2018-02-19T03:00:00.000Z'],
    ['America/Scoresbysund', '2024-10-26T12:00:00Z', '2024-10-27T02:00:00.000Z', '2024-10-28T02:00:00.000Z'],
  ])('the date of %s may go back as well: after %s at %s, and next at %s', async (zone, at, first, second) => {
    const [[, end] = ['', 0]] = await ends(zone, [Date.parse(at)]);
    const [[, next] = ['', 0]] = await ends(zone, [end]);
    const dateAt = dateIn(zone);
    expect([end, next].map((ms) => new Date(ms).toISOString())).toEqual([first, second]);
    for (const ms of [end, next]) expect(dateAt(ms)).not.toBe(dateAt(ms - 1));
  });

  async function ends(zone: string, instantsMs: readonly number[]): Promise<[string, number][]> {
    const { rows } = await client.query<{ at: string; end: number }>(
      `SELECT at::text, ${END} AS end FROM unnest($2::timestamptz[]) AS at, (SELECT $1::text AS zone) of`,
      [zone, instantsMs.map((ms) => new Date(ms).toISOString())],
    );
    return rows.map(({ at, end }) => [at, end]);
  }
});

/** How far a zone's clock is ahead at an instant. */
const ahead = (at: string) => `(${at}) AT TIME ZONE zone - (${at}) AT TIME ZONE 'UTC'`;

/**
 * Every way in which any zone set its clocks in a quarter of a century, by how much and at which
 * local time: of each one. Weeks with a change are cut in halves until a minute is left.
 */
const CLOCK_CHANGES = `
  CREATE TEMP TABLE clock_changes AS
  WITH RECURSIVE zones AS MATERIALIZED (
    SELECT name AS zone FROM pg_timezone_names
  ), halves AS (
    SELECT zone, week AS low, week + interval '168 hours' AS high
    FROM zones, generate_series(timestamptz '2005-01-01Z', '2030-12-31Z', interval '168 hours') week
    WHERE ${ahead('week')} <> ${ahead("week + interval '168 hours'")}
    UNION ALL
    SELECT zone, CASE WHEN is_later THEN middle ELSE low END, CASE WHEN is_later THEN high ELSE middle END
    FROM (
      SELECT *, ${ahead('low')} = ${ahead('middle')} AS is_later
      FROM (SELECT *, date_trunc('minute', low + (high - low) / 2) AS middle FROM halves WHERE high - low > interval '1 minute') cut
    ) compared
  )
  SELECT row_number() OVER () AS change, zone, at FROM (
    SELECT DISTINCT ON (${ahead('high')} - (${ahead('low')}), (low AT TIME ZONE zone)::time) zone, high AS at
    FROM halves WHERE high - low = interval '1 minute'
    ORDER BY ${ahead('high')} - (${ahead('low')}), (low AT TIME ZONE zone)::time, at DESC
  ) forms`;

/**
 * Around each of them the minutes, and of each the next with another date than its own, found by
 * looking.
 */
const MINUTES = `
  CREATE TEMP TABLE minutes AS
  SELECT change, zone, at, minute, row_number() OVER latest_first AS number,
    min(minute) FILTER (WHERE is_first) OVER (latest_first ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS expected
  FROM (
    SELECT *, date IS DISTINCT FROM lag(date) OVER (PARTITION BY change ORDER BY minute) AS is_first
    FROM (
      SELECT *, (minute AT TIME ZONE zone)::date AS date
      FROM clock_changes, generate_series(at - interval '30 hours', at + interval '80 hours', interval '1 minute') minute
    ) dated
  ) marked
  WINDOW latest_first AS (PARTITION BY change ORDER BY minute DESC)`;

/**
 * What is said within the minutes before each change of the date, and some seconds into many
 * others.
 */
const SAID = `
  SELECT zone, asked.at::text, expected::text, ${END} AS end, extract(epoch FROM expected)::float8 * 1000 AS "expectedEnd"
  FROM (
    SELECT zone, expected, minute + (number % 60) * interval '1 second' AS at FROM minutes
    WHERE minute < at + interval '28 hours' AND (number % 97 = 0 OR expected <= minute + interval '2 minutes')
  ) asked`;

test('in every zone and around every way of setting clocks, compared with looking at each minute', {
  timeout: 300_000,
}, async () => {
  await client.query(CLOCK_CHANGES);
  await client.query(MINUTES);
  const { rows } = await client.query(SAID);
  expect(rows.filter(({ end, expectedEnd }) => end !== expectedEnd)).toEqual([]);
  const { rows: counts } = await client.query('SELECT count(*)::int AS changes FROM clock_changes');
  expect(counts[0].changes).toBeGreaterThan(30);
  expect(rows.length).toBeGreaterThan(40 * counts[0].changes);
});

test('on every day of a year in every zone', { timeout: 300_000 }, async () => {
  const { rows } = await client.query(`
    SELECT zone, at, ends FROM (
      SELECT zone, at, to_timestamp(${END} / 1000) AS ends
      FROM (SELECT name AS zone FROM pg_timezone_names) zones,
        generate_series(timestamptz '2026-11-29 18:10:30.123456Z', '2027-11-30Z', interval '25 hours') at
    ) said
    WHERE ends <= at OR ends > at + interval '26 hours'
      OR (ends AT TIME ZONE zone)::date = (at AT TIME ZONE zone)::date
      OR ((ends - interval '1 microsecond') AT TIME ZONE zone)::date <> (at AT TIME ZONE zone)::date`);
  expect(rows).toEqual([]);
});

/** The local date of an instant, by the machine's own table of time zones. */
function dateIn(timeZone: string): (instantMs: number) => string {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  return (instantMs) => format.format(instantMs);
}
