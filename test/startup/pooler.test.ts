import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { refuseForgetfulPooler, warnOfTooFewConnections } from '../../src/startup/pooler.ts';
import { knownFailure } from '../../src/tenancy/known-failure.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { describeIf } from '../support/left-out.ts';
import { findPgbouncer, type Pooler, startPgbouncer } from '../support/pgbouncer.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

test('PostgreSQL itself is not taken for a pooler', async () => {
  await refuseForgetfulPooler(database.url);
});

test('a server that cannot be reached is not refused here', async () => {
  await refuseForgetfulPooler('postgresql://nobody@127.0.0.1:1/nothing');
});

test('a list of hosts is refused with what to name instead, and without its password', () => {
  const read = () => readConfig({ DATABASE_URL: 'postgresql://app:secret@one:5432,two:5432/name' });
  expect(read).toThrow('DATABASE_URL must be a URL with one host, but got: several hosts (the driver takes no list');
  expect(read).not.toThrow('secret');
});

test('more connections than the server takes are told of with both numbers, and none other', async () => {
  const told: unknown[] = [];
  const log = { warn: (...words: unknown[]) => told.push(words) };
  await warnOfTooFewConnections(database.url, { poolSize: 1, workers: 1 }, log);
  expect(told).toEqual([]);
  await warnOfTooFewConnections(database.url, { poolSize: 100_000, workers: 2 }, log);
  expect(told).toEqual([
    [
      expect.objectContaining({ wanted: 200_006, available: expect.any(Number) }),
      expect.stringMatching(
        /^The service may open 200006 connections, and PostgreSQL takes \d+: lower DATABASE_POOL_SIZE/,
      ),
    ],
  ]);
});

describeIf(findPgbouncer() !== undefined, 'apt-get install pgbouncer', 'behind PgBouncer', () => {
  let pooler: Pooler;
  afterEach(() => pooler.stop());

  test('one that forgets prepared statements is refused with the remedy', async () => {
    pooler = await startPgbouncer(database.url, 'transaction');
    await expect(refuseForgetfulPooler(pooler.url)).rejects.toMatchObject({
      message: expect.stringContaining('forgets prepared statements, such as PgBouncer before 1.21'),
      remedy: expect.stringContaining('max_prepared_statements'),
    });
  });

  test('one that gives each client a session serves: time limit, role and tenant go with each statement', async () => {
    pooler = await startPgbouncer(database.url, 'session');
    await refuseForgetfulPooler(pooler.url);
    const through = new TenantDatabase({
      url: pooler.url,
      poolSize: 2,
      statementTimeoutMs: 200,
      takeServiceRole: true,
    });
    const scope = TenantScope.ofOperatorCommand('0190c5a0-0000-7000-8000-000000000001');
    const settings = Prisma.sql`SELECT current_user::text AS role, current_setting('statement_timeout') AS timeout,
      current_setting('app.tenant_id') AS tenant`;
    const one = { model: 'Test', action: 'test', query: settings };
    const expected = [{ role: 'tenantry_app', timeout: '200ms', tenant: scope.tenantId }];
    expect(await through.select(scope, one)).toEqual(expected);
    expect(await through.snapshot(scope, (within) => through.select(within, one))).toEqual(expected);
    expect(await through.write(scope, (transaction) => transaction.select(one))).toEqual(expected);
    const { rows } = await through.withConnection((connection) =>
      connection.query("SELECT current_user::text AS role, current_setting('statement_timeout') AS timeout"),
    );
    expect(rows).toEqual([{ role: 'tenantry_app', timeout: '200ms' }]);
    const slow = { model: 'Test', action: 'test', query: Prisma.sql`SELECT pg_sleep(60)::text` };
    await expect(through.select(scope, slow)).rejects.toMatchObject({ code: '57014' });
    await expect(through.write(scope, (transaction) => transaction.select(slow))).rejects.toMatchObject({
      code: '57014',
    });
    await withClient(database.url, async (holder) => {
      await holder.query('BEGIN');
      await holder.query('LOCK TABLE bank_accounts IN ACCESS EXCLUSIVE MODE');
      for (const count of [
        () => through.prisma(scope, (prisma) => prisma.bankAccount.count()),
        () => through.transaction(scope, (transaction) => transaction.bankAccount.count()),
      ])
        expect(knownFailure(await count().catch((error: unknown) => error))).toMatchObject({
          extensions: { code: 'TIMEOUT' },
        });
    });
    await through.close();
  });
});
