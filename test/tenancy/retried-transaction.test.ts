import { afterAll, beforeAll, expect, test } from 'vitest';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { retriedTransaction } from '../../src/tenancy/retried-transaction.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import type { TenantTransaction } from '../../src/tenancy/tenant-transaction.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';

const scope = TenantScope.ofOperatorCommand('0190c5a0-0000-7000-8000-000000000001');

let server: TestDatabase;
let database: TenantDatabase;

beforeAll(async () => {
  server = await createTestDatabase();
  await withClient(server.url, (client) =>
    client.query(`CREATE FUNCTION fail_with(state text) RETURNS integer LANGUAGE plpgsql AS
      $$ BEGIN RAISE 'failed' USING ERRCODE = state; END $$`),
  );
  database = new TenantDatabase({ url: server.url, poolSize: 1, statementTimeoutMs: 10_000, takeServiceRole: true });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

/** Work that fails with an SQLSTATE a number of times, and then gives how often it was begun. */
function failing(state: string, failures: number) {
  let begun = 0;
  return async (transaction: TenantTransaction) => {
    begun++;
    if (begun <= failures)
      await transaction.select({ model: 'X', action: 'test', query: Prisma.sql`SELECT fail_with(${state})` });
    return begun;
  };
}

test.each(['40001', '40P01'])('runs the transaction again after SQLSTATE %s', async (state) => {
  expect(await retriedTransaction(database, scope, failing(state, 4))).toBe(5);
});

test('gives up after the fifth attempt, and says that the same may be tried later', async () => {
  await expect(retriedTransaction(database, scope, failing('40P01', 5))).rejects.toMatchObject({
    message: 'Too many others are changing the same accounts; nothing was changed, try again shortly.',
    extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503 } },
  });
});

test('does not run it again after any other failure, and passes it on', async () => {
  const work = failing('22012', 1);
  await expect(retriedTransaction(database, scope, work)).rejects.toMatchObject({ code: '22012' });
  expect(await retriedTransaction(database, scope, work)).toBe(2);
});

test('passes on what the work itself throws', async () => {
  const thrown = new Error('by the work');
  await expect(retriedTransaction(database, scope, () => Promise.reject(thrown))).rejects.toBe(thrown);
});
