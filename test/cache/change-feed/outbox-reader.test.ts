import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cleanOutbox } from '../../../src/cache/change-feed/outbox-cleaner.ts';
import { isContinued } from '../../../src/cache/versions/checkpoint.ts';
import { OutboxReader } from '../../../src/cache/versions/outbox-reader.ts';
import { SERVICE_ROLE } from '../../../src/database/service-rights.ts';
import { TenantDatabase } from '../../../src/tenancy/tenant-database.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';
import { connectPast, fillTwo, NORTH, SOUTH } from './fixture.ts';

const ADD = 'SELECT cache_outbox_add($1, 1)';

describe('reading the outbox', () => {
  let database: TestDatabase;
  let pool: TenantDatabase;
  let past: pg.Client;
  let reader: OutboxReader;
  beforeAll(async () => {
    database = await createTestDatabase();
    await fillTwo(database.url);
    past = await connectPast(database);
    pool = new TenantDatabase({ url: database.url, poolSize: 1, statementTimeoutMs: 10_000, takeServiceRole: true });
  });
  afterAll(async () => {
    await past.end();
    await pool.close();
    await database.drop();
  });
  beforeEach(async () => {
    reader = await OutboxReader.open({ url: database.url, role: SERVICE_ROLE });
  });
  afterEach(() => reader.close());

  const tenantsIn = ({ changes }: { changes: readonly { tenantId: string }[] }) =>
    changes.map(({ tenantId }) => tenantId);
  const clean = () => cleanOutbox(pool, 0);
  const rows = async () => Number((await past.query('SELECT count(*) FROM cache_outbox')).rows[0].count);

  it('begins with nothing, then gives every row once', async () => {
    const first = await reader.poll();
    expect(first.changes).toEqual([]);
    await past.query(ADD, [NORTH]);
    const second = await reader.poll(first.snapshot);
    expect(tenantsIn(second)).toEqual([NORTH]);
    expect((await reader.poll(second.snapshot)).changes).toEqual([]);
  });

  it('gives what an older transaction wrote when it ends, and what younger ones wrote before that', async () => {
    const older = await connectPast(database);
    await older.query('BEGIN');
    await older.query(ADD, [SOUTH]);
    let position = await reader.poll();
    for (let round = 0; round < 3; round++) {
      await past.query(ADD, [NORTH]);
      position = await reader.poll(position.snapshot);
      expect(tenantsIn(position)).toEqual([NORTH]);
    }
    await older.query('COMMIT');
    expect(tenantsIn(await reader.poll(position.snapshot))).toEqual([SOUTH]);
    await older.end();
  });

  it('passes over rows of a transaction that this server has yet to begin: a dump of another brought them', async () => {
    const { snapshot } = await reader.poll();
    await past.query('INSERT INTO cache_outbox VALUES (9000000000000000, $1, 1)', [NORTH]);
    expect((await reader.poll(snapshot)).changes).toEqual([]);
    await clean();
    await clean();
    expect(await rows()).toBe(0);
  });

  // Again, where transactions of other tests on the server end in between: a snapshot tells of
  // those too.
  it('knows when rows were removed that it has not seen, and only then', { retry: 20 }, async () => {
    await clean();
    const before = await reader.poll();
    await past.query(ADD, [NORTH]);
    const after = await reader.poll(before.snapshot);
    await clean();
    await clean();
    const now = await reader.poll(after.snapshot);
    expect(now.removed).not.toBe(before.removed);
    expect(isContinued(after, now)).toBe(true);
    expect(isContinued(before, now)).toBe(false);
  });

  it('knows that rows were removed of a transaction that was open when it last read', async () => {
    const older = await connectPast(database);
    await older.query('BEGIN');
    await older.query(ADD, [SOUTH]);
    await past.query(ADD, [NORTH]);
    const before = await reader.poll();
    await older.query('COMMIT');
    await older.end();
    await clean();
    await clean();
    expect(isContinued(before, await reader.poll(before.snapshot))).toBe(false);
  });

  it('takes nothing for continued in another database, nor after triggers slept', async () => {
    const poll = await reader.poll();
    expect(isContinued(poll, poll)).toBe(true);
    expect(isContinued({ ...poll, database: 'another' }, poll)).toBe(false);
    await past.query('ALTER TABLE tenants DISABLE TRIGGER cache_outbox_update');
    await past.query('ALTER TABLE tenants ENABLE ALWAYS TRIGGER cache_outbox_update');
    expect(isContinued(poll, await reader.poll())).toBe(false);
  });

  it('loses its lock when its process stands still, though the connection is open', async () => {
    const other = await OutboxReader.open({ url: database.url, role: SERVICE_ROLE });
    expect(await reader.tryLock('the office')).toBe(true);
    expect(await other.tryLock('the office')).toBe(false);
    await until(() => other.tryLock('the office'));
    await expect(reader.poll()).rejects.toThrow();
    await other.close();
  });

  it('leaves rows their time, and what is still open to its end', async () => {
    await clean();
    await clean();
    await past.query(ADD, [NORTH]);
    const older = await connectPast(database);
    await older.query('BEGIN');
    await older.query(ADD, [SOUTH]);
    expect(await cleanOutbox(pool, 60_000)).toBe(0);
    await clean();
    expect(await clean()).toBe(1);
    await older.query('COMMIT');
    await older.end();
    expect(await rows()).toBe(1);
    await clean();
    await clean();
    expect(await rows()).toBe(0);
  });
});
