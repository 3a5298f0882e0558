import fc from 'fast-check';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addMinute, type CountedMinute, readMinutes } from '../../src/deployment/minute.repository.ts';
import { MinuteCounts } from '../../src/deployment/minute-counts.ts';
import { MinuteWriter } from '../../src/deployment/minute-writer.ts';
import { LatencyHistogram } from '../../src/latency-histogram.ts';
import { Monitor } from '../../src/monitoring/monitor.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { createTestDatabase, type TestDatabase, withKeptClient } from '../support/postgres.ts';

const MINUTE_MS = 60_000;

let database: TestDatabase;
let own: TenantDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  own = new TenantDatabase({ url: database.url, poolSize: 4, statementTimeoutMs: 10_000, takeServiceRole: true });
});
afterAll(async () => {
  await own?.close();
  await database?.drop();
});
beforeEach(() => sql('DELETE FROM service_minutes'));

const sql = async <Row extends object>(text: string, values: unknown[] = []) =>
  (await withKeptClient(database.url, (client) => client.query<Row>(text, values))).rows;
const read = (minutes = 1440) => own.withConnection((connection) => readMinutes(connection, minutes));
const add = (minute: CountedMinute, ageMs = 0) =>
  own.withConnection((connection) => addMinute(connection, ageMs, minute));

/** Answers that took so long, each with two statements. */
function minuteOf(durations: readonly number[], hits: readonly number[] = []): CountedMinute {
  const [latency, hitLatency] = [new LatencyHistogram(), new LatencyHistogram()];
  for (const durationMs of [...durations, ...hits]) latency.record(durationMs);
  for (const durationMs of hits) hitLatency.record(durationMs);
  const requests = durations.length + hits.length;
  return {
    ...{ processes: 1, requests, hits: hits.length, misses: durations.length, bypasses: 0, errors: 1, refusals: 0 },
    ...{ statements: 2 * requests, databaseMs: 0.5, untrusted: false, latency, hitLatency },
  };
}

function newMonitor(): Monitor {
  return new Monitor({ slowOperationMs: 1e6, slowQueryMs: 1e6, logger: pino({ level: 'silent' }) });
}

