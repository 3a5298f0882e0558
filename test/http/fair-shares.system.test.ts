import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, withClient } from '../support/postgres.ts';
import { type GraphqlAnswer, type ServiceOptions, startService, type TestService } from '../support/service.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const DASHBOARD = '{ dashboard { overview { totalAccounts } } }';
/** As many as a document may have of the dearest field: nothing is kept ready for it. */
const DEAREST = `{ ${Array.from(
  { length: 30 },
  (_, index) => `a${index}: transactions(first: 1, filter: { minAmount: "${index + 1}" }) { totalCount }`,
).join(' ')} }`;

const SOCKETS = 64;
const DASHBOARDS = 30;

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

async function start(options: ServiceOptions) {
  const service = await startService({ checksHealth: true, ...options, env: { CACHE: 'off', ...options.env } });
  opened.push(service);
  const ids: string[] = [];
  for (const slug of ['flood', 'other']) {
    const tenantId = await insertTenant(service.databaseUrl, { slug });
    ids.push(...(await insertAccounts(service.databaseUrl, tenantId, [{ accountNumber: `of ${slug}` }])));
  }
  const [flood, other] = [await service.token(Role.ADMIN, 'flood'), await service.token(Role.ADMIN, 'other')];
  for (const token of [flood, other]) await service.send(token, '{ tenant { slug } }');
  return { service, flood, other };
}

async function readiness({ url }: TestService) {
  const response = await fetch(`${url}/health/ready`);
  return { ...((await response.json()) as { checks: object; busy?: string[] }), status: response.status };
}

/** Whatever else a refusal says, it says this. */
function expectRefusal({ status, headers, data, errors }: GraphqlAnswer, message: string | RegExp): void {
  // What is refused before GraphQL has no data at all.
  expect({ status, data: data ?? null, retryAfter: headers.get('retry-after') }).toEqual({
    status: 503,
    data: null,
    retryAfter: '1',
  });
  expect(errors).toHaveLength(1);
  expect(errors?.[0]).toMatchObject({
    message: expect.stringMatching(message),
    extensions: { code: 'SERVICE_UNAVAILABLE' },
  });
}

test('a tenant that floods the service costs another one no answer, and the service stays ready', async () => {
  const { service, flood, other } = await start({
    env: { DATABASE_POOL_SIZE: '4', LIMIT_OPERATION_COST: '1000000', LIMIT_POINTS_PER_MINUTE: '2000000000' },
  });
  await withClient(service.databaseUrl, (client) =>
    client.query(
      `INSERT INTO transactions (tenant_id, account_id, booked_at, direction, amount, currency)
       SELECT tenant_id, id, timestamptz '2025-01-01' + n * interval '1 minute', 'CREDIT', 1 + n % 100, currency
       FROM bank_accounts, generate_series(1, 4000) AS n WHERE account_number = 'of flood'`,
    ),
  );
  let isOver = false;
  let answered = 0;
  const flooding = Array.from({ length: SOCKETS }, async () => {
    while (!isOver) {
      const answer = await service.send(flood, DEAREST);
      if (answer.status === 200) expect(answer.data.a0.totalCount).toBe(4_000);
      else expectRefusal(answer, /^The service is busy/);
      answered++;
    }
  });
  const flooded = Promise.all(flooding);
  flooded.catch(() => {}); // awaited below
  await expect.poll(() => answered).toBeGreaterThan(0);
  let busy = 0;
  for (let i = 0; i < DASHBOARDS; i++) {
    const { status, data } = await service.send(other, DASHBOARD);
    expect([status, data.dashboard.overview.totalAccounts]).toEqual([200, 1]);
    const ready = await readiness(service);
    expect(ready).toMatchObject({ status: 200, checks: { database: 'up', migrations: 'up', integrity: 'up' } });
    if (ready.busy) busy++;
  }
  isOver = true;
  await flooded;
  expect(busy).toBeGreaterThan(0);
  await expect.poll(() => readiness(service)).not.toHaveProperty('busy');
});

