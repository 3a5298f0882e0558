import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import pino from 'pino';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { serve } from '../../src/startup/serve.ts';
import { findFreePort } from '../support/free-port.ts';
import { createMainDatabase, MAIN_SECRET } from '../support/main-process.ts';
import { adminDatabaseUrl, type TestDatabase, withClient } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createMainDatabase();
  return () => database.drop();
});

async function start(metricsPort: number) {
  const settings = { AUTH_SECRET: MAIN_SECRET, DATABASE_URL: database.url, HOST: '127.0.0.1' };
  const ports = { PORT: String(await findFreePort()), METRICS_PORT: String(metricsPort) };
  return serve(readConfig({ ...settings, ...ports }), pino({ level: 'silent' }), () => {});
}

const statusOf = async (url: string, init?: RequestInit) => (await fetch(url, init)).status;

test('metrics that have a port of their own are there alone, and nothing else is', async () => {
  const port = await findFreePort();
  const service = await start(port);
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= service.close());
  onTestFinished(close);
  const inside = `http://127.0.0.1:${port}`;
  expect(service.banner).toMatch(new RegExp(`^ {2}watch .* ${service.url}/health/ready {2}${inside}/metrics$`, 'm'));
  const shown = await fetch(`${inside}/metrics`);
  expect(shown.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(await shown.text()).toContain('\ntenantry_database_up 1\n');
  expect(await statusOf(`${inside}/metrics?name=tenantry_database_up`)).toBe(200);
  expect(await statusOf(`${inside}/metrics/x`)).toBe(404);
  expect(await statusOf(`${service.url}/metrics`)).toBe(404);
  expect(await statusOf(`${service.url}/health/ready`)).toBe(200);
  expect(await statusOf(`${inside}/health/ready`)).toBe(404);
  expect(await statusOf(`${inside}/graphql`, { method: 'POST' })).toBe(404);
  expect(await statusOf(`${inside}/metrics`, { method: 'POST' })).toBe(405);
  await close();
  await expect(fetch(`${inside}/metrics`)).rejects.toThrow();
});

test('a port for metrics that is taken is told with its setting, and all that was opened is closed', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  await expect(start(port)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: `Port ${port} on 127.0.0.1 (METRICS_PORT) is taken by another program.`,
    remedy: `Stop that program, or choose another port: METRICS_PORT=${port + 1} npm start`,
  });
  other.close();
  const connections = () =>
    withClient(adminDatabaseUrl(), async (client) => {
      const { rows } = await client.query('SELECT FROM pg_stat_activity WHERE datname = $1', [database.name]);
      return rows.length;
    });
  await expect.poll(connections).toBe(0);
});
