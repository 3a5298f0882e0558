import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { createTokenIssuer } from '../../src/auth/token-issuer.ts';
import { insertTenant } from '../support/fixtures.ts';
import { findFreePort } from '../support/free-port.ts';
import { createMainDatabase, MAIN_SECRET, type MainProcess, startMain } from '../support/main-process.ts';
import { adminDatabaseUrl, type TestDatabase, withClient } from '../support/postgres.ts';
import { describeWithOwnRedis, startRedis } from '../support/redis.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

let database: TestDatabase;
let service: MainProcess | undefined;
beforeAll(async () => {
  database = await createMainDatabase();
  return () => database.drop();
});
afterEach(async () => {
  service?.signal('SIGKILL');
  await service?.ended;
});

/** The test database, by another port. */
function by(port: number): string {
  const url = new URL(database.url);
  url.port = String(port);
  return url.href;
}

test('a database that comes later is waited for, and the wait is told with its reason and its setting', async () => {
  const proxy = await startTcpProxy(Number(new URL(database.url).port));
  proxy.cut();
  service = await startMain({ DATABASE_URL: by(proxy.port), STARTUP_TIMEOUT_MS: '60000' });
  const { output } = service;
  await expect
    .poll(output)
    .toMatch(/waiting for PostgreSQL, 60 s more \(STARTUP_TIMEOUT_MS\): The database \S+ at 127/);
  proxy.mend();
  await service.untilReady();
  service.signal('SIGTERM');
  expect(await service.ended).toEqual({ code: 0, signal: null });
  await proxy.close();
});

test('a database that does not come is given up after the time, and a signal ends the wait at once', async () => {
  const port = await findFreePort();
  service = await startMain({ DATABASE_URL: by(port), STARTUP_TIMEOUT_MS: '500' });
  expect(await service.ended).toEqual({ code: 1, signal: null });
  expect(service.output()).toMatch(
    /ECONNREFUSED 127\.0\.0\.1:\d+\. It was waited for 0\.5 s \(STARTUP_TIMEOUT_MS\)\.\nCheck that/,
  );
  service = await startMain({ DATABASE_URL: by(port), STARTUP_TIMEOUT_MS: '600000' });
  await expect.poll(service.output).toContain('waiting for PostgreSQL');
  service.signal('SIGTERM');
  expect(await service.ended).toEqual({ code: 143, signal: null });
});

test.each([
  ['password', () => database.url.replace(/:[^:@]+@/, ':wrong@'), 'password authentication failed'],
  ['database', () => new URL('/tenantry_test_nowhere', adminDatabaseUrl()).href, 'does not exist'],
])('a wrong %s is told at once: no wait puts it right', async (_what, url, told) => {
  service = await startMain({ DATABASE_URL: url(), STARTUP_TIMEOUT_MS: '600000' });
  expect(await service.ended).toEqual({ code: 1, signal: null });
  expect(service.output()).toContain(told);
  expect(service.output()).not.toContain('waiting');
});

const REFUSED = 'mutation { invalidateCache(input: {}) { namespaces } }';

