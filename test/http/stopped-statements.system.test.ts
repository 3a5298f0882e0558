import { request } from 'node:http';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { withClient } from '../support/postgres.ts';
import { startService, type TestService } from '../support/service.ts';
import { until } from '../support/until.ts';

/** What is not held up ends long before, on a busy machine too. */
const TIMEOUT_MS = '1000';
const ACCOUNTS = '{ accounts { nodes { id } } }';

const ACCOUNT = { bankName: 'Last Bank', accountNumber: '2', accountType: 'CHECKING', currency: 'EUR' };
const CREATE =
  'mutation ($input: CreateAccountInput!) { createAccount(input: $input) { account { id } userErrors { code } } }';
/** As many as are worked on at once with one connection. */
const WORKED_ON = Array.from({ length: 16 }, (_, index) => index);

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

/** A service with one tenant and one account, and a transaction beside it that holds a table. */
async function serviceAndLock(env: Readonly<Record<string, string>>) {
  const service = await startService({ env: { DATABASE_POOL_SIZE: '1', ...env } });
  opened.push(service);
  const tenantId = await insertTenant(service.databaseUrl, { slug: 'north' });
  await insertAccounts(service.databaseUrl, tenantId, [{ accountNumber: '1' }]);
  const token = await service.token(Role.ADMIN, 'north');
  await service.send(token, '{ tenant { id } }');
  const holder = new pg.Client(service.databaseUrl);
  await holder.connect();
  opened.push({ close: () => holder.end() });
  const lock = async (tables = 'bank_accounts') => {
    await holder.query('BEGIN');
    await holder.query(`LOCK TABLE ${tables} IN ACCESS EXCLUSIVE MODE`);
  };
  return { service, token, lock, unlock: () => holder.query('ROLLBACK') };
}

/** What the service's connections do at this moment. */
async function activities({ databaseUrl }: TestService) {
  const { rows } = await withClient(databaseUrl, (client) =>
    client.query<{ pid: number; waits: boolean }>(
      `SELECT pid, coalesce(wait_event_type = 'Lock', false) AS waits FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'tenantry' ORDER BY pid`,
    ),
  );
  return rows;
}

/** Resolves when so many of its connections wait for a lock. */
async function untilLocked(service: TestService, waiting: number): Promise<void> {
  await until(async () => (await activities(service)).filter(({ waits }) => waits).length === waiting);
}

/** Resolves when so many requests wait to be worked on. */
async function untilWaiting(service: TestService, count: number): Promise<void> {
  await until(async () => (await metric(service, 'tenantry_request_queue_length')) === count);
}

async function metric({ url }: TestService, name: string): Promise<number> {
  const line = (await (await fetch(`${url}/metrics`)).text()).split('\n').find((each) => each.startsWith(`${name} `));
  if (!line) throw new Error(`there is no metric ${name}`);
  return Number(line.slice(name.length));
}

/** A request whose client goes away when told to. */
function sendAndLeave({ url }: TestService, token: string, query: string, variables?: object) {
  const sent = request(`${url}/graphql`, {
    method: 'POST',
    // What fetch accepts, too: only then are two requests the same to the cache.
    headers: { accept: '*/*', 'content-type': 'application/json', authorization: `Bearer ${token}` },
  });
  sent.on('error', () => {}); // it is cut off
  sent.end(JSON.stringify({ query, variables }));
  return { leave: () => sent.destroy() };
}

describe('a statement that runs past its timeout', () => {
  test.each(['jit', 'graphql-js'])('is answered with TIMEOUT, and its connection goes on (%s)', async (executor) => {
    const { service, token, lock, unlock } = await serviceAndLock({
      ...{ STATEMENT_TIMEOUT_MS: TIMEOUT_MS, CACHE: 'off', EXECUTOR: executor },
    });
    for (let use = 0; use < 3; use++) await service.send(token, ACCOUNTS);
    const [connection] = await activities(service);
    await lock();
    const { status, data, errors } = await service.send(token, ACCOUNTS);
    expect({ status, data }).toEqual({ status: 200, data: null });
    expect(errors).toEqual([
      {
        message: 'The answer took too long and was stopped; ask for less, or again later.',
        path: ['accounts'],
        locations: [{ line: 1, column: 3 }],
        extensions: { code: 'TIMEOUT' },
      },
    ]);
    await unlock();
    expect((await service.send(token, ACCOUNTS)).data.accounts.nodes).toHaveLength(1);
    expect(await activities(service)).toEqual([connection]);
  });

  test('costs only its own field', async () => {
    const { service, token, lock } = await serviceAndLock({ STATEMENT_TIMEOUT_MS: TIMEOUT_MS, CACHE: 'off' });
    await lock();
    const { data, errors } = await service.send(
      token,
      '{ tenant { slug } accountByNumber(accountNumber: "1") { id } }',
    );
    expect(data).toEqual({ tenant: { slug: 'north' }, accountByNumber: null });
    expect(errors).toMatchObject([{ path: ['accountByNumber'], extensions: { code: 'TIMEOUT' } }]);
  });
});