describe.each(['jit', 'graphql-js'])('at overload (%s)', (executor) => {
  /**
   * A service whose one connection is taken by a statement that waits for a table, and of which one
   * more may wait.
   */
  async function overloaded() {
    const { service, flood, other } = await start({
      env: { DATABASE_POOL_SIZE: '1', DATABASE_QUEUE_LENGTH: '1', EXECUTOR: executor },
    });
    // Executed by code from here on, where it is.
    for (let use = 0; use < 3; use++)
      await service.send(flood, '{ a: accounts { nodes { id } } b: accounts(first: 1) { nodes { id } } }');
    expect(await readiness(service)).toMatchObject({ status: 200 }); // nobody is asked before
    const holder = new pg.Client(service.databaseUrl);
    await holder.connect();
    opened.push({ close: () => holder.end() });
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE bank_accounts IN ACCESS EXCLUSIVE MODE');
    const first = service.send(flood, '{ accounts { nodes { id } } }');
    const waiting =
      "SELECT FROM pg_locks l JOIN pg_class c ON c.oid = relation WHERE relname = 'bank_accounts' AND NOT granted";
    await until(async () => (await holder.query(waiting)).rowCount !== 0);
    return { service, flood, other, first, unlock: () => holder.query('ROLLBACK') };
  }

  test('who comes too much is refused as a whole with 503, once a single field is', async () => {
    const { service, flood, other, first, unlock } = await overloaded();
    const limit = /^The service is busy: 1 wait .* no more may; try again in 1 s\.$/;
    // One of its fields waits until the other one is refused.
    const twice = '{ a: accounts { nodes { id } } b: accounts(first: 1) { nodes { id } } }';
    expectRefusal(await service.send(flood, twice), limit);
    const second = service.send(flood, '{ accounts(first: 2) { nodes { id } } }');
    await expect.poll(() => metric(service, 'tenantry_database_queue_length')).toBe(1);
    expectRefusal(await service.send(flood, '{ accounts(first: 3) { nodes { id } } }'), limit);
    expect(await readiness(service)).toMatchObject({
      status: 200,
      checks: { database: 'up', integrity: 'up' },
      busy: ['database'],
    });
    await unlock();
    expect((await second).data.accounts.nodes).toHaveLength(1);
    expect((await first).data.accounts.nodes).toHaveLength(1);
    for (const token of [flood, other]) expect((await service.send(token, DASHBOARD)).status).toBe(200);
    expect(await metric(service, 'tenantry_errors_total{status="503",code="SERVICE_UNAVAILABLE"}')).toBe(2);
    expect(await metric(service, 'tenantry_database_queue_wait_seconds_count')).toBeGreaterThan(0);
    expect(await metric(service, 'tenantry_database_queue_length')).toBe(0);
  });

  test('a tenant of which nothing waits yet takes the place of one that has the most', async () => {
    const { service, flood, other, first, unlock } = await overloaded();
    const second = service.send(flood, '{ accounts(first: 3) { nodes { id } } }');
    await expect.poll(() => metric(service, 'tenantry_database_queue_length')).toBe(1);
    const others = service.send(other, DASHBOARD);
    // While the lock is held: it gave its place away. What the service does by itself is refused, too.
    expect((await second).status).toBe(503);
    expect(await metric(service, 'tenantry_database_refusals_total{reason="length"}')).toBeGreaterThan(0);
    await unlock();
    expect((await first).status).toBe(200);
    expect((await others).status).toBe(200);
  });
});

