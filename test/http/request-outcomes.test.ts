import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import type { RequestOutcome } from '../../src/monitoring/monitor-events.ts';
import { cacheOutcome } from '../support/cache-outcome.ts';
import { insertTenant } from '../support/fixtures.ts';
import { withClient } from '../support/postgres.ts';
import { startService, type TestService } from '../support/service.ts';
import { until } from '../support/until.ts';

const NAME = '{ tenant { name } }';
const JOINED = 3;

let service: TestService;
/** Requests that have come so far that they look for their answer. */
let come = 0;
let admin: string;
let before: Record<RequestOutcome, number>;

beforeAll(async () => {
  service = await startService({
    extend: (app) =>
      app.addHook('preHandler', async () => {
        come++;
      }),
  });
  await insertTenant(service.databaseUrl, { slug: 'acme' });
  admin = await service.token(Role.ADMIN, 'acme');
  await service.untilCaughtUp();
  await until(
    async () => cacheOutcome((await service.send(admin, NAME)).headers.get('cache-status')) === 'tenantry; hit',
  );
});
afterAll(() => service?.close());
beforeEach(() => {
  before = { ...service.services.monitor.outcomes };
});

/** Requests since the test began, by what became of them. */
function counted(): Record<RequestOutcome, number> {
  const { outcomes } = service.services.monitor;
  const since = Object.entries(outcomes).map(([outcome, count]) => [
    outcome,
    count - before[outcome as RequestOutcome],
  ]);
  return Object.fromEntries(since);
}

const get = (query: string, headers: Record<string, string>) =>
  fetch(`${service.url}/graphql?query=${encodeURIComponent(query)}`, { headers });

it('counts each request once, by what became of it', async () => {
  const authorization = `Bearer ${admin}`;
  const first = await get(NAME, { authorization });
  await get(NAME, { authorization, 'if-none-match': String(first.headers.get('etag')) });
  await service.send(admin, NAME);
  await service.send(admin, 'query { tenant { slug } }');
  await service.send(admin, 'mutation { invalidateCache(input: { namespaces: [] }) { namespaces } }');
  await service.send(admin, '{ accounts(first: 0) { totalCount } }');
  await get(NAME, { authorization: 'Bearer e30.e30.e30' });
  await fetch(`${service.url}/nowhere`);
  expect(counted()).toEqual({ hit: 3, miss: 2, bypass: 1, refused: 2 });
});

it('counts no request of an operator, whose own looks would be taken for what tenants get', async () => {
  const operator = await service.token(Role.OPERATOR);
  const { 200: answered } = service.services.monitor.answers;
  await service.send(operator, '{ performance { since } }');
  expect(counted()).toEqual({ hit: 0, miss: 0, bypass: 0, refused: 0 });
  expect(service.services.monitor.answers[200]).toBe(answered + 1);
});

it('counts who waited for the load of another as one that missed', async () => {
  await withClient(service.databaseUrl, async (client) => {
    await client.query('BEGIN; LOCK TABLE bank_accounts');
    const cameBefore = come;
    const asked = Array.from({ length: JOINED }, () => service.send(admin, '{ accounts { nodes { bankName } } }'));
    await until(async () => come === cameBefore + JOINED && (await isWaitedFor(client)));
    await client.query('COMMIT');
    await Promise.all(asked);
  });
  expect(counted()).toEqual({ hit: 0, miss: JOINED, bypass: 0, refused: 0 });
});

it('counts who has nothing left to spend as refused, and not as a miss', async () => {
  const poor = await startService({ database: databaseOf(service), env: { LIMIT_POINTS_PER_MINUTE: '1000' } });
  for (let status = 0; status !== 429; ) ({ status } = await poor.send(admin, `{ a: tenant { name } }`));
  const { refused, ...served } = poor.services.monitor.outcomes;
  for (let n = 0; n < 5; n++) await poor.send(admin, '{ accounts { nodes { id } } }');
  expect(poor.services.monitor.outcomes).toEqual({ ...served, refused: refused + 5 });
  await poor.close();
});

/** Whether a statement waits for the locked table. */
async function isWaitedFor(client: pg.Client): Promise<boolean> {
  const waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'bank_accounts'::regclass";
  return (await client.query(waiting)).rowCount === 1;
}

function databaseOf({ databaseUrl }: TestService) {
  return { name: '', url: databaseUrl, drop: async () => {} };
}
