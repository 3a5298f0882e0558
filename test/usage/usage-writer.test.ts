import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { OperatorError } from '../../src/errors.ts';
import { BUCKET_MS, UsageCounts } from '../../src/monitoring/usage-counts.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { addUsage } from '../../src/usage/usage.repository.ts';
import { MAX_BATCH, MAX_UNWRITTEN, UsageWriter } from '../../src/usage/usage-writer.ts';
import { createTestDatabase, type TestDatabase, withClient, withKeptClient } from '../support/postgres.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

/** More than two batches. */
const TENANTS = 2 * MAX_BATCH + 1;
const HOUR_MS = 3_600_000;

let database: TestDatabase;
let way: TcpProxy;
let own: TenantDatabase;
/** In the order of their ids. */
let tenants: string[];
beforeAll(async () => {
  database = await createTestDatabase();
  await sql(
    "INSERT INTO tenants (slug, name, time_zone) SELECT 't' || n, 'T', 'UTC' FROM generate_series(1, $1::integer) n",
    [TENANTS],
  );
  tenants = (await sql<{ id: string }>('SELECT id FROM tenants ORDER BY id')).map(({ id }) => id);
  way = await startTcpProxy(Number(new URL(database.url).port));
  const url = new URL(database.url);
  url.port = String(way.port);
  own = new TenantDatabase({ url: url.href, poolSize: 2, statementTimeoutMs: 10_000, takeServiceRole: true });
});
afterAll(async () => {
  await own?.close();
  await way?.close();
  await database?.drop();
});
beforeEach(() => sql('DELETE FROM tenant_usage'));

const stopped: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stopped.splice(0)) await stop();
});

const sql = async <Row extends object>(text: string, values: unknown[] = []) =>
  (await withKeptClient(database.url, (client) => client.query<Row>(text, values))).rows;

/** A writer, what it was told of, and the time that its counts are made at. */
function open() {
  const clock = { nowMs: Date.now() };
  const errors: Error[] = [];
  const counts = new UsageCounts(() => clock.nowMs);
  const writer = new UsageWriter(own, counts, (error) => errors.push(error));
  stopped.push(() => writer.stop());
  return { clock, errors, counts, writer };
}

/** Points by tenant, of all buckets. */
const points = async () =>
  Object.fromEntries(
    (
      await sql<{ id: string; points: number }>(
        'SELECT tenant_id AS id, sum(points)::integer AS points FROM tenant_usage GROUP BY 1',
      )
    ).map(({ id, points }) => [id, points]),
  );

const buckets = async () =>
  (
    await sql<{ bucket: Date; points: number }>(
      'SELECT bucket, points::integer AS points FROM tenant_usage ORDER BY bucket',
    )
  ).map(({ bucket, points }) => [bucket.getTime(), points]);

