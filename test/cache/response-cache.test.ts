import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { cacheOutcome } from '../support/cache-outcome.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { watchRedis } from '../support/redis-watch.ts';
import { type GraphqlAnswer, startService, type TestService } from '../support/service.ts';
import { until } from '../support/until.ts';

const ACCOUNTS = '{ accounts(first: 5) { totalCount nodes { accountNumber balance } } }';
const DASHBOARD = '{ dashboard { generatedAt overview { totalAccounts } } }';

describe('the response cache in memory', () => promises(async () => ({ env: {}, stop: async () => {} })));

describeWithOwnRedis('the response cache over Redis', () => {
  promises(async () => {
    const redis = await startRedis();
    return { env: { REDIS_URL: redis.url }, stop: () => redis.stop() };
  });

  describe('shared by two processes', () => {
    let redis: TestRedis;
    let database: TestDatabase;
    let here: TestService;
    let there: TestService;
    beforeAll(async () => {
      redis = await startRedis();
      database = await createTestDatabase();
      await fill(database.url);
      [here, there] = await Promise.all([
        startService({ database, env: { REDIS_URL: redis.url } }),
        startService({ database, env: { REDIS_URL: redis.url } }),
      ]);
    });
    afterAll(async () => {
      await Promise.all([here.close(), there.close()]);
      await database.drop();
      await redis.stop();
    });

    it('answers in one process what the other computed', async () => {
      const token = await here.token(Role.VIEWER, 'north');
      await untilHit(() => here.send(token, ACCOUNTS));
      await untilKept(redis);
      const answer = await there.send(token, ACCOUNTS);
      expect(outcome(answer)).toBe('tenantry; hit');
      expect(there.statements.splice(0)).toEqual([]);
    });

    it('answers again without a word to Redis', async () => {
      const token = await there.token(Role.VIEWER, 'north');
      await untilHit(() => there.send(token, ACCOUNTS));
      const watch = await watchRedis(redis.url);
      const beganMs = performance.now();
      const answers = await Promise.all(Array.from({ length: 50 }, () => there.send(token, ACCOUNTS)));
      expect(new Set(answers.map(outcome))).toEqual(new Set(['tenantry; hit']));
      await watch.untilNow();
      const batches = Math.ceil((performance.now() - beganMs) / 100) + 1;
      const named = watch.commands.filter((command) => command.some((word) => word.startsWith('tenant:')));
      const isOfBudget = (command: readonly string[]) => command.some((word) => word.includes(':budget:'));
      // What was spent, of the caller and of the tenant, every 100 ms.
      const settled = named.filter((command) => isOfBudget(command) && /^eval/i.test(command[0] ?? ''));
      expect(settled.length).toBeLessThanOrEqual(2 * batches);
      const ofTenant = named.filter((command) => !isOfBudget(command));
      // Now and then the versions, when they were held for long enough.
      expect(ofTenant.length).toBeLessThan(10);
      watch.close();
    });

    it('invalidates in every process at once', async () => {
      const admin = await here.token(Role.ADMIN, 'north');
      await Promise.all([here.send(admin, ACCOUNTS), there.send(admin, ACCOUNTS)]);
      await here.send(admin, 'mutation { invalidateCache(input: {}) { namespaces } }');
      expect(outcome(await there.send(admin, ACCOUNTS))).toBe('tenantry; fwd=miss');
    });

    it('answers from PostgreSQL while Redis hangs or is gone, and trusts nothing old when it is back', async () => {
      const admin = await here.token(Role.ADMIN, 'north');
      const before = await here.send(admin, DASHBOARD);
      redis.pause();
      expect((await here.send(admin, ACCOUNTS)).errors).toBeUndefined();
      redis.resume();
      await redis.kill();
      const while_ = await here.send(admin, DASHBOARD);
      expect(while_.errors).toBeUndefined();
      expect(while_.data.dashboard.generatedAt).not.toBe(before.data.dashboard.generatedAt);
      await redis.restart();
      await untilHit(() => here.send(admin, ACCOUNTS));
      const after = await here.send(admin, DASHBOARD);
      expect(after.data.dashboard.generatedAt).not.toBe(before.data.dashboard.generatedAt);
    });
  });
});

