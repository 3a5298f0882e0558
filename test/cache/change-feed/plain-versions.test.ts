import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TenantScope } from '../../../src/tenancy/tenant-scope.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { type Asked, BALANCES, balanceOf, bookOne, connectPast, fillTwo, NORTH, startAsked, warm } from './fixture.ts';

describeWithOwnRedis('without the layer that holds versions', () => {
  let redis: TestRedis;
  let database: TestDatabase;
  let past: pg.Client;
  let reader: Asked;
  let writer: Asked;
  beforeAll(async () => {
    [redis, database] = await Promise.all([startRedis(), createTestDatabase()]);
    await fillTwo(database.url);
    past = await connectPast(database);
    const start = () => startAsked(database, { REDIS_URL: redis.url }, { leasesVersions: false });
    [reader, writer] = [await start(), await start()];
  });
  afterAll(async () => {
    await Promise.all([reader.close(), writer.close()]);
    await past.end();
    await database.drop();
    await redis.stop();
  });

  const shown = async (service: Asked) => balanceOf((await service.ask(BALANCES)).data);

  it('no answer is older than an acknowledged write, and writes past the API show', async () => {
    for (let n = 1; n <= 8; n++) {
      await warm(reader, BALANCES);
      expect(reader.changeFeed.versions.leased(TenantScope.ofOutboxRow(NORTH))).toBeUndefined();
      await bookOne(writer, `movement ${n}`);
      for (const service of [reader, writer]) expect(await shown(service)).toBe(n);
    }
    await warm(reader, BALANCES);
    await past.query("UPDATE bank_accounts SET balance = 99 WHERE tenant_id = $1 AND account_number = '0001'", [NORTH]);
    for (const service of [reader, writer]) await until(async () => (await shown(service)) === 99);
  });
});
