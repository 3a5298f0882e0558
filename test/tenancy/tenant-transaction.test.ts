import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { knownFailure } from '../../src/tenancy/known-failure.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { adminDatabaseUrl, createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';

const { sql } = Prisma;
const scope = TenantScope.ofOperatorCommand('0190c5a0-0000-7000-8000-000000000001');
const WRITE_ID = '0190c5a0-0000-7000-8000-0000000000aa';

let server: TestDatabase;
let database: TenantDatabase;

beforeAll(async () => {
  server = await createTestDatabase();
  await withClient(server.url, (client) =>
    client.query(`CREATE TABLE notes (id integer PRIMARY KEY, transaction xid8 DEFAULT pg_current_xact_id());
      GRANT SELECT, INSERT ON notes TO tenantry_app`),
  );
  // One connection, so that what one transaction leaves behind would be found by the next.
  database = new TenantDatabase({ url: server.url, poolSize: 1, statementTimeoutMs: 1_000, takeServiceRole: true });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});
beforeEach(() => withClient(server.url, (client) => client.query('TRUNCATE notes')));

const statement = (query: Prisma.Sql) => ({ model: 'Note', action: 'test', query });
const insert = (id: number) => statement(sql`INSERT INTO notes (id) VALUES (${id}) RETURNING transaction::text`);
const settings = statement(
  sql`SELECT current_setting('app.tenant_id', true) AS tenant, current_setting('app.write_id', true) AS write`,
);
const kept = async () => {
  const { rows } = await withClient(server.url, (client) => client.query('SELECT id FROM notes ORDER BY id'));
  return rows.map(({ id }) => id);
};

test('commits all statements together, whether the last one is said to be that or not', async () => {
  await database.write(scope, async (transaction) => {
    const [first] = await transaction.select<{ transaction: string }>(insert(1));
    expect(await transaction.select(insert(2))).toEqual([first]);
  });
  await database.write(scope, async (transaction) => {
    const [first] = await transaction.select<{ transaction: string }>(insert(3));
    expect(await kept()).toEqual([1, 2]);
    expect(await transaction.finish(insert(4))).toEqual([first]);
    expect(await kept()).toEqual([1, 2, 3, 4]);
  });
  await database.write(scope, (transaction) => transaction.finish(insert(5)));
  expect(await kept()).toEqual([1, 2, 3, 4, 5]);
});

test('keeps nothing when a statement, the last statement or the work fails', async () => {
  const works: Parameters<typeof database.write>[1][] = [
    async (transaction) => [await transaction.select(insert(1)), await transaction.select(insert(1))],
    async (transaction) => [await transaction.select(insert(1)), await transaction.finish(insert(1))],
    async (transaction) => Promise.reject(await transaction.select(insert(1))),
    (transaction) => transaction.finish(statement(sql`INSERT INTO notes (id) SELECT 1 / 0`)),
    () => Promise.reject(new Error('before any statement')),
  ];
  for (const work of works) await expect(database.write(scope, work)).rejects.toBeDefined();
  expect(await kept()).toEqual([]);
  await database.write(scope, (transaction) => transaction.finish(insert(1)));
  expect(await kept()).toEqual([1]);
});

test('a connection that takes no writes, as to the old primary after a failover, is told as such and opened anew', async () => {
  const { pathname } = new URL(server.url);
  const readOnly = (change: string) =>
    withClient(adminDatabaseUrl(), (client) => client.query(`ALTER DATABASE "${pathname.slice(1)}" ${change}`));
  const writes: [what: string, write: () => Promise<unknown>][] = [
    ['write', () => database.write(scope, (transaction) => transaction.select(insert(1)))],
    ['write and commit', () => database.write(scope, (transaction) => transaction.finish(insert(2)))],
    ['select', () => database.select(scope, insert(3))],
    ['Prisma', () => database.prisma(scope, (prisma) => prisma.bankAccount.updateMany({ data: { bankName: 'New' } }))],
    [
      'transaction',
      () => database.transaction(scope, (prisma) => prisma.bankAccount.updateMany({ data: { bankName: 'New' } })),
    ],
  ];
  for (const [what, write] of writes) {
    await readOnly('SET default_transaction_read_only = on');
    await database.withConnection(() => Promise.reject(new Error('opened anew'))).catch(() => {});
    const failed = await write().catch((error: unknown) => error);
    expect(knownFailure(failed), what).toMatchObject({ extensions: { code: 'SERVICE_UNAVAILABLE' } });
    await readOnly('RESET default_transaction_read_only');
    await write();
  }
  expect(await kept()).toEqual([1, 2, 3]);
});