describe('what is written', () => {
  test('of many tenants takes a statement for each batch', async () => {
    await sql('CREATE SEQUENCE statements');
    await sql(`CREATE FUNCTION count_statement() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
      AS 'BEGIN PERFORM nextval(''public.statements''); RETURN NULL; END'`);
    await sql(
      'CREATE TRIGGER counted AFTER INSERT ON tenant_usage FOR EACH STATEMENT EXECUTE FUNCTION count_statement()',
    );
    try {
      const { counts, writer } = open();
      tenants.forEach((tenantId, index) => void counts.request(tenantId, false, index));
      await writer.flush();
      expect(await sql('SELECT last_value::integer AS sent FROM statements')).toEqual([
        { sent: Math.ceil(TENANTS / MAX_BATCH) },
      ]);
      expect(await points()).toEqual(Object.fromEntries(tenants.map((tenantId, index) => [tenantId, index])));
    } finally {
      await sql('DROP FUNCTION count_statement CASCADE');
      await sql('DROP SEQUENCE statements');
    }
  });

  test('adds up with what is there, each figure for itself', async () => {
    const [tenantId = ''] = tenants;
    const { counts, writer } = open();
    const count = () => {
      counts.request(tenantId, true, 30);
      counts.request(tenantId, false, 500);
      counts.statement(tenantId, 0.25, 7);
      counts.kept(tenantId, 1_000);
      counts.error(tenantId, 'TIMEOUT');
    };
    count();
    await writer.flush();
    count();
    counts.error(tenantId, 'FORBIDDEN');
    await writer.flush();
    const columns = 'requests, hits, points, database_ms AS ms, rows, bytes_kept AS bytes, errors';
    expect(await sql(`SELECT ${columns} FROM tenant_usage`)).toEqual([
      {
        requests: '4',
        hits: '2',
        points: '1060',
        ms: 0.5,
        rows: '14',
        bytes: '2000',
        errors: { TIMEOUT: 2, FORBIDDEN: 1 },
      },
    ]);
  });

  test('leaves tenants out that were deleted, and nobody else', async () => {
    const { counts, writer, errors } = open();
    const [first = '', last = ''] = tenants;
    for (const tenantId of [first, '0190c5a0-0000-7000-8000-000000000001', last]) counts.request(tenantId, false, 1);
    await writer.flush();
    expect(await points()).toEqual({ [first]: 1, [last]: 1 });
    expect([errors, writer.waiting]).toEqual([[], 0]);
  });

  test('is in the bucket of when it was counted, however late it is written', async () => {
    const { clock, counts, writer } = open();
    const [tenantId = ''] = tenants;
    const began = clock.nowMs - (clock.nowMs % BUCKET_MS) - HOUR_MS;
    way.cut();
    for (const [afterMs, points] of [
      [0, 1],
      [BUCKET_MS - 1, 2],
      [BUCKET_MS, 4],
      [3 * BUCKET_MS, 8],
      [3 * BUCKET_MS - 1, 16], // the clock was set back
    ] as const) {
      clock.nowMs = began + afterMs;
      counts.request(tenantId, false, points);
      if (points !== 2) await expect(writer.flush()).rejects.toThrow();
    }
    way.mend();
    await writer.flush();
    expect(await buckets()).toEqual([
      [began, 3],
      [began + BUCKET_MS, 4],
      [began + 2 * BUCKET_MS, 16],
      [began + 3 * BUCKET_MS, 8],
    ]);
  });

  test('by a process whose clock is ahead is in the running bucket', async () => {
    const { clock, counts, writer } = open();
    const before = Date.now();
    for (const days of [1, 2]) {
      clock.nowMs = before + days * 24 * HOUR_MS;
      counts.request(tenants[0] as string, false, 1);
      counts.error(tenants[0] as string, 'TIMEOUT');
    }
    await writer.flush();
    const [row, ...others] = await sql<{ bucket: Date; points: string; errors: object }>(
      'SELECT bucket, points, errors FROM tenant_usage',
    );
    expect(others).toEqual([]);
    expect(row).toMatchObject({ points: '2', errors: { TIMEOUT: 2 } });
    expect(row?.bucket.getTime()).toBeLessThanOrEqual(Date.now());
    expect(row?.bucket.getTime()).toBeGreaterThan(before - BUCKET_MS);
  });

  test('is all that was counted when the writer is stopped', async () => {
    const { counts, writer } = open();
    await writer.flush();
    counts.request(tenants[0] as string, false, 5);
    await writer.stop();
    expect(await points()).toEqual({ [tenants[0] as string]: 5 });
  });
});

describe('a lost connection', () => {
  test('loses nothing of any tenant, whichever batch it meets', async () => {
    const { clock, counts, writer, errors } = open();
    const bucket = new Date(clock.nowMs - (clock.nowMs % BUCKET_MS));
    const locked = tenants[MAX_BATCH + 1] as string; // in the second batch
    await sql("INSERT INTO tenant_usage VALUES ($1, $2, 0, 0, 0, 0, 0, 0, '{}')", [locked, bucket]);
    await withClient(database.url, async (holder) => {
      await holder.query('BEGIN');
      await holder.query('SELECT FROM tenant_usage FOR UPDATE');
      for (const tenantId of tenants) counts.request(tenantId, false, 3);
      const failed = expect(writer.flush()).rejects.toThrow();
      const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      await until(async () => (await sql(waiting)).length > 0);
      await sql(`SELECT pg_terminate_backend(pid) FROM (${waiting}) waiting`);
      await failed;
      await holder.query('COMMIT');
    });
    expect(writer.waiting).toBe(TENANTS - MAX_BATCH);
    await writer.flush();
    expect(await points()).toEqual(Object.fromEntries(tenants.map((tenantId) => [tenantId, 3])));
    expect([errors, writer.waiting]).toEqual([[], 0]);
  });

  test('is told by stop(), with the number of tenants whose counts are lost', async () => {
    const { counts, clock, writer } = open();
    for (const tenantId of tenants.slice(0, 3)) counts.request(tenantId, false, 1);
    clock.nowMs -= BUCKET_MS;
    counts.request(tenants[0] as string, false, 1);
    way.cut();
    try {
      await expect(writer.stop()).rejects.toThrow();
      expect(writer.waiting).toBe(3);
    } finally {
      way.mend();
    }
  });

  test('keeps so much waiting and no more; of what is given up it tells once', async () => {
    const { counts, clock, writer, errors } = open();
    way.cut();
    try {
      for (let row = 0; row < MAX_UNWRITTEN + 7; row++) {
        if (row % TENANTS === 0) clock.nowMs -= BUCKET_MS;
        counts.request(tenants[row % TENANTS] as string, false, 1);
      }
      await expect(writer.flush()).rejects.toThrow();
      expect(errors.filter((error) => error instanceof OperatorError).map(({ message }) => message)).toEqual([
        `usage that could not be written was given up: more than ${MAX_UNWRITTEN} rows of tenant_usage wait`,
      ]);
      // What is there already goes on adding up, without a word.
      counts.request(tenants[0] as string, false, 1);
      await expect(writer.flush()).rejects.toThrow();
      expect(errors.filter((error) => error instanceof OperatorError)).toHaveLength(1);
      await expect(writer.stop()).rejects.toThrow();
      stopped.pop(); // what waits is not written
    } finally {
      way.mend();
    }
  });

  test('keeps nothing waiting that would be removed at once', async () => {
    const { counts, clock, writer } = open();
    const [old = '', kept = ''] = tenants;
    way.cut();
    clock.nowMs -= 49 * HOUR_MS;
    counts.request(old, false, 1);
    clock.nowMs += 2 * HOUR_MS;
    counts.request(kept, false, 1);
    await expect(writer.flush()).rejects.toThrow();
    way.mend();
    await writer.flush();
    expect(await points()).toEqual({ [kept]: 1 });
  });
});

