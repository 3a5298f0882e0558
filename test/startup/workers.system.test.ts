import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { createTokenIssuer } from '../../src/auth/token-issuer.ts';
import { isProcessAlive } from '../../src/embedded/process-identity.mjs';
import { insertTenant } from '../support/fixtures.ts';
import { findFreePort } from '../support/free-port.ts';
import { createMainDatabase, MAIN_SECRET, type MainProcess, startMain } from '../support/main-process.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const HEADERS = { 'content-type': 'application/json', connection: 'close' };

describeWithOwnRedis('two workers', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let service: MainProcess;
  let metricsPort: string;
  beforeAll(async () => {
    [database, redis] = await Promise.all([createMainDatabase(), startRedis()]);
    metricsPort = String(await findFreePort());
    const env = { DATABASE_URL: database.url, REDIS_URL: redis.url, METRICS_PORT: metricsPort };
    service = await startMain({ ...env, WORKERS: '2', EXPLORER: 'off' });
    await service.untilReady();
  });
  afterAll(async () => {
    service.signal('SIGKILL');
    await service.ended;
    await redis.stop();
    await database.drop();
  });

  const workerPids = () => childrenOf(service.pid);

  async function metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { headers: { connection: 'close' } })).text();
  }

  async function figure(name: string): Promise<number> {
    return Number(new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (\\S+)$`, 'm').exec(await metrics())?.[1]);
  }

  function servingWorkers(): Promise<number> {
    return figure('tenantry_workers');
  }

  /** Each over a connection of its own, so that they go to both. @returns how many failed */
  async function refusedRequests(count: number): Promise<number> {
    const asked = Array.from({ length: count }, () =>
      fetch(`${service.url}/graphql`, {
        method: 'POST',
        headers: HEADERS,
        body: '{"query":"{ tenant { slug } }"}',
      }).then(
        ({ status }) => status === 401,
        () => false,
      ),
    );
    return (await Promise.all(asked)).filter((isRefused) => !isRefused).length;
  }

  const refusals = () => figure('tenantry_errors_total{status="401",code="UNAUTHENTICATED"}');

  test('show their figures added up, also those of one that died', async () => {
    await expect.poll(servingWorkers).toBe(2);
    expect(await refusedRequests(20)).toBe(0);
    expect(await refusals()).toBe(20);
    expect(await figure('tenantry_cache_relay')).toBe(1);
    expect((await fetch(`${service.url}/metrics`)).status).toBe(404);
    const [victim = 0, other] = workerPids();
    process.kill(victim, 'SIGKILL');
    await expect.poll(workerPids).not.toContain(victim);
    // Nothing is lost but what the one that died had in hand: it had nothing.
    expect(await refusedRequests(20)).toBe(0);
    expect(await refusals()).toBe(40);
    await expect.poll(servingWorkers).toBe(2);
    expect(workerPids()).toContain(other);
    expect(await refusedRequests(20)).toBe(0);
    expect(await refusals()).toBe(60);
    await expect.poll(() => figure('tenantry_cache_relay')).toBe(1);
  });

  test('rank and name tenants by what all of them did', async () => {
    const auth = { secret: MAIN_SECRET, jwksUrl: undefined, issuer: undefined, audience: undefined };
    const send = async (slug: string, times: number) => {
      const tenantId = await insertTenant(database.url, { slug });
      const holder = { subject: 'anna', role: Role.VIEWER, tenantId, lifetimeSeconds: 3_600 };
      const token = await createTokenIssuer(auth, false).issue(holder);
      const headers = { ...HEADERS, authorization: `Bearer ${token}` };
      // No two documents are the same: each is answered, and priced, anew.
      const bodies = Array.from({ length: times }, (_, i) => `{"query":"{ t${i}: tenant { slug } }"}`);
      await Promise.all(bodies.map((body) => fetch(`${service.url}/graphql`, { method: 'POST', headers, body })));
    };
    await send('few', 4);
    await send('many', 20);
    const ranked = [...(await metrics()).matchAll(/^tenantry_tenant_requests_total\{tenant="(\w+)"\} (\d+)$/gm)];
    expect(ranked.map(([, slug, requests]) => [slug, Number(requests)])).toEqual([
      ['many', 20],
      ['few', 4],
    ]);
  });

  test('end with a signal, all of them, and leave nothing', async () => {
    const pids = workerPids();
    service.signal('SIGTERM');
    expect(await service.ended).toEqual({ code: 0, signal: null });
    expect(pids.filter(isProcessAlive)).toEqual([]);
    expect(service.output().match(/Tenantry serves GraphQL/g)).toHaveLength(1);
    expect(service.output().match(/The service may open \d+ connections/g)).toEqual([
      'The service may open 26 connections',
    ]);
  });
});

test('workers do not outlive the process that started them', async () => {
  const database = await createMainDatabase();
  const service = await startMain({ DATABASE_URL: database.url, WORKERS: '2' });
  await service.untilReady();
  expect(service.output()).toContain('off: workers share one only through REDIS_URL');
  const pids = childrenOf(service.pid);
  service.signal('SIGKILL');
  await service.ended;
  await expect.poll(() => pids.filter(isProcessAlive)).toEqual([]);
  await database.drop();
});

test('a worker that waits for its database hears at once that it is to stop', async () => {
  const database = await createMainDatabase();
  const proxy = await startTcpProxy(Number(new URL(database.url).port));
  const url = new URL(database.url);
  url.port = String(proxy.port);
  // Beyond the time of the test: it would not end before.
  const env = { STARTUP_TIMEOUT_MS: '3600000', SHUTDOWN_TIMEOUT_MS: '3600000' };
  const service = await startMain({ DATABASE_URL: url.href, WORKERS: '2', ...env });
  try {
    await service.untilReady();
    await expect.poll(() => childrenOf(service.pid).length).toBe(2);
    const [victim = 0, other] = childrenOf(service.pid);
    proxy.cut();
    process.kill(victim, 'SIGKILL');
    await expect
      .poll(() => childrenOf(service.pid).filter((pid) => pid !== victim).length, { timeout: 30_000 })
      .toBe(2);
    expect(childrenOf(service.pid)).toContain(other);
    service.signal('SIGTERM');
    expect(await service.ended).toEqual({ code: 0, signal: null });
  } finally {
    service.signal('SIGKILL');
    await service.ended;
    await proxy.close();
    await database.drop();
  }
});

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

test('workers that cannot start say why once, and the service ends', async () => {
  const database = await createMainDatabase();
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const service = await startMain({ DATABASE_URL: database.url, WORKERS: '2', PORT: String(port) });
  expect(await service.ended).toEqual({ code: 1, signal: null });
  expect(service.output().match(/^Port \d+ on 127\.0\.0\.1 is taken by another program\.$/gm)).toHaveLength(1);
  const metered = await startMain({ DATABASE_URL: database.url, WORKERS: '2', METRICS_PORT: String(port) });
  expect(await metered.ended).toEqual({ code: 1, signal: null });
  expect(metered.output()).toMatch(/^Port \d+ on 127\.0\.0\.1 \(METRICS_PORT\) is taken by another program\.$/m);
  other.close();
  await database.drop();
}, 120_000);