test('is not taken for done when the work went on after a failed statement', async () => {
  const work = database.write(scope, async (transaction) => {
    await transaction.select(insert(1));
    await transaction.select(insert(1)).catch(() => {});
  });
  await expect(work).rejects.toThrow('nothing to commit');
  expect(await kept()).toEqual([]);
  await database.write(scope, (transaction) => transaction.finish(insert(2)));
  expect(await kept()).toEqual([2]);
});

test('carries its tenant and its write’s id in every statement, and leaves neither behind', async () => {
  const seen = await database.write(
    scope,
    async (transaction) => [...(await transaction.select(settings)), ...(await transaction.finish(settings))],
    { writeId: WRITE_ID },
  );
  expect(seen).toEqual(Array(2).fill({ tenant: scope.tenantId, write: WRITE_ID }));
  expect(await database.write(scope, (transaction) => transaction.select(settings))).toEqual([
    { tenant: scope.tenantId, write: '' },
  ]);
  const left = await database.withConnection((client) => client.query(settings.query.text));
  expect(left.rows).toEqual([{ tenant: '', write: '' }]);
});

test('is done with an attempt that gives rows, and begins anew after one that gives none', async () => {
  await database.write(scope, (transaction) => transaction.attempt(insert(1)));
  expect(await kept()).toEqual([1]);
  const nothing = statement(sql`INSERT INTO notes (id) SELECT 2 WHERE false RETURNING id`);
  await database.write(
    scope,
    async (transaction) => {
      expect(await transaction.attempt(nothing)).toEqual([]);
      expect(await transaction.select(settings)).toEqual([{ tenant: scope.tenantId, write: WRITE_ID }]);
      await transaction.select(insert(3));
      expect(await kept()).toEqual([1]);
    },
    { writeId: WRITE_ID },
  );
  expect(await kept()).toEqual([1, 3]);
  const late = database.write(scope, async (transaction) => [
    await transaction.select(insert(4)),
    await transaction.attempt(insert(5)),
  ]);
  await expect(late).rejects.toThrow('only the first statement');
  const twice = database.write(scope, async (transaction) => [
    await transaction.attempt(insert(6)),
    await transaction.select(insert(7)),
  ]);
  await expect(twice).rejects.toThrow('nothing may follow');
  expect(await kept()).toEqual([1, 3, 6]);
});

test('plans once what is written and what asks for it, and leaves that to PostgreSQL otherwise', async () => {
  const mode = statement(sql`SELECT current_setting('plan_cache_mode') AS mode`);
  expect(await database.write(scope, (transaction) => transaction.select(mode))).toEqual([
    { mode: 'force_generic_plan' },
  ]);
  expect(await database.select(scope, { ...mode, planOnce: true })).toEqual([{ mode: 'force_generic_plan' }]);
  expect(await database.select(scope, mode)).toEqual([{ mode: 'auto' }]);
});

test('a statement with a time limit of its own takes one core of the database, and the others what PostgreSQL gives', async () => {
  const workers = statement(sql`SELECT current_setting('max_parallel_workers_per_gather') AS most`);
  const given = await database.select(scope, workers);
  expect(given).not.toEqual([{ most: '0' }]);
  for (const planOnce of [false, true]) {
    const timed = { ...workers, planOnce, timeoutMs: 500 };
    expect(await database.select(scope, timed)).toEqual([{ most: '0' }]);
    expect(await database.select(scope, workers)).toEqual(given);
    await database.snapshot(scope, async (within) => {
      expect(await database.select(within, workers)).toEqual(given);
      expect(await database.select(within, timed)).toEqual([{ most: '0' }]);
      expect(await database.select(within, workers)).toEqual(given);
    });
  }
});

test('refuses a statement after the last one', async () => {
  const work = database.write(scope, async (transaction) => {
    await transaction.finish(insert(1));
    await transaction.select(insert(2));
  });
  await expect(work).rejects.toThrow('nothing may follow');
  expect(await kept()).toEqual([1]);
});

test('does not give back a connection that was lost', async () => {
  const own = statement(sql`SELECT pg_backend_pid() AS pid`);
  const work = database.write(scope, async (transaction) => {
    const [session] = await transaction.select<{ pid: number }>(own);
    await withClient(server.url, (client) => client.query('SELECT pg_terminate_backend($1)', [session?.pid]));
    await transaction.select(insert(1));
  });
  await expect(work).rejects.toBeDefined();
  await database.write(scope, (transaction) => transaction.finish(insert(2)));
  expect(await kept()).toEqual([2]);
});