test('requests beyond what is worked on wait before anything is done for them, and are refused so', async () => {
  const { service, flood, other } = await start({
    env: { DATABASE_POOL_SIZE: '1', DATABASE_QUEUE_LENGTH: '20', DATABASE_TENANT_SHARE: '100' },
  });
  expect(await readiness(service)).toMatchObject({ status: 200 }); // not asked for the first time under the lock
  const holder = new pg.Client(service.databaseUrl);
  await holder.connect();
  opened.push({ close: () => holder.end() });
  await holder.query('BEGIN');
  await holder.query('LOCK TABLE bank_accounts IN ACCESS EXCLUSIVE MODE');
  // As many as are worked on at once with one connection, and as many as may wait.
  const answers = Array.from({ length: 36 }, (_, index) =>
    service.send(flood, `{ accounts(first: ${index + 1}) { nodes { id } } }`),
  );
  await expect.poll(() => metric(service, 'tenantry_request_queue_length')).toBe(20);
  expect(await metric(service, 'tenantry_request_queue_tenants')).toBe(1);
  const limit = /^The service is busy: 20 wait .* no more may; try again in 1 s\.$/;
  expectRefusal(await service.send(flood, '{ accounts(first: 50) { nodes { id } } }'), limit);
  expect(await readiness(service)).toMatchObject({ status: 200, busy: ['database'] });
  expect(await metric(service, 'tenantry_request_refusals_total{reason="length"}')).toBe(1);
  // Who has nothing waiting takes the last place of who has the most.
  const others = service.send(other, DASHBOARD);
  await expect.poll(() => metric(service, 'tenantry_request_queue_tenants')).toBe(2);
  await holder.query('ROLLBACK');
  expect((await others).status).toBe(200);
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 503)).toHaveLength(1);
  expect(statuses.filter((status) => status === 200)).toHaveLength(35);
  expect(await metric(service, 'tenantry_request_queue_length')).toBe(0);
});

test('strangers who flood the service with introspection cost an operator no answer', async () => {
  const { service, flood } = await start({
    env: { DATABASE_POOL_SIZE: '1', DATABASE_QUEUE_LENGTH: '20', DATABASE_TENANT_SHARE: '100' },
  });
  const operator = await service.token(Role.OPERATOR);
  const asOperator = () => service.send(operator, '{ performance { cache { namespace } } }');
  expect((await asOperator()).status).toBe(200);
  const holder = new pg.Client(service.databaseUrl);
  await holder.connect();
  opened.push({ close: () => holder.end() });
  await holder.query('BEGIN');
  await holder.query('LOCK TABLE bank_accounts IN ACCESS EXCLUSIVE MODE');
  // As many as are worked on at once with one connection, and as many as may wait.
  const working = Array.from({ length: 16 }, (_, index) =>
    service.send(flood, `{ accounts(first: ${index + 1}) { nodes { id } } }`),
  );
  await expect.poll(() => metric(service, 'tenantry_database_queue_length')).toBe(15);
  const strangers = Array.from({ length: 20 }, () => service.send(null, '{ __schema { queryType { name } } }'));
  await expect.poll(() => metric(service, 'tenantry_request_queue_length')).toBe(20);
  expect(await metric(service, 'tenantry_request_queue_tenants')).toBe(0);
  const asked = asOperator();
  await expect.poll(() => metric(service, 'tenantry_request_refusals_total{reason="length"}')).toBe(1);
  await holder.query('ROLLBACK');
  expect((await asked).status).toBe(200);
  expect((await Promise.all(working)).map(({ status }) => status)).toEqual(Array(16).fill(200));
  const statuses = (await Promise.all(strangers)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 503)).toHaveLength(1);
  expect(statuses.filter((status) => status === 200)).toHaveLength(19);
});

test('a database that is gone is told from one that is busy, by errors, readiness and metrics', async () => {
  const own = await createTestDatabase();
  opened.push({ close: () => own.drop() });
  const proxy = await startTcpProxy(Number(new URL(own.url).port));
  opened.push(proxy);
  const proxied = new URL(own.url);
  proxied.port = String(proxy.port);
  const { service, other } = await start({ database: { ...own, url: proxied.href } });
  proxy.cut();
  const gone = /^The service cannot reach its database at the moment; try again shortly\.$/;
  expectRefusal(await service.send(other, '{ tenant { slug } dashboard { overview { totalAccounts } } }'), gone);
  const unready = await readiness(service);
  expect(unready).toMatchObject({ status: 503, checks: { database: 'down' } });
  expect(unready).not.toHaveProperty('busy');
  expect(await metric(service, 'tenantry_database_refusals_total{reason="length"}')).toBe(0);
  proxy.mend();
  expect((await service.send(other, DASHBOARD)).status).toBe(200);
  expect(await readiness(service)).toMatchObject({ status: 200, checks: { database: 'up' } });
});

/** The value of one line of /metrics. */
async function metric({ url }: TestService, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}
