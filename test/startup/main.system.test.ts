import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { findFreePort } from '../support/free-port.ts';
import { createMainDatabase, type MainProcess, startMain } from '../support/main-process.ts';
import { adminDatabaseUrl, type TestDatabase } from '../support/postgres.ts';
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
  expect(service.output()).toMatch(/ECONNREFUSED.* It was waited for 0\.5 s \(STARTUP_TIMEOUT_MS\)\.\nCheck that/);
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

test('what takes longer than the time for a shutdown is broken off, and a second signal does so at once', async () => {
  const env = { DATABASE_URL: database.url, SHUTDOWN_DELAY_MS: '500', SHUTDOWN_TIMEOUT_MS: '1500' };
  const slow = { ...env, SHUTDOWN_DELAY_MS: '600000', SHUTDOWN_TIMEOUT_MS: '700000' };
  const [bounded, told] = await Promise.all([startMain(env), startMain(slow)]);
  await Promise.all([bounded.untilReady(), told.untilReady()]);
  const half = await holdHalfARequest(bounded.url);
  bounded.signal('SIGTERM');
  expect(await bounded.ended).toEqual({ code: 1, signal: null });
  expect(bounded.output()).toContain('not done within 1.5 s (SHUTDOWN_TIMEOUT_MS)');
  half();
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
