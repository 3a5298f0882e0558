import { afterAll, beforeAll, expect, test } from 'vitest';
import { QUIET_MS, REST_MS } from '../../src/warm-up/followed-tenants.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';
import { dashboardsRead, makeTenant, warmUpOf, writeTo } from './warm-up-service.ts';

describeWithOwnRedis('processes that share a Redis', () => {
  let redis: TestRedis;
  let database: TestDatabase;
  let services: TestService[] = [];
  beforeAll(async () => {
    redis = await startRedis();
    database = await createTestDatabase();
    const start = () => startService({ database, env: { REDIS_URL: redis.url } });
    services = await Promise.all([start(), start()]);
    await Promise.all(services.map((service) => service.untilCaughtUp()));
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.close()));
    await database?.drop();
    await redis?.stop();
  });

  test('have each dashboard computed once, after a start and after a write', async () => {
    const tenants = [await makeTenant(database.url, 'one'), await makeTenant(database.url, 'two')];
    await Promise.all(services.map((service) => service.untilCaughtUp()));
    const all = services.map((service) => warmUpOf(service));
    for (const { ask } of all) for (const id of tenants) ask(id);
    const read = () => services.flatMap((service) => dashboardsRead(service)).toSorted();
    const round = (afterMs?: number) => Promise.all(all.map((each) => each.round(afterMs)));
    await round();
    expect(read()).toEqual(tenants.toSorted());
    for (const id of tenants) await writeTo(services[0] as TestService, id, '2');
    await round(REST_MS);
    await round(QUIET_MS);
    expect(read()).toEqual(tenants.toSorted());
    const results = all.map((each) => each.results());
    expect(results.map(({ filled = 0 }) => filled).reduce((sum, filled) => sum + filled)).toBe(4);
    expect(results.map(({ kept = 0 }) => kept).reduce((sum, kept) => sum + kept)).toBe(4);
  });
});
