import { performance } from 'node:perf_hooks';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { UnconfirmedInvalidations } from '../../../src/cache/change-feed/unconfirmed-invalidations.ts';
import { LEASE_MS, VERSIONS_LEASE_MS } from '../../../src/cache/redis/timing.ts';
import { UntrustedBump } from '../../../src/cache/versions/redis-versions.ts';
import { TenantDatabase } from '../../../src/tenancy/tenant-database.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { until } from '../../support/until.ts';
import { type Asked, BALANCES, balanceOf, bookOne, connectPast, fillTwo, startAsked, warm } from './fixture.ts';

describeWithOwnRedis('a write whose bump does not reach Redis', () => {
  let redis: TestRedis;
  let database: TestDatabase;
  let past: pg.Client;
  let wayToRedis: TcpProxy;
  let reader: Asked;
  let writer: Asked;
  beforeAll(async () => {
    [redis, database] = await Promise.all([startRedis(), createTestDatabase()]);
    await fillTwo(database.url);
    past = await connectPast(database);
    wayToRedis = await startTcpProxy(redis.port);
    // The reader's is the relay too.
    reader = await startAsked(database, { REDIS_URL: redis.url });
    writer = await startAsked(database, { REDIS_URL: `redis://127.0.0.1:${wayToRedis.port}` });
    // The first time takes longer than the others' trust lasts: nothing would be shown by what
    // follows.
    await bookOne(writer, 'first');
  });
  afterEach(async () => {
    await past.query('ROLLBACK');
    wayToRedis.mend();
    await until(() => writer.changeFeed.trust.isValid);
  });
  afterAll(async () => {
    await Promise.all([reader.close(), writer.close()]);
    await wayToRedis.close();
    await past.end();
    await database.drop();
    await redis.stop();
  });

  let booked = 1;
  /** One more on the account of which the reader tells. */
  const book = () => bookOne(writer, `movement ${++booked}`);
  const balance = async () => balanceOf((await reader.ask(BALANCES)).data);
  /** The relay's next poll waits. */
  const holdUpRelay = () => past.query('BEGIN; LOCK TABLE cache_outbox_horizon IN ACCESS EXCLUSIVE MODE');

  it('is followed by no older answer elsewhere, though the relay is held up', async () => {
    await warm(reader, BALANCES);
    wayToRedis.cut();
    await holdUpRelay();
    await book();
    expect(await balance()).toBe(booked);
    await past.query('ROLLBACK');
    await warm(reader, BALANCES);
    expect(await balance()).toBe(booked);
  });

  it('is followed by no older answer elsewhere when Redis hangs and comes back', async () => {
    await warm(reader, BALANCES);
    redis.pause();
    await book();
    redis.resume();
    expect(await balance()).toBe(booked);
    await warm(reader, BALANCES);
    expect(await balance()).toBe(booked);
  });

  it('is followed by no older answer elsewhere while the way to Redis comes and goes', async () => {
    for (let round = 0; round < 3; round++) {
      await warm(reader, BALANCES);
      wayToRedis.cut();
      await book();
      expect(await balance()).toBe(booked);
      wayToRedis.mend();
    }
  });

  it('that is an invalidation by hand reaches the others by the outbox', async () => {
    await warm(reader, BALANCES);
    wayToRedis.cut();
    await holdUpRelay();
    const { terms, rowsRead } = reader.changeFeed.state;
    await writer.ask('mutation { invalidateCache(input: {}) { namespaces } }');
    await past.query('ROLLBACK');
    await reader.untilCaughtUp();
    expect(reader.changeFeed.state).toMatchObject({ terms, rowsRead: rowsRead + 1 });
  });

  it.each([
    ['could not be done', () => new Error('Redis is away')],
    ['was done in a Redis that is not trusted', () => new UntrustedBump('this one')],
  ])(
    'and whose bump %s waits until every lease and every hold from before it is over elsewhere',
    async (_, failure) => {
      await past.query("INSERT INTO cache_trust VALUES ('another', gen_random_uuid())");
      const tenants = openTenants(database);
      const beganMs = performance.now();
      await new UnconfirmedInvalidations(tenants).untilHarmless(beganMs, () => Promise.reject(failure()));
      expect(performance.now() - beganMs).toBeGreaterThanOrEqual(LEASE_MS + VERSIONS_LEASE_MS);
      await past.query("DELETE FROM cache_trust WHERE server_id = 'another'");
      await tenants.close();
    },
  );

  it('need not wait for a Redis that it was bumped in', async () => {
    await past.query("DELETE FROM cache_trust; INSERT INTO cache_trust VALUES ('this one', gen_random_uuid())");
    const tenants = openTenants(database);
    let attempts = 0;
    await new UnconfirmedInvalidations(tenants).untilHarmless(performance.now(), async () => {
      attempts++;
      throw new UntrustedBump('this one');
    });
    expect(attempts).toBe(1);
    await past.query("DELETE FROM cache_trust WHERE server_id = 'this one'");
    await tenants.close();
  });

  it('need not be waited for once nobody trusts Redis', async () => {
    await redis.kill();
    const announced = async () => (await past.query('SELECT FROM cache_trust')).rowCount;
    await until(async () => (await announced()) === 0);
    const tenants = openTenants(database);
    let attempts = 0;
    await new UnconfirmedInvalidations(tenants).untilHarmless(performance.now(), async () => {
      attempts++;
      throw new Error('Redis is away');
    });
    await tenants.close();
    expect(attempts).toBe(1);
    await book();
    expect(await balance()).toBe(booked);
    await redis.restart();
  });
});

function openTenants({ url }: TestDatabase): TenantDatabase {
  return new TenantDatabase({ url, poolSize: 1, statementTimeoutMs: 10_000, takeServiceRole: true });
}