/** What holds wherever the entries and versions live. */
function promises(prepare: () => Promise<{ env: Record<string, string>; stop(): Promise<void> }>): void {
  let service: TestService;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    const prepared = await prepare();
    stop = prepared.stop;
    service = await startService({ env: { CACHE_REFRESHES_PER_MINUTE: '3', ...prepared.env } });
    await fill(service.databaseUrl);
    await service.untilCaughtUp();
  });
  afterAll(async () => {
    await service.close();
    await stop();
  });

  it('gives the same bytes again without asking PostgreSQL', async () => {
    const token = await service.token(Role.VIEWER, 'north');
    const miss = await raw(service, token, ACCOUNTS);
    service.statements.splice(0);
    const hit = await raw(service, token, ACCOUNTS);
    expect(service.statements).toEqual([]);
    expect([outcome(miss), outcome(hit)]).toEqual(['tenantry; fwd=miss', 'tenantry; hit']);
    expect(hit.body).toBe(miss.body);
    expect(hit.headers.get('content-type')).toBe(miss.headers.get('content-type'));
  });

  it('keeps two tenants apart for the same query', async () => {
    const [north, south] = [await service.token(Role.VIEWER, 'north'), await service.token(Role.VIEWER, 'south')];
    for (let round = 0; round < 2; round++) {
      expect((await service.send(north, ACCOUNTS)).data.accounts.totalCount).toBe(2);
      expect((await service.send(south, ACCOUNTS)).data.accounts.totalCount).toBe(1);
    }
  });

  it('keeps two viewers apart where the answer shows who is asking', async () => {
    const query = '{ viewer { id role } tenant { name } }';
    const [viewer, admin] = [await service.token(Role.VIEWER, 'north'), await service.token(Role.ADMIN, 'north')];
    for (let round = 0; round < 2; round++) {
      expect((await service.send(viewer, query)).data.viewer.role).toBe('VIEWER');
      expect((await service.send(admin, query)).data.viewer.role).toBe('ADMIN');
    }
  });

  it('never keeps errors, mutations and answers of the moment', async () => {
    const admin = await service.token(Role.ADMIN, 'north');
    const malformed = '{ account(id: "nothing") { id } }';
    for (const query of [malformed, '{ rateLimit { remaining } }', '{ performance { since } }']) {
      await service.send(admin, query);
      expect(outcome(await service.send(admin, query))).not.toBe('tenantry; hit');
    }
  });

  it('takes whitespace, names and variables for what they are: another spelling is another entry, never a wrong one', async () => {
    const token = await service.token(Role.VIEWER, 'north');
    const query = 'query ($n: String!) { accountByNumber(accountNumber: $n) { accountNumber } }';
    for (const number of ['0001', '0002', '0003', '0001']) {
      const { data } = await service.send(token, query, { n: number });
      expect(data.accountByNumber?.accountNumber ?? null).toBe(number === '0003' ? null : number);
    }
  });

  it.each([
    ['by namespace', '{ namespaces: [DASHBOARD] }', true],
    ['by pattern', '{ pattern: "dashboard:*" }', true],
    ['as a whole', '{}', true],
    ['but not by another namespace', '{ namespaces: [STATISTICS] }', false],
    ['but not by another pattern', '{ pattern: "statistics:daily:*" }', false],
  ])('is invalidated %s', async (_, input, isInvalidated) => {
    const admin = await service.token(Role.ADMIN, 'north');
    const first = await service.send(admin, DASHBOARD);
    const { data } = await service.send(
      admin,
      `mutation { invalidateCache(input: ${input}) { namespaces userErrors { code } } }`,
    );
    expect(data.invalidateCache.userErrors).toEqual([]);
    const second = await service.send(admin, DASHBOARD);
    expect(second.data.dashboard.generatedAt !== first.data.dashboard.generatedAt).toBe(isInvalidated);
  });

  it('refuses unknown patterns and tells the known ones', async () => {
    const admin = await service.token(Role.ADMIN, 'north');
    const { errors } = await service.send(
      admin,
      'mutation { invalidateCache(input: { pattern: "dash*" }) { namespaces } }',
    );
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect(errors?.[0]?.message).toContain('statistics:weekly:*');
  });

  it.each([
    ['in the document', 'mutation { invalidateCache(input: { namespaces: [LISTS] }) { namespaces } }', {}],
    [
      'in a variable',
      'mutation ($input: InvalidateCacheInput!) { invalidateCache(input: $input) { namespaces } }',
      { input: { namespaces: ['LISTS'] } },
    ],
  ])('refuses unknown namespaces %s and tells the known ones', async (_, mutation, variables) => {
    const { errors } = await service.send(await service.token(Role.ADMIN, 'north'), mutation, variables);
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect(errors?.[0]?.message).toMatch(/"LISTS".* one of ACCOUNTS, TRANSACTIONS, DASHBOARD, STATISTICS\.$/);
  });

  it('is invalidated for the own tenant only, by ADMIN only', async () => {
    const [north, south] = [await service.token(Role.ADMIN, 'north'), await service.token(Role.ADMIN, 'south')];
    const before = await service.send(south, DASHBOARD);
    await service.send(north, 'mutation { invalidateCache(input: {}) { namespaces } }');
    expect((await service.send(south, DASHBOARD)).data).toEqual(before.data);
    const analyst = await service.token(Role.ANALYST, 'south');
    const { errors } = await service.send(analyst, 'mutation { invalidateCache(input: {}) { namespaces } }');
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });

  it('replaces what it held on refresh, for ANALYST and ADMIN, so many times a minute', async () => {
    const [viewer, analyst] = [await service.token(Role.VIEWER, 'north'), await service.token(Role.ANALYST, 'north')];
    const first = await service.send(viewer, DASHBOARD);
    const refreshed = await service.send(analyst, '{ dashboard(refresh: true) { generatedAt } }');
    const second = await service.send(viewer, DASHBOARD);
    expect(refreshed.data.dashboard.generatedAt > first.data.dashboard.generatedAt).toBe(true);
    expect(second.data.dashboard.generatedAt >= refreshed.data.dashboard.generatedAt).toBe(true);

    const refused = await service.send(viewer, '{ dashboard(refresh: true) { generatedAt } }');
    expect(refused.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const answers = [];
    for (let round = 0; round < 3; round++)
      answers.push(await service.send(analyst, '{ statistics(refresh: true) { generatedAt } }'));
    expect(answers.map(({ errors }) => errors?.[0]?.extensions.code)).toEqual([undefined, undefined, 'RATE_LIMITED']);
  });

  it('loads once for any number of requests at once', async () => {
    const token = await service.token(Role.VIEWER, 'south');
    const query = '{ accounts(first: 7) { nodes { id } } }';
    const lock = await lockAccounts(service.databaseUrl);
    service.statements.splice(0);
    const answers = Array.from({ length: 20 }, () => service.send(token, query));
    await lock.untilWaitedFor();
    await lock.release();
    const all = await Promise.all(answers);
    expect(all.map(outcome)).not.toContain('tenantry; fwd=bypass');
    expect(new Set(all.map(({ data }) => JSON.stringify(data))).size).toBe(1);
    expect(service.statements.filter(({ model }) => model === 'BankAccount')).toHaveLength(1);
  });

  it('serves nobody the answer of a load that began before an invalidation', async () => {
    const admin = await service.token(Role.ADMIN, 'south');
    const query = '{ accounts(first: 9) { nodes { id } } }';
    const lock = await lockAccounts(service.databaseUrl);
    const early = service.send(admin, query);
    await lock.untilWaitedFor();
    await service.send(admin, 'mutation { invalidateCache(input: {}) { namespaces } }');
    await lock.release();
    await early;
    expect(outcome(await service.send(admin, query))).toBe('tenantry; fwd=miss');
  });
}