describe('a minute', () => {
  it('has what all processes add to it at the same time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: 0, max: 400_000 })), { minLength: 2, maxLength: 4 }),
        async (processes) => {
          await sql('DELETE FROM service_minutes');
          await Promise.all(processes.map((durations) => add(minuteOf(durations, durations.slice(1)), MINUTE_MS)));
          const minutes = await read();
          const all = minuteOf(
            processes.flat(),
            processes.flatMap((durations) => durations.slice(1)),
          );
          // One may have been added when the next minute had begun.
          const latency = new LatencyHistogram();
          const hits = new LatencyHistogram();
          for (const minute of minutes) latency.add(minute.latency);
          for (const minute of minutes) hits.add(minute.hitLatency);
          expect(latency.latency()).toEqual(all.latency.latency());
          expect(hits.latency()).toEqual(all.hitLatency.latency());
          const sum = (of: 'processes' | 'requests' | 'hits' | 'statements' | 'errors') =>
            minutes.reduce((total, minute) => total + minute[of], 0);
          expect(sum('processes')).toBe(processes.length);
          expect(sum('requests')).toBe(all.requests);
          expect(sum('hits')).toBe(all.hits);
          expect(sum('statements')).toBe(all.statements);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('waits for what another connection adds and has not committed', async () => {
    await add(minuteOf([1]));
    await withKeptClient(database.url, async (client) => {
      await client.query('BEGIN; UPDATE service_minutes SET requests = requests + 10, latency[1] = latency[1] + 10');
      const added = add(minuteOf([1]));
      await client.query('COMMIT');
      await added;
    });
    expect((await read()).reduce((sum, { requests }) => sum + requests, 0)).toBe(12);
  });

  it('takes the place of that of the day before, and never the other way', async () => {
    await add(minuteOf([1, 2, 3]));
    await sql("UPDATE service_minutes SET start = start - interval '1 day'");
    expect(await read()).toEqual([]);
    await add(minuteOf([5]));
    await sql("UPDATE service_minutes SET minute = (minute + 1) % 1440 WHERE start < now() - interval '1 hour'"); // began between
    expect(await read()).toMatchObject([{ requests: 1, processes: 1, untrusted: false }]);
    await add(minuteOf([1, 2]), 24 * 60 * MINUTE_MS);
    expect((await read()).reduce((sum, { requests }) => sum + requests, 0)).toBe(1);
  });

  it('takes the place of one that a clock ahead has written, which is not shown', async () => {
    await add(minuteOf([1, 2, 3]));
    await sql("UPDATE service_minutes SET start = start + interval '3 days', latency = NULL");
    expect(await read()).toEqual([]);
    await add(minuteOf([5]));
    await sql("DELETE FROM service_minutes WHERE start > now() + interval '1 hour'"); // began between
    expect(await read()).toMatchObject([{ requests: 1 }]);
  });

  it('is read without its times where they are missing', async () => {
    await add(minuteOf([1, 2, 3]));
    await sql('UPDATE service_minutes SET latency = NULL');
    expect((await read()).map(({ requests, latency }) => [requests, latency.count])).toEqual([[3, 0]]);
  });

  it('is one of 1440 rows at most, however many days are written', async () => {
    const row = '1, 1, 1, 0, 0, 0, 0, 0, 0, false, ARRAY[1], 1, 1, ARRAY[]::integer[], 0, 0';
    await sql(`INSERT INTO service_minutes
      SELECT minute, date_trunc('day', now(), 'UTC') + minute * interval '1 minute' - interval '1 day', ${row} FROM generate_series(0, 1439) minute`);
    for (let minute = 0; minute < 5; minute++) await add(minuteOf([1]), minute * MINUTE_MS);
    expect(await sql('SELECT FROM service_minutes')).toHaveLength(1440);
    await expect(sql(`INSERT INTO service_minutes SELECT 1440, now(), ${row}`)).rejects.toThrow(
      'service_minutes_minute_check',
    );
  });
});

describe('what a process counts', () => {
  it('is written once, when it ends too, and anew by the process that comes after it', async () => {
    const first = newMonitor();
    const writing = (monitor: Monitor) => {
      const counts = new MinuteCounts({ monitor, isTrusted: () => false });
      const errors: Error[] = [];
      return { errors, writer: new MinuteWriter(own, counts, (error) => errors.push(error)) };
    };
    const one = writing(first);
    first.recordOperation({ name: 'A', tenantId: 'a', durationMs: 7, errors: 0, cacheHit: true });
    first.recordOperation({ name: 'A', tenantId: 'a', durationMs: 9, errors: 1, cacheHit: false });
    first.recordAnswer('hit', 200);
    first.recordAnswer('bypass');
    first.recordAnswer('refused');
    first.recordError(429, 'RATE_LIMITED');
    await one.writer.stop();
    const two = writing(newMonitor());
    await two.writer.stop();
    const minutes = await read(2);
    const sum = (of: keyof CountedMinute) => minutes.reduce((total, minute) => total + Number(minute[of]), 0);
    expect(sum('requests')).toBe(3);
    expect(sum('processes')).toBe(2);
    expect([sum('hits'), sum('misses'), sum('bypasses')]).toEqual([1, 0, 1]);
    expect([sum('errors'), sum('refusals')]).toEqual([1, 1]);
    expect(minutes.some(({ untrusted }) => untrusted)).toBe(true);
    expect(Math.max(...minutes.map(({ latency }) => latency.latency().max))).toBe(9);
    expect([...one.errors, ...two.errors]).toEqual([]);
  });

  it('is written later when it cannot be now', async () => {
    const monitor = newMonitor();
    const counts = new MinuteCounts({ monitor, isTrusted: () => null });
    monitor.recordAnswer('hit', 200);
    const writer = new MinuteWriter(own, counts, () => {});
    await sql('REVOKE INSERT ON service_minutes FROM tenantry_app');
    await expect(writer.stop()).rejects.toThrow('permission denied');
    expect(writer.waiting).toBe(1);
    await sql('GRANT INSERT ON service_minutes TO tenantry_app');
    await writer.stop();
    expect(writer.waiting).toBe(0);
    expect((await read(2)).reduce((sum, { requests }) => sum + requests, 0)).toBe(1);
  });
});
