import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { Documents } from '../../src/graphql/documents.ts';
import { insertTenant } from '../support/fixtures.ts';
import { makeKnown } from '../support/known-operation.ts';
import { postJson } from '../support/post.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { type GraphqlAnswer, startService, type TestService } from '../support/service.ts';

const SMALL = '{ viewer { id } }';
/** In points: any operation costs 250, and each of its two values one. */
const HALF_COST = 126;
const RATE_LIMIT = '{ rateLimit { limit cost remaining resetAt tenant { limit remaining resetAt } } }';

let database: TestDatabase;
let slugs: string[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  slugs = Array.from({ length: 30 }, (_, index) => `tenant-${index}`);
  for (const slug of slugs) await insertTenant(database.url, { slug });
});
afterAll(() => database?.drop());

/** A tenant that no other test spends of. */
function fresh(): string {
  const slug = slugs.pop();
  if (!slug) throw new Error('there are more tests than tenants');
  return slug;
}

/** At the cost of another tenant. */
async function known(service: TestService, query: string): Promise<void> {
  await makeKnown(service, await service.token(Role.VIEWER, fresh()), query);
}

async function withServices(
  count: number,
  env: Readonly<Record<string, string>>,
  work: (services: TestService[]) => Promise<void>,
): Promise<void> {
  const services = await Promise.all(Array.from({ length: count }, () => startService({ database, env })));
  try {
    await work(services);
  } finally {
    await Promise.all(services.map((service) => service.close()));
  }
}

/**
 * Sends to one service after the other until it is refused. @returns how many were answered, and
 * the refusal
 */
async function untilRefused(services: readonly TestService[], token: string, query: string, most = 100) {
  for (let sent = 0; sent < most; sent++) {
    const answer = await (services[sent % services.length] as TestService).send(token, query);
    if (answer.errors) return { answered: sent, refusal: answer };
  }
  throw new Error(`none of ${most} was refused`);
}

function expectRefused({ status, headers, errors, data }: GraphqlAnswer, words: string): void {
  expect(status).toBe(429);
  expect(data ?? null).toBeNull();
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60);
  expect(errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }]);
  expect(errors?.[0]?.message).toContain(words);
}

test('of a spent tenant is refused alike hot and cold, whoever of it asks, and no other tenant', async () => {
  await withServices(1, { LIMIT_TENANT_POINTS_PER_MINUTE: '2000' }, async ([service]) => {
    if (!service) throw new Error('no service');
    const [slug, other] = [fresh(), fresh()];
    const [viewer, admin] = await Promise.all([Role.VIEWER, Role.ADMIN].map((role) => service.token(role, slug)));
    const hot = '{ tenant { slug } }';
    const { refusal } = await untilRefused([service], viewer as string, hot);
    // Where the cache was not trusted for a moment, the last one was a miss and wanted more than is left.
    expectRefused(refusal, "The tenant's points of this minute");
    expectRefused(await service.send(admin as string, hot), "The tenant's points");
    expectRefused(await service.send(admin as string, '{ tenant { name timeZone } }'), "The tenant's points");
    expect((await service.send(await service.token(Role.VIEWER, other), hot)).errors).toBeUndefined();
  });
});

test.each(['LIMIT_POINTS_PER_MINUTE', 'LIMIT_TENANT_POINTS_PER_MINUTE'])(
  'an operation that costs more than the whole of %s is too complex: waiting would not help',
  async (setting) => {
    await withServices(1, { [setting]: '1000' }, async ([service]) => {
      if (!service) throw new Error('no service');
      const token = await service.token(Role.VIEWER, fresh());
      const dear = '{ accounts(first: 100) { nodes { id bankName balance } } }';
      await known(service, dear);
      const { status, errors } = await service.send(token, dear);
      expect(status).toBe(400);
      const [error] = errors ?? [];
      expect(error?.extensions).toMatchObject({ code: 'QUERY_TOO_COMPLEX', limit: 1_000 });
      expect(error?.message).toMatch(
        /^The operation costs \d+ points; at most 1000 are allowed\. Ask for smaller pages/,
      );
      expect((await service.send(token, '{ tenant { slug } }')).errors).toBeUndefined();
    });
  },
);

test('of those who send no token is shared by them, and no caller pays for them', async () => {
  await withServices(1, { LIMIT_ANONYMOUS_POINTS_PER_MINUTE: '2000' }, async ([service]) => {
    if (!service) throw new Error('no service');
    const names = '{ __schema { queryType { name } } }';
    let refused = await service.send(null, names);
    for (let sent = 1; refused.status === 200 && sent <= 10; sent++) refused = await service.send(null, names);
    expectRefused(refused, 'The points of this minute that all who send no token share');
    expect(refused.errors?.[0]?.extensions).toMatchObject({ of: 'anonymous', limit: 2_000 });
    expect((await service.send(await service.token(Role.VIEWER, fresh()), names)).errors).toBeUndefined();
    const wrong = await service.send('no.token.at.all', names);
    expect([wrong.status, wrong.errors?.[0]?.extensions.code]).toEqual([401, 'UNAUTHENTICATED']);
  });
});

