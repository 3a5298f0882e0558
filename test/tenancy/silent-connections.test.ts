import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { knownFailure } from '../../src/tenancy/known-failure.ts';
import { asSearch } from '../../src/tenancy/sql-statement.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const { sql } = Prisma;
const SCOPE = TenantScope.ofOperatorCommand('0190c5a0-0000-7000-8000-000000000001');
const SILENCE_MS = 300;

let server: TestDatabase;
let proxy: TcpProxy;
const opened: TenantDatabase[] = [];

beforeAll(async () => {
  server = await createTestDatabase();
  const { port } = new URL(server.url);
  proxy = await startTcpProxy(Number(port));
});
afterEach(async () => {
  proxy.letAnswersThrough();
  for (const database of opened.splice(0)) await database.close();
});
afterAll(async () => {
  await proxy.close();
  await server.drop();
});

/** Reached by the proxy, with one connection. */
function open(): TenantDatabase {
  const url = new URL(server.url);
  url.port = String(proxy.port);
  const options = { url: url.href, poolSize: 1, statementTimeoutMs: 60_000, takeServiceRole: true };
  const database = new TenantDatabase({ ...options, silenceMs: SILENCE_MS });
  opened.push(database);
  return database;
}

const ONE = { model: 'Test', action: 'one', query: sql`SELECT 1 AS one` };
const read = (database: TenantDatabase) => database.select(SCOPE, ONE);

/** On the connection there is, which the next one does not get. */
const WAITING = [
  ['a statement', read],
  [
    'a search',
    (database: TenantDatabase) => database.select(SCOPE, { ...ONE, ...asSearch({ rows: 1, timeoutMs: 50_000 }) }),
  ],
  ['a transaction', (database: TenantDatabase) => database.write(SCOPE, (transaction) => transaction.select(ONE))],
  ['a snapshot', (database: TenantDatabase) => database.snapshot(SCOPE, (within) => database.select(within, ONE))],
  ['Prisma', (database: TenantDatabase) => database.prisma(SCOPE, (prisma) => prisma.tenant.count())],
  [
    'a transaction of Prisma',
    (database: TenantDatabase) => database.transaction(SCOPE, (prisma) => prisma.tenant.count()),
  ],
] as const;

test.each(WAITING)('%s gives its place back when PostgreSQL says nothing any more', async (_what, wait) => {
  const database = open();
  await read(database);
  proxy.holdAnswers();
  const error = await wait(database).then(
    () => expect.fail('no answer came through'),
    (thrown: unknown) => thrown,
  );
  expect(knownFailure(error)?.extensions.code).toBe('SERVICE_UNAVAILABLE');
  expect(await read(database)).toEqual([{ one: 1 }]);
});

test('a connection that nobody uses may be silent', async () => {
  const database = open();
  const backend = { model: 'Test', action: 'backend', query: sql`SELECT pg_backend_pid() AS pid` };
  const before = await database.select(SCOPE, backend);
  // Longer than that: PostgreSQL itself waits, on another connection.
  const other = new TenantDatabase({ url: server.url, poolSize: 1, statementTimeoutMs: 60_000, takeServiceRole: true });
  opened.push(other);
  await other.select(SCOPE, { ...ONE, query: sql`SELECT pg_sleep(${(2 * SILENCE_MS) / 1000}) IS NULL AS slept` });
  expect(await database.select(SCOPE, backend)).toEqual(before);
});