it('is off with CACHE=off', async () => {
  const service = await startService({ env: { CACHE: 'off' } });
  await fill(service.databaseUrl);
  const token = await service.token(Role.VIEWER, 'north');
  const [first, second] = [await service.send(token, DASHBOARD), await service.send(token, DASHBOARD)];
  expect(second.data.dashboard.generatedAt).not.toBe(first.data.dashboard.generatedAt);
  expect(second.headers.get('cache-status')).toBe('tenantry; fwd=bypass; detail=off');
  await service.close();
});

async function fill(url: string): Promise<void> {
  const [north, south] = [await insertTenant(url, { slug: 'north' }), await insertTenant(url, { slug: 'south' })];
  await insertAccounts(url, north, [{ accountNumber: '0001' }, { accountNumber: '0002' }]);
  await insertAccounts(url, south, [{ accountNumber: '0001' }]);
}

function outcome({ headers }: { headers: Headers }): string {
  return cacheOutcome(headers.get('cache-status'));
}

async function raw(service: TestService, token: string, query: string) {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  });
  return { headers: response.headers, body: await response.text() };
}

/** Holds up every read of the accounts until it is released. */
async function lockAccounts(url: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN; LOCK TABLE bank_accounts IN ACCESS EXCLUSIVE MODE');
  return {
    untilWaitedFor: () => until(async () => (await waiting(url)) > 0),
    async release() {
      await client.query('COMMIT');
      await client.end();
    },
  };
}

async function waiting(url: string): Promise<number> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ count: number }>(
      'SELECT count(*)::integer AS count FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())',
    ),
  );
  return rows[0]?.count ?? 0;
}

/** The fill is not waited for by the answer. */
async function untilKept(redis: TestRedis): Promise<void> {
  const { Redis } = await import('ioredis');
  const client = new Redis(redis.url);
  await until(async () => (await client.keys('tenant:*:response:*')).length > 0);
  client.disconnect();
}

async function untilHit(send: () => Promise<GraphqlAnswer>): Promise<void> {
  await until(async () => outcome(await send()) === 'tenantry; hit');
}
