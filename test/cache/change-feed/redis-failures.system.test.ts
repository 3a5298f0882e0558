import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Role } from '../../../src/auth/caller.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { sendTo } from '../../support/service.ts';
import { type ServiceProcess, startServiceProcess } from '../../support/service-process.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { until } from '../../support/until.ts';
import { type Asked, BALANCES, balanceOf, bookOne, connectPast, fillTwo, NORTH, startAsked, warm } from './fixture.ts';

const VERSIONS = `tenant:{${NORTH}}:versions`;

describeWithOwnRedis('no answer is older than an acknowledged write', () => {
  let redis: TestRedis;
  let admin: Redis;
  let database: TestDatabase;
  let past: pg.Client;
  let wayToRedis: TcpProxy;
  let killed: ServiceProcess;
  let reader: Asked;
  let writer: Asked;
  beforeAll(async () => {
    [redis, database] = await Promise.all([startRedis(), createTestDatabase()]);
    await fillTwo(database.url);
    admin = connect(redis);
    past = await connectPast(database);
    wayToRedis = await startTcpProxy(redis.port);
    const env = { REDIS_URL: `redis://127.0.0.1:${wayToRedis.port}` };
    killed = await startServiceProcess(database.url, env);
    [reader, writer] = await Promise.all([startAsked(database, env), startAsked(database, env)]);
  });
  beforeEach(async () => {
    for (const service of [reader, writer]) await warm(service, BALANCES);
  });
  afterAll(async () => {
    await Promise.all([reader.close(), writer.close(), killed.kill()]);
    await wayToRedis.close();
    admin.disconnect();
    await past.end();
    await database.drop();
    await redis.stop();
  });

  let booked = 0;
  const book = () => bookOne(writer, `movement ${++booked}`);
  const bookPast = () =>
    past.query(`UPDATE bank_accounts SET balance = $1 WHERE tenant_id = $2 AND account_number = '0001'`, [
      ++booked,
      NORTH,
    ]);
  /**
   * Asks both until they answer from the cache again. What they answer until then, and what they
   * kept, shows the last write.
   */
  async function expectCurrent(): Promise<void> {
    for (const service of [reader, writer]) {
      for (;;) {
        const { data, status } = await service.ask(BALANCES);
        expect(balanceOf(data)).toBe(booked);
        if (status === 'tenantry; hit') break;
        await wait(5);
      }
    }
  }

  /**
   * Ends the relay's connection until it is the process that will be killed: on a busy machine
   * the first one is replaced.
   */
  async function electKilledOne(): Promise<void> {
    await until(async () => {
      const { rows } = await past.query<{ pid: number }>(
        `SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted
         AND application_name = 'tenantry outbox reader' AND datname = current_database()`,
      );
      const isOurs = [reader, writer].some(({ changeFeed }) => changeFeed.state.role === 'relay');
      if (isOurs)
        await past.query('SELECT pg_terminate_backend(pid) FROM unnest($1::integer[]) AS pid', [
          rows.map(({ pid }) => pid),
        ]);
      return rows.length > 0 && !isOurs;
    });
  }

  it('in a process that stood still while it was written', async () => {
    const token = await reader.token(Role.ADMIN, 'north');
    const ask = () => sendTo(killed.url, token, BALANCES);
    // Of what it finds in its own memory it holds the versions from then on.
    await until(async () => (await ask()).headers.get('cache-status')?.includes('memory') ?? false);
    killed.pause();
    await book();
    const answer = ask();
    killed.resume();
    expect(balanceOf((await answer).data)).toBe(booked);
    await expectCurrent();
  });

  it('when the process that relays is killed, nor one past the API kept hidden', async () => {
    await electKilledOne();
    for (const service of [reader, writer]) await warm(service, BALANCES);
    await killed.kill();
    await book();
    await expectCurrent();
    await bookPast();
    for (const service of [reader, writer])
      await until(async () => balanceOf((await service.ask(BALANCES)).data) === booked);
    await expectCurrent();
  });

  it('when Redis comes back with the data of before the write', async () => {
    await admin.save();
    await book();
    const versions = await admin.get(VERSIONS);
    await redis.restart();
    admin = connect(redis, admin);
    expect([null, versions]).not.toContain(await admin.get(VERSIONS));
    await expectCurrent();
  });

  it('when the memory of Redis is full, nor when there is room again', async () => {
    await admin.config('SET', 'maxmemory', '1');
    await expect(admin.set('more', 'x')).rejects.toThrow(/OOM/);
    await book();
    for (const service of [reader, writer]) expect(balanceOf((await service.ask(BALANCES)).data)).toBe(booked);
    await bookPast();
    for (const service of [reader, writer])
      await until(async () => balanceOf((await service.ask(BALANCES)).data) === booked);
    await admin.config('SET', 'maxmemory', '0');
    await expectCurrent();
  });

  it('when a replica takes over that the write had not reached', async () => {
    const replica = await startRedis({ settings: { replicaof: `127.0.0.1 ${redis.port}` } });
    const promoted = connect(replica);
    await until(async () => (await promoted.info('replication')).includes('master_link_status:up'));
    for (const service of [reader, writer]) await warm(service, BALANCES);
    expect(await admin.wait(1, 5_000)).toBe(1);
    await promoted.replicaof('NO', 'ONE');
    await book();
    expect([null, await admin.get(VERSIONS)]).not.toContain(await promoted.get(VERSIONS));
    wayToRedis.cut();
    await redis.kill();
    wayToRedis.leadTo(replica.port);
    wayToRedis.mend();
    await expectCurrent();
    await bookPast();
    for (const service of [reader, writer])
      await until(async () => balanceOf((await service.ask(BALANCES)).data) === booked);
    promoted.disconnect();
    await replica.stop();
  });
});

/** A connection of a test's own, instead of one whose server is gone. */
function connect({ url }: TestRedis, gone?: Redis): Redis {
  gone?.disconnect();
  return new Redis(url).on('error', () => {}); // a test kills the server
}
