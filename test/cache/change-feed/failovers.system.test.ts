import { Redis } from 'ioredis';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { until } from '../../support/until.ts';
import { type Asked, BALANCES, balanceOf, bookOne, connectPast, fillTwo, NORTH, startAsked, warm } from './fixture.ts';

const VERSIONS = `tenant:{${NORTH}}:versions`;
/** A replica is given what its master has at once. */
const SETTINGS = { 'repl-diskless-sync-delay': '0' };

describeWithOwnRedis('no answer is older than an acknowledged write when Redis fails over', () => {
  let old: TestRedis;
  let next: TestRedis;
  let onOld: Redis;
  let onNext: Redis;
  let database: TestDatabase;
  let past: pg.Client;
  let ways: TcpProxy[];
  let reader: Asked;
  let writer: Asked;
  beforeAll(async () => {
    database = await createTestDatabase();
    await fillTwo(database.url);
    past = await connectPast(database);
  });
  afterAll(async () => {
    await past.end();
    await database.drop();
  });
  beforeEach(async () => {
    old = await startRedis({ settings: SETTINGS });
    next = await startRedis({ settings: { ...SETTINGS, replicaof: `127.0.0.1 ${old.port}` } });
    [onOld, onNext] = [connect(old), connect(next)];
    await untilInSync(onNext);
    ways = [await startTcpProxy(old.port), await startTcpProxy(old.port)];
    const [toReader, toWriter] = ways.map(({ port }) => ({ REDIS_URL: `redis://127.0.0.1:${port}` }));
    [reader, writer] = await Promise.all([startAsked(database, toReader), startAsked(database, toWriter)]);
    for (const service of [reader, writer]) await warm(service, BALANCES);
  });
  afterEach(async () => {
    await Promise.all([reader.close(), writer.close()]);
    for (const way of ways) await way.close();
    for (const admin of [onOld, onNext]) admin.disconnect();
    await Promise.all([old.stop(), next.stop()]);
  });

  let booked = 0;
  const book = () => bookOne(writer, `movement ${++booked}`);
  const shown = async (service: Asked) => balanceOf((await service.ask(BALANCES)).data);
  /** Neither shows less than was written, again and again until both answer from the cache. */
  async function expectCurrent(): Promise<void> {
    for (const service of [reader, writer])
      await until(async () => {
        const { data, status } = await service.ask(BALANCES);
        expect(balanceOf(data)).toBe(booked);
        return status === 'tenantry; hit';
      });
  }
  /** The replica stands still with what it has now, and takes writes when it is asked. */
  const promote = (redis: Redis) => redis.replicaof('NO', 'ONE');
  function lead({ port }: TestRedis, ...which: TcpProxy[]): void {
    for (const way of which) {
      way.cut();
      way.leadTo(port);
      way.mend();
    }
  }
  const accounts = async (redis: Redis) => JSON.parse((await redis.get(VERSIONS)) ?? '{}').accounts ?? 0;

  it.each([
    ['after the other one was in use', true],
    ['before the other one was in use', false],
  ])('to a replica that lags, and back %s to the master that never restarted', async (_, isUsed) => {
    await promote(onNext);
    // The replica has none of these. The reader has an answer under the versions after each.
    for (let n = 0; n < 4; n++) {
      await book();
      await expectCurrent();
    }
    const lost = await accounts(onOld);
    if (isUsed) {
      lead(next, ...ways);
      await expectCurrent();
      await book();
      await expectCurrent();
    }
    for (const way of ways) way.cut();
    await onOld.replicaof('127.0.0.1', String(next.port));
    await untilInSync(onOld);
    await promote(onOld);
    expect(await accounts(onOld)).toBeLessThan(lost);
    lead(old, ...ways);
    // The counter passes through the values that were lost, whoever bumps.
    while ((await accounts(onOld)) <= lost) {
      await book();
      for (const service of [reader, writer]) expect(await shown(service)).toBe(booked);
      await expectCurrent();
    }
  });

  it('and a process stays on the demoted master', async () => {
    const [toReader, toWriter] = ways as [TcpProxy, TcpProxy];
    await promote(onNext);
    await onOld.replicaof('127.0.0.1', String(next.port));
    lead(next, toWriter);
    for (let n = 0; n < 15; n++) {
      await book();
      expect(await shown(reader)).toBe(booked);
    }
    await untilInSync(onOld);
    // Its lease is there by replication, and names the new master.
    await until(() => writer.changeFeed.trust.isValid);
    expect(reader.changeFeed.trust.isValid).toBe(false);
    const ready = await fetch(`${reader.url}/health/ready`);
    expect(await ready.json()).toMatchObject({ status: 'ok', checks: { redis: 'down' } });
    // It has left that server, and comes back to none but a master.
    toReader.leadTo(next.port);
    await expectCurrent();
  });

  it('and a mutation of a process on the demoted master finds the new one', async () => {
    await promote(onNext);
    await onOld.replicaof('127.0.0.1', String(next.port));
    for (const way of ways) way.leadTo(next.port); // open connections stay where they are
    await book();
    for (const service of [reader, writer]) expect(await shown(service)).toBe(booked);
    await expectCurrent();
  });
});

const untilInSync = (replica: Redis) =>
  until(async () => (await replica.info('replication')).includes('master_link_status:up'));

/** A connection of the test's own. */
function connect({ url }: TestRedis): Redis {
  return new Redis(url).on('error', () => {}); // the server ends before
}
