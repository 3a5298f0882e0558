import { performance } from 'node:perf_hooks';
import { Redis } from 'ioredis';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LEASE_KEY } from '../../../src/cache/change-feed/lease-store.ts';
import { VERSIONS_LEASE_MS } from '../../../src/cache/redis/timing.ts';
import { versionsKey } from '../../../src/cache/versions/cache-key.ts';
import { parseSnapshot, seesAllOf } from '../../../src/cache/versions/snapshot.ts';
import { TenantScope } from '../../../src/tenancy/tenant-scope.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { describeWithOwnRedis, redisTimeMs, startRedis, type TestRedis } from '../../support/redis.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { until } from '../../support/until.ts';
import { type Asked, BALANCES, balanceOf, connectPast, fillTwo, NORTH, startAsked, warm } from './fixture.ts';

/** How late at most a write past the API shows, whatever fails. */
const PROMISED_MS = 1_000;

describeWithOwnRedis('the outbox relay', () => {
  let redis: TestRedis;
  let database: TestDatabase;
  let past: pg.Client;
  let wayToRedis: TcpProxy;
  let relay: Asked;
  let standby: Asked;
  beforeAll(async () => {
    [redis, database] = await Promise.all([startRedis(), createTestDatabase()]);
    await fillTwo(database.url);
    past = await connectPast(database);
    wayToRedis = await startTcpProxy(redis.port);
    // The first one is elected before the second one is there.
    relay = await startAsked(database, { REDIS_URL: `redis://127.0.0.1:${wayToRedis.port}` });
    standby = await startAsked(database, { REDIS_URL: redis.url });
  });
  afterAll(async () => {
    await Promise.all([relay.close(), standby.close()]);
    await wayToRedis.close();
    await past.end();
    await database.drop();
    await redis.stop();
  });

  let balance = 100;
  /** Writes past the API, and waits until both services show it. */
  async function expectSeen(...services: Asked[]): Promise<void> {
    for (const service of services) await warm(service, BALANCES);
    await setBalance();
    for (const service of services) await until(async () => balanceOf((await service.ask(BALANCES)).data) === balance);
  }
  async function setBalance(): Promise<void> {
    await past.query("UPDATE bank_accounts SET balance = $1 WHERE tenant_id = $2 AND account_number = '0001'", [
      ++balance,
      NORTH,
    ]);
  }
  const terms = () => relay.changeFeed.state.terms + standby.changeFeed.state.terms;
  /** The connection that has the lock. */
  const relaysPid = async () =>
    (
      await past.query<{ pid: number }>(
        `SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted
         AND application_name = 'tenantry outbox reader' AND datname = current_database()`,
      )
    ).rows[0]?.pid;

  it('is one of all the processes, and relays for all', async () => {
    await until(() => relay.changeFeed.state.role === 'relay');
    expect(standby.changeFeed.state.role).toBe('standby');
    await expectSeen(relay, standby);
  });

  it('says nothing of a write while a process may have a lease on the versions before it', async () => {
    const admin = new Redis(redis.url);
    const key = versionsKey(TenantScope.ofOutboxRow(NORTH));
    await expectSeen(relay, standby);
    // Of a process that has died since: it is waited for until its lease is over.
    const leasedUntilMs = Math.floor(await redisTimeMs(admin)) + VERSIONS_LEASE_MS;
    const stored = JSON.parse((await admin.get(key)) ?? '');
    await admin.set(key, JSON.stringify({ ...stored, held: { ...stored.held, by: { dead: leasedUntilMs } } }));
    await setBalance();
    const { rows } = await past.query<{ snapshot: string }>('SELECT pg_current_snapshot()::text AS snapshot');
    const written = parseSnapshot(rows[0]?.snapshot ?? '');
    await until(async () => {
      const lease = JSON.parse((await admin.get(LEASE_KEY)) ?? '');
      return seesAllOf(parseSnapshot(lease.snapshot), written);
    });
    expect(await redisTimeMs(admin)).toBeGreaterThanOrEqual(leasedUntilMs);
    admin.disconnect();
  });

  it('is replaced when it cannot reach Redis any more', async () => {
    await expectSeen(relay, standby);
    wayToRedis.cut();
    await until(() => standby.changeFeed.state.role === 'relay');
    await expectSeen(standby);
    expect(balanceOf((await relay.ask(BALANCES)).data)).toBe(balance);
    wayToRedis.mend();
    await expectSeen(relay, standby);
  });

  it('is replaced when its connection to PostgreSQL is lost, and nothing is lost with it', async () => {
    for (const service of [relay, standby]) await warm(service, BALANCES);
    const before = terms();
    const first = await relaysPid();
    await past.query('SELECT pg_terminate_backend($1)', [first]);
    await setBalance();
    await until(async () => ![undefined, first].includes(await relaysPid()));
    for (const service of [relay, standby])
      await until(async () => balanceOf((await service.ask(BALANCES)).data) === balance);
    // Whoever it is now went on from where the first one had got to, instead of taking everything
    // for old.
    expect(terms()).toBe(before);
  });

  it('leaves nothing old behind when Redis hung', async () => {
    for (const service of [relay, standby]) await warm(service, BALANCES);
    redis.pause();
    await setBalance();
    const writtenMs = performance.now();
    await until(async () => balanceOf((await standby.ask(BALANCES)).data) === balance);
    await until(() => performance.now() - writtenMs > PROMISED_MS);
    redis.resume();
    for (const service of [relay, standby]) expect(balanceOf((await service.ask(BALANCES)).data)).toBe(balance);
    await expectSeen(relay, standby);
  });

  it('leaves nothing old behind when Redis was restarted empty', async () => {
    for (const service of [relay, standby]) await warm(service, BALANCES);
    await redis.kill();
    await setBalance();
    await redis.restart();
    for (const service of [relay, standby]) await until(async () => service.changeFeed.trust.isValid);
    for (const service of [relay, standby]) expect(balanceOf((await service.ask(BALANCES)).data)).toBe(balance);
    await expectSeen(relay, standby);
  });

  it('goes on when what lies in Redis under its keys is not its own', async () => {
    const { Redis } = await import('ioredis');
    const client = new Redis(redis.url);
    await client.set(`tenant:{${NORTH}}:versions`, 'not JSON');
    await client.set(LEASE_KEY, '{"term":1}');
    client.disconnect();
    await setBalance();
    for (const service of [relay, standby])
      await until(async () => balanceOf((await service.ask(BALANCES)).data) === balance);
    await expectSeen(relay, standby);
  });
});