test('rateLimit shows the refreshes that are left to the caller and to the tenant', async () => {
  const env = { CACHE_REFRESHES_PER_MINUTE: '3', CACHE_TENANT_REFRESHES_PER_MINUTE: '5' };
  await withServices(1, env, async ([service]) => {
    if (!service) throw new Error('no service');
    const slug = fresh();
    const [analyst, admin] = await Promise.all([Role.ANALYST, Role.ADMIN].map((role) => service.token(role, slug)));
    await service.send(analyst as string, '{ dashboard(refresh: true) { date } }');
    await service.send(admin as string, '{ dashboard(refresh: true) { date } }');
    const part = 'refreshes { limit remaining resetAt }';
    const { data } = await service.send(analyst as string, `{ rateLimit { ${part} tenant { ${part} } } }`);
    const resetAt = expect.any(String);
    expect(data.rateLimit).toEqual({
      refreshes: { limit: 3, remaining: 2, resetAt },
      tenant: { refreshes: { limit: 5, remaining: 3, resetAt } },
    });
  });
});

test('a hit of a spent caller is refused as a miss is, byte for byte', async () => {
  await withServices(1, { LIMIT_POINTS_PER_MINUTE: '1000' }, async ([service]) => {
    if (!service) throw new Error('no service');
    const token = await service.token(Role.VIEWER, fresh());
    const { refusal } = await untilRefused([service], token, '{ tenant { slug } }');
    const cold = await service.send(token, '{ tenant { name timeZone } }');
    expectRefused(refusal, 'The points of this minute are spent');
    const seconds = /\d+ s/;
    expect(refusal.errors?.map(({ message }) => message.replace(seconds, ''))).toEqual(
      cold.errors?.map(({ message }) => message.replace(seconds, '')),
    );
    expect([refusal.status, refusal.headers.get('content-type')]).toEqual([
      cold.status,
      cold.headers.get('content-type'),
    ]);
  });
});

test('with fewer points left than any operation costs, a miss is told both', async () => {
  await withServices(1, { CACHE: 'off', LIMIT_POINTS_PER_MINUTE: '352' }, async ([service]) => {
    if (!service) throw new Error('no service');
    await known(service, SMALL);
    const token = await service.token(Role.VIEWER, fresh());
    expect((await service.send(token, SMALL)).errors).toBeUndefined();
    const refusal = await service.send(token, SMALL);
    const words =
      'The points of this minute do not suffice: this operation costs 250 at least, and 100 of 352 are left';
    expectRefused(refusal, words);
    expect(refusal.errors).toMatchObject([{ extensions: { remaining: 100, limit: 352 } }]);
  });
});

test('nothing of a request is read for a caller whose points are spent, but what came before is found', async () => {
  const env = { LIMIT_POINTS_PER_MINUTE: '1000' };
  await withServices(1, env, async ([service]) => {
    if (!service) throw new Error('no service');
    const token = await service.token(Role.VIEWER, fresh());
    await untilRefused([service], token, '{ tenant { slug } }');
    const unread = '{ tenant { name timeZone } }';
    const read = vi.spyOn(Documents.prototype, 'read');
    const parsed = vi.spyOn(JSON, 'parse');
    const bodies = () => parsed.mock.calls.filter(([text]) => text.includes(unread) || text === '{{{');
    try {
      const send = (body: string) => postJson(`${service.url}/graphql`, { authorization: `Bearer ${token}` }, body);
      for (const body of [JSON.stringify({ query: unread }), '{{{']) expect((await send(body)).status).toBe(429);
      expect([read.mock.calls, bodies()]).toEqual([[], []]);
      await service.send(await service.token(Role.VIEWER, fresh()), unread);
      expect([read.mock.calls.length, bodies().length]).toEqual([1, 1]);
    } finally {
      vi.restoreAllMocks();
    }
  });
});

test('a refused operation takes of either budget what every operation costs, and no more', async () => {
  await withServices(
    1,
    { CACHE: 'off', LIMIT_POINTS_PER_MINUTE: '5000', LIMIT_TENANT_POINTS_PER_MINUTE: '1600' },
    async ([service]) => {
      if (!service) throw new Error('no service');
      const token = await service.token(Role.VIEWER, fresh());
      const query = '{ accounts(first: 40) { nodes { id } } }'; // 700 points
      for (const each of [query, RATE_LIMIT]) await known(service, each);
      const left = async () => (await service.send(token, RATE_LIMIT)).data.rateLimit;
      expect((await service.send(token, query)).errors).toBeUndefined();
      const before = await left();
      const refusal = await service.send(token, query);
      expectRefused(refusal, "The tenant's points of this minute do not suffice: this operation costs");
      expect(refusal.errors).toMatchObject([
        { extensions: { of: 'tenant', limit: 1600, remaining: before.tenant.remaining - 250 } },
      ]);
      const { cost, remaining, limit, tenant } = await left();
      expect([limit, remaining]).toEqual([5000, before.remaining - 250 - cost]);
      expect(tenant).toMatchObject({ limit: 1600, remaining: before.tenant.remaining - 250 - cost });
      expect(Date.parse(tenant.resetAt)).toBeGreaterThan(Date.now());
    },
  );
});