describe('a row that PostgreSQL refuses', () => {
  test('for a CHECK is given up and told once, and keeps nobody else back', async () => {
    await sql('ALTER TABLE tenant_usage ADD CONSTRAINT unlucky CHECK (points <> 666)');
    try {
      const { counts, writer, errors } = open();
      const refused = [tenants[7], tenants[MAX_BATCH + 3], tenants.at(-1)] as string[];
      for (const tenantId of tenants) counts.request(tenantId, false, refused.includes(tenantId) ? 666 : 1);
      await writer.flush();
      const others = tenants.filter((tenantId) => !refused.includes(tenantId));
      expect(await points()).toEqual(Object.fromEntries(others.map((tenantId) => [tenantId, 1])));
      expect(errors).toHaveLength(refused.length);
      for (const [index, tenantId] of refused.entries()) expect(errors[index]?.message).toContain(tenantId);
      expect(writer.waiting).toBe(0);
      await writer.flush();
      expect(errors).toHaveLength(refused.length);
    } finally {
      await sql('ALTER TABLE tenant_usage DROP CONSTRAINT unlucky');
    }
  });

  test.each([
    ['no number', (counts: UsageCounts, tenantId: string) => counts.request(tenantId, false, Number.NaN)],
    ['half a row', (counts: UsageCounts, tenantId: string) => counts.statement(tenantId, 1, 0.5)],
    ['too many bytes', (counts: UsageCounts, tenantId: string) => counts.kept(tenantId, 2 ** 70)],
    ['no tenant’s id', (counts: UsageCounts) => counts.request('nobody', false, 1)],
    ['what is no text', (counts: UsageCounts, tenantId: string) => counts.error(tenantId, 'A\0')],
  ])('for its values, as %s', async (_what, poison) => {
    const { counts, writer, errors } = open();
    const [first = '', poisoned = '', last = ''] = tenants;
    counts.request(first, false, 1);
    poison(counts, poisoned);
    counts.request(last, false, 1);
    await writer.flush();
    expect(await points()).toEqual({ [first]: 1, [last]: 1 });
    expect(errors).toEqual([expect.any(OperatorError)]);
    expect(writer.waiting).toBe(0);
  });
});

test('processes that add to the same rows, in whichever order, wait for each other in no circle', async () => {
  // Each stops before its second row.
  await sql(`CREATE FUNCTION wait_for_lock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF current_setting('test.is_second', true) = 'yes' THEN PERFORM pg_advisory_xact_lock_shared(42); END IF;
    PERFORM set_config('test.is_second', 'yes', true);
    RETURN NEW; END $$`);
  await sql('CREATE TRIGGER wait_for_lock BEFORE INSERT ON tenant_usage FOR EACH ROW EXECUTE FUNCTION wait_for_lock()');
  try {
    const rows = tenants.slice(0, 2).map((tenantId) => {
      const counts = new UsageCounts();
      counts.request(tenantId, false, 1);
      return counts.take();
    });
    await withClient(database.url, async (holder) => {
      await holder.query('SELECT pg_advisory_lock(42)');
      const both = Promise.all(
        [rows, rows.toReversed()].map((all) => own.withConnection((connection) => addUsage(connection, all.flat()))),
      );
      const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      await until(async () => (await sql(waiting)).length >= 2);
      await holder.query('SELECT pg_advisory_unlock(42)');
      await both;
    });
    expect(await points()).toEqual({ [tenants[0] as string]: 2, [tenants[1] as string]: 2 });
  } finally {
    await sql('DROP FUNCTION wait_for_lock CASCADE');
  }
});