/** A caller of a new tenant. */
async function addViewer(): Promise<(query: string) => Promise<Response>> {
  const tenantId = await insertTenant(database.url, { slug: randomUUID() });
  const auth = { secret: MAIN_SECRET, jwksUrl: undefined, issuer: undefined, audience: undefined };
  const holder = { subject: tenantId, role: Role.VIEWER, tenantId, lifetimeSeconds: 3_600 };
  const authorization = `Bearer ${await createTokenIssuer(auth, false).issue(holder)}`;
  const headers = { authorization, 'content-type': 'application/json', connection: 'close' };
  return (query) => fetch(`${service?.url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
}

/** Refusals that share a line within a minute: they wait in the process for that long. */
async function linesOfRefusals(): Promise<unknown[]> {
  const query = "SELECT outcome, codes, times FROM audit_log WHERE action = 'invalidateCache'";
  const { rows } = await withClient(database.url, (client) =>
    client.query(`WITH gone AS (DELETE FROM audit_log) ${query}`),
  );
  return rows;
}

test('half a request does not hold up a shutdown, and what waits to be recorded is written', async () => {
  service = await startMain({ DATABASE_URL: database.url, HTTP_REQUEST_TIMEOUT_MS: '500', EXPLORER: 'off' });
  await service.untilReady();
  const ask = await addViewer();
  await ask(REFUSED);
  await ask(REFUSED);
  const half = await holdHalfARequest(service.url);
  service.signal('SIGTERM');
  expect(await service.ended).toEqual({ code: 0, signal: null });
  half();
  expect(await linesOfRefusals()).toEqual([{ outcome: 'FAILED', codes: ['FORBIDDEN'], times: 2 }]);
});

test('what takes longer than the time for a shutdown is broken off, and what waits to be recorded is written', async () => {
  const env = { SHUTDOWN_DELAY_MS: '500', SHUTDOWN_TIMEOUT_MS: '1500', EXPLORER: 'off' };
  service = await startMain({ DATABASE_URL: database.url, ...env });
  const { untilReady, signal, ended, output } = service;
  await untilReady();
  const ask = await addViewer();
  await ask(REFUSED);
  await withClient(database.url, async (holder) => {
    await holder.query('BEGIN; LOCK TABLE bank_accounts IN ACCESS EXCLUSIVE MODE');
    const slow = expect(ask('{ accounts(first: 1) { nodes { id } } }')).rejects.toThrow();
    const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
    await expect.poll(async () => (await holder.query(waiting)).rowCount).toBe(1);
    signal('SIGTERM');
    expect(await ended).toEqual({ code: 1, signal: null });
    await slow;
  });
  expect(output()).toContain('not done within 1.5 s (SHUTDOWN_TIMEOUT_MS)');
  expect(await linesOfRefusals()).toEqual([{ outcome: 'FAILED', codes: ['FORBIDDEN'], times: 1 }]);
});

test('a second signal ends at once', async () => {
  const slow = { SHUTDOWN_DELAY_MS: '600000', SHUTDOWN_TIMEOUT_MS: '700000' };
  const told = await startMain({ DATABASE_URL: database.url, ...slow });
  service = told;
  await told.untilReady();
  told.signal('SIGTERM');
  await expect.poll(told.output).toContain('SIGTERM: serving for 600 s more');
  let isEnded = false;
  told.ended.then(() => {
    isEnded = true;
  });
  await expect
    .poll(() => {
      told.signal('SIGINT');
      return isEnded;
    })
    .toBe(true);
  expect(await told.ended).toEqual({ code: 130, signal: null });
});

describeWithOwnRedis('a Redis that comes later', () => {
  test('does not hold up the start, and is used when it is there', async () => {
    const port = await findFreePort();
    service = await startMain({ DATABASE_URL: database.url, REDIS_URL: `redis://127.0.0.1:${port}` });
    await service.untilReady();
    const { url } = service;
    const readiness = async () => (await (await fetch(`${url}/health/ready`)).json()) as object;
    expect(await readiness()).toMatchObject({ status: 'ok', checks: { redis: 'down' } });
    const redis = await startRedis({ port });
    await expect.poll(readiness).toMatchObject({ status: 'ok', checks: { redis: 'up' } });
    const trusted = async () =>
      /^tenantry_cache_trusted (\d)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1];
    await expect.poll(trusted).toBe('1');
    await redis.stop();
  });
});

/** Sends the head of a request, and not its body. @returns ends the connection */
async function holdHalfARequest(url: string): Promise<() => void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => {});
  socket.write('POST /graphql HTTP/1.1\r\nhost: test\r\ncontent-length: 9\r\n\r\n');
  return () => socket.destroy();
}