test('a tenant’s own number takes the place of the default, and an OPERATOR has no tenant', async () => {
  const slug = fresh();
  await withClient(database.url, (client) =>
    client.query('UPDATE tenants SET points_per_minute = 2500 WHERE slug = $1', [slug]),
  );
  await withServices(1, {}, async ([service]) => {
    if (!service) throw new Error('no service');
    const { data } = await service.send(await service.token(Role.VIEWER, slug), RATE_LIMIT);
    expect(data.rateLimit.tenant.limit).toBe(2500);
    expect((await service.send(await service.token(Role.OPERATOR), RATE_LIMIT)).data.rateLimit.tenant).toBeNull();
  });
  const wrong = withClient(database.url, (client) => client.query('UPDATE tenants SET points_per_minute = 0'));
  await expect(wrong).rejects.toThrow('tenants_points_per_minute_check');
});

test('a hit is counted when it is sent, and not when the budget refuses it', async () => {
  await withServices(1, { LIMIT_POINTS_PER_MINUTE: '1000' }, async ([service]) => {
    if (!service) throw new Error('no service');
    const token = await service.token(Role.VIEWER, fresh());
    const hits = async () => {
      const text = await (await fetch(`${service.url}/metrics`)).text();
      const lines = text.matchAll(/^tenantry_cache_events_total\{.*hit.*\} (\d+)$/gm);
      return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
    };
    const { answered } = await untilRefused([service], token, '{ tenant { slug } }');
    const before = await hits();
    for (let n = 0; n < 5; n++) expectRefused(await service.send(token, '{ tenant { slug } }'), 'The points');
    expect(answered).toBeGreaterThan(2);
    expect([before, await hits()]).toEqual([answered - 1, answered - 1]);
  });
});

describeWithOwnRedis('over processes that share a Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.stop());

  test('budgets of callers and tenants are one, to the point', async () => {
    const env = {
      REDIS_URL: redis.url,
      CACHE: 'off',
      LIMIT_POINTS_PER_MINUTE: String(20 * HALF_COST),
      LIMIT_TENANT_POINTS_PER_MINUTE: String(50 * HALF_COST),
    };
    await withServices(2, env, async (services) => {
      const slug = fresh();
      const [first] = services as [TestService];
      for (const service of services) await known(service, SMALL);
      const token = await first.token(Role.VIEWER, slug);
      const { answered, refusal } = await untilRefused(services, token, SMALL);
      expect(answered).toBe(10);
      // The last of them may be told to this process a moment later.
      expectRefused(refusal, 'The points of this minute');
      for (const role of [Role.ANALYST, Role.ADMIN])
        await untilRefused(services, await first.token(role, slug), SMALL).then(({ answered }) =>
          expect(answered).toBe(role === Role.ANALYST ? 10 : 5),
        );
    });
  });

  test('refreshes are counted alike', async () => {
    const env = { REDIS_URL: redis.url, CACHE_REFRESHES_PER_MINUTE: '4', CACHE_TENANT_REFRESHES_PER_MINUTE: '6' };
    await withServices(2, env, async (services) => {
      const slug = fresh();
      const [first] = services as [TestService];
      const refresh = '{ dashboard(refresh: true) { date } }';
      const analyst = await untilRefused(services, await first.token(Role.ANALYST, slug), refresh);
      const admin = await untilRefused(services, await first.token(Role.ADMIN, slug), refresh);
      expect([analyst.answered, admin.answered]).toEqual([4, 2]);
      expectRefused(admin.refusal, 'Too many refreshes in the tenant');
    });
  });

  test('a Redis that is gone refuses nobody and errs for nobody: each process counts for itself', async () => {
    const own = await startRedis();
    const env = { REDIS_URL: own.url, CACHE: 'off', LIMIT_POINTS_PER_MINUTE: String(20 * HALF_COST) };
    await withServices(2, env, async (services) => {
      const [first, second] = services as [TestService, TestService];
      for (const service of [first, second]) await known(service, SMALL);
      const token = await first.token(Role.VIEWER, fresh());
      await own.stop();
      const { answered, refusal } = await untilRefused([first], token, SMALL);
      expect(answered).toBe(10);
      expectRefused(refusal, 'The points of this minute are spent');
      expect((await untilRefused([second], token, SMALL)).answered).toBe(10);
    });
  });
});