describe('when the client goes away', () => {
  test('its statement is stopped, and the connection serves others', async () => {
    const { service, token, lock, unlock } = await serviceAndLock({ CACHE: 'off' });
    const before = await activities(service);
    await lock();
    const client = sendAndLeave(service, token, ACCOUNTS);
    await untilLocked(service, 1);
    client.leave();
    await untilLocked(service, 0);
    // The lock is still held: what is answered now got the one connection that the pool has.
    expect((await service.send(token, '{ tenant { slug } }')).data).toEqual({ tenant: { slug: 'north' } });
    await unlock();
    expect((await service.send(token, ACCOUNTS)).data.accounts.nodes).toHaveLength(1);
    expect(await activities(service)).toEqual(before);
  });

  test.each(['tenants { slug }', 'indexes { index }', 'tables { model }'])(
    'what an operator reads of all tenants is stopped, too: %s',
    async (field) => {
      const { service, lock } = await serviceAndLock({ CACHE: 'off' });
      const operator = await service.token(Role.OPERATOR);
      const query = `{ performance { ${field} } }`;
      expect((await service.send(operator, query)).errors).toBeUndefined();
      await lock('bank_accounts, tenant_usage');
      const client = sendAndLeave(service, operator, query);
      await untilLocked(service, 1);
      client.leave();
      await untilLocked(service, 0); // the lock is still held
      expect((await service.send(operator, '{ performance { cache { namespace } } }')).status).toBe(200);
    },
  );

  test('what it would have sent yet is not sent', async () => {
    const { service, token, lock, unlock } = await serviceAndLock({ CACHE: 'off' });
    await lock();
    service.statements.splice(0);
    const clients = [1, 2, 3].map(() => sendAndLeave(service, token, ACCOUNTS));
    await untilLocked(service, 1);
    for (const client of clients) client.leave();
    await untilLocked(service, 0);
    await unlock();
    await service.send(token, '{ tenant { slug } }');
    const sent = service.statements.map(({ model, failed }) => [model, failed]);
    expect(sent.filter(([model]) => model === 'BankAccount').length).toBeLessThan(3);
    expect(sent.at(-1)).toEqual(['Tenant', false]);
  });

  test('a load that others wait for goes on', async () => {
    const { service, token, lock, unlock } = await serviceAndLock({ CACHE: 'on', DATABASE_POOL_SIZE: '3' });
    await lock();
    service.statements.splice(0);
    const client = sendAndLeave(service, token, ACCOUNTS);
    await untilLocked(service, 1);
    const joined = service.send(token, ACCOUNTS);
    // Its request is read ahead of this one's answer.
    await service.send(token, '{ tenant { slug } }');
    client.leave();
    await service.send(token, '{ tenant { name } }');
    await unlock();
    expect((await joined).data.accounts.nodes).toHaveLength(1);
    const loads = service.statements.filter(({ action }) => action === 'page');
    expect(loads.map(({ failed }) => failed)).toEqual([false]);
  });

  test('nothing is done for what still waits for its turn, mutations included', async () => {
    const { service, token, lock, unlock } = await serviceAndLock({ CACHE: 'off' });
    await lock();
    const working = WORKED_ON.map(() => service.send(token, ACCOUNTS));
    await untilLocked(service, 1);
    await untilWaiting(service, 0);
    service.statements.splice(0);
    const clients = [
      sendAndLeave(service, token, '{ tenant { name } }'),
      sendAndLeave(service, token, CREATE, { input: ACCOUNT }),
    ];
    await untilWaiting(service, 2);
    for (const client of clients) client.leave();
    await untilWaiting(service, 0); // the lock is still held: nobody's turn has come
    await unlock();
    for (const { data } of await Promise.all(working)) expect(data.accounts.nodes).toHaveLength(1);
    const find = '{ accountByNumber(accountNumber: "2") { id } }';
    expect((await service.send(token, find)).data).toEqual({ accountByNumber: null });
    expect(new Set(service.statements.map(({ action }) => action))).toEqual(new Set(['page', 'findFirst']));
    expect(await metric(service, 'tenantry_request_refusals_total{reason="time"}')).toBe(0);
  });

  test('a load that others wait for keeps its place among those that wait for their turn', async () => {
    const { service, token, lock, unlock } = await serviceAndLock({ CACHE: 'on' });
    await lock();
    const working = WORKED_ON.map((n) => service.send(token, `{ accounts { nodes { a${n}: id } } }`));
    await untilLocked(service, 1);
    const client = sendAndLeave(service, token, ACCOUNTS);
    await untilWaiting(service, 1);
    const joined = service.send(token, ACCOUNTS);
    await metric(service, 'tenantry_request_queue_length'); // its request is read ahead of this one's answer
    client.leave();
    await metric(service, 'tenantry_request_queue_length'); // it is heard of ahead of this one
    await unlock();
    expect((await joined).headers.get('cache-status')).toContain('; collapsed;');
    await Promise.all(working);
  });

  test('a mutation that has begun is carried out', async () => {
    const { service, token, lock, unlock } = await serviceAndLock({ CACHE: 'off' });
    await lock();
    const client = sendAndLeave(service, token, CREATE, { input: ACCOUNT });
    await untilLocked(service, 1);
    client.leave();
    await unlock();
    await untilLocked(service, 0);
    const find = '{ accountByNumber(accountNumber: "2") { bankName } }';
    expect((await service.send(token, find)).data).toEqual({ accountByNumber: { bankName: 'Last Bank' } });
  });
});
