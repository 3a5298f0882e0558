import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { createTokenIssuer } from '../../src/auth/token-issuer.ts';
import { type Balancer, startBalancer } from '../support/balancer.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { findFreePort } from '../support/free-port.ts';
import { createMainDatabase, MAIN_SECRET, type MainProcess, startMain } from '../support/main-process.ts';
import type { TestDatabase } from '../support/postgres.ts';

/**
 * RESTART_REQUESTS=100000 npx vitest run test/startup/rolling-restart.system.test.ts tries it at
 * length.
 */
const REQUESTS = Number(process.env.RESTART_REQUESTS ?? 2_000);
const CLIENTS = 8;
const TIMEOUT_MS = 120_000 + REQUESTS * 60;

let database: TestDatabase;
let token: string;
beforeAll(async () => {
  database = await createMainDatabase();
  const tenantId = await insertTenant(database.url, { slug: 'acme' });
  await insertAccounts(database.url, tenantId, [{ accountNumber: '1' }, { accountNumber: '2' }]);
  const auth = { secret: MAIN_SECRET, jwksUrl: undefined, issuer: undefined, audience: undefined };
  const holder = { subject: 'anna', role: Role.VIEWER, tenantId, lifetimeSeconds: 36_000 };
  token = await createTokenIssuer(auth, false).issue(holder);
});
afterAll(() => database.drop());

describe.each([
  ['keeps connections', true],
  ['opens a connection for each request', false],
])('behind a balancer that %s', (_way, keepAlive) => {
  const services: MainProcess[] = [];
  let balancer: Balancer;
  beforeAll(async () => {
    services.push(...(await Promise.all([start(), start()])));
    await Promise.all(services.map((service) => service.untilReady()));
    balancer = await startBalancer(
      services.map(({ url }) => url),
      keepAlive,
    );
  }, TIMEOUT_MS);
  afterAll(async () => {
    for (const service of services) service.signal('SIGKILL');
    await Promise.all([balancer.close(), ...services.map(({ ended }) => ended)]);
  });

  async function start(port?: string): Promise<MainProcess> {
    const env = { DATABASE_URL: database.url, SHUTDOWN_DELAY_MS: '1000', LOG_LEVEL: 'error' };
    return startMain({ ...env, PORT: port ?? String(await findFreePort()) });
  }

  /**
   * One after the other, as an orchestrator does: the next is stopped when the one before it serves
   * again.
   */
  async function restartEach(): Promise<void> {
    for (const [index, service] of services.entries()) {
      service.signal('SIGTERM');
      expect(await service.ended).toEqual({ code: 0, signal: null });
      await expect.poll(() => balancer.readyOnes()).toHaveLength(1);
      const next = await start(new URL(service.url).port);
      services[index] = next;
      await next.untilReady();
      await expect.poll(() => balancer.readyOnes()).toHaveLength(2);
    }
  }

  test('no request is lost while each of two processes is restarted', { timeout: TIMEOUT_MS }, async () => {
    await expect.poll(() => balancer.readyOnes()).toHaveLength(2);
    const agent = new Agent({ keepAlive: true });
    const failures: string[] = [];
    let answered = 0;
    let isRestarting = true;
    const ask = async () => {
      // Every tenth is another query, which the cache does not know.
      const query = answered++ % 10 ? '{ tenant { slug } }' : `{ a${answered}: accounts(first: 2) { nodes { id } } }`;
      const failure = await post(`${balancer.url}/graphql`, agent, token, query);
      if (failure) failures.push(failure);
    };
    const clients = Array.from({ length: CLIENTS }, async () => {
      while (isRestarting || answered < REQUESTS) await ask();
    });
    try {
      do await restartEach();
      while (answered < REQUESTS);
    } finally {
      isRestarting = false;
      await Promise.all(clients);
      agent.destroy();
    }
    expect({ failures: failures.length, first: failures[0] }).toEqual({ failures: 0, first: undefined });
    expect(answered).toBeGreaterThanOrEqual(REQUESTS);
    if (REQUESTS > 10_000) console.info(`${answered} requests, none lost`);
    for (const said of balancer.said.values()) expect([...said]).toEqual(['200 ok', '503 stopping']);
  });
});

/** @returns what went wrong; undefined when it was answered */
async function post(url: string, agent: Agent, bearer: string, query: string): Promise<string | undefined> {
  const body = JSON.stringify({ query });
  const headers = {
    authorization: `Bearer ${bearer}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  try {
    const asked = request(url, { method: 'POST', agent, headers }).end(body);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const answer = await text(response);
    return response.statusCode === 200 && !answer.includes('"errors"') ? undefined : `${response.statusCode} ${answer}`;
  } catch (error) {
    return (error as Error).message;
  }
}
