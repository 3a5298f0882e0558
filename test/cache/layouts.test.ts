import { afterAll, beforeAll, expect, it } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';
import { insertTwins, TWINS, type Twin } from '../support/twin-tenants.ts';

const [{ slug: SLUG }] = TWINS as [Twin];

describeWithOwnRedis('processes that share a Redis and count to different limits', () => {
  let redis: TestRedis;
  let database: TestDatabase;
  let few: TestService;
  let many: TestService;
  beforeAll(async () => {
    redis = await startRedis();
    database = await createTestDatabase();
    await insertTwins(database.url);
    const start = (rows: string) =>
      startService({ database, env: { REDIS_URL: redis.url, LIMIT_COUNT_ROWS: rows, CACHE_MEMORY_BYTES: '0' } });
    [few, many] = await Promise.all([start('5'), start('20')]);
    await Promise.all([few.untilCaughtUp(), many.untilCaughtUp()]);
  });
  afterAll(async () => {
    await Promise.all([few?.close(), many?.close()]);
    await database?.drop();
    await redis?.stop();
  });

  const answerOf = async (service: TestService, selection: string) => {
    const query = `{ accounts(filter: { createdFrom: "2020-01-01T00:00:00Z" }) { ${selection} } }`;
    const { data, headers } = await service.send(await few.token(Role.VIEWER, SLUG), query);
    return { count: data.accounts.totalCount, status: headers.get('cache-status') ?? '' };
  };

  it('find the answers of their own limit alone', async () => {
    const ask = (service: TestService) => answerOf(service, 'totalCount');
    for (const [service, count] of [
      [few, 5],
      [many, 20],
      [few, 5],
    ] as const) {
      expect(await ask(service)).toEqual({ count, status: expect.stringContaining('fwd=miss') });
      await expect.poll(() => ask(service)).toEqual({ count, status: expect.stringContaining('hit') });
    }
  });

  it('find the values of their own limit alone', async () => {
    // Texts that differ are answers of their own, made of the same value.
    for (const name of ['a', 'b', 'c'])
      for (const [service, count] of [
        [few, 5],
        [many, 20],
      ] as const)
        expect(await answerOf(service, `totalCount ${name}: totalCountIsExact`)).toMatchObject({ count });
  });
});
