import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { FastRedis } from '../../src/cache/redis/redis.ts';
import { LoadLocks } from '../../src/cache/store/load-lock.ts';
import { loadKey } from '../../src/cache/versions/cache-key.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { watchRedis } from '../support/redis-watch.ts';
import { until } from '../support/until.ts';

const HOLDER = path.join(import.meta.dirname, 'hold-lock.ts');
const SCOPE = TenantScope.ofOutboxRow('0190f3c2-0000-7000-8000-000000000001');
const VERSIONS = { epoch: 'e', accounts: 1 };
const KEY = loadKey(SCOPE, 'entry', VERSIONS);

describeWithOwnRedis('one load among processes', () => {
  let server: TestRedis;
  let admin: Redis;
  let here: Process;
  let there: Process;
  beforeAll(async () => {
    server = await startRedis();
    admin = new Redis(server.url);
    [here, there] = await Promise.all([startProcess(server), startProcess(server)]);
  });
  beforeEach(async () => {
    await Promise.all([admin.flushall(), here.rest(), there.rest()]);
  });
  afterAll(async () => {
    await Promise.all([here.close(), there.close()]);
    admin.disconnect();
    await server.stop();
  });

  it('lets the first one load at once, and gives the others what it stored', async () => {
    const first = await here.turn();
    expect(first.looked).toBeUndefined();
    const second = there.turn();
    await there.untilWaiting();
    await admin.set('entry', 'answer');
    await first.end();
    expect((await second).looked).toBe('answer');
  });

  it('tells whoever looked too early that the load is over', async () => {
    const first = await here.turn();
    await admin.set('entry', 'answer');
    await first.end();
    expect((await there.turn()).looked).toBe('answer');
  });

  it('lets all load at once when the answer was not stored', async () => {
    const failing = await here.turn();
    const waiting = [there.turn(), there.turn(), there.turn()];
    await there.untilWaiting();
    await failing.end();
    const turns = await Promise.all(waiting);
    expect(turns.map(({ looked }) => looked)).toEqual([null, null, null]);
    expect((await here.turn()).looked).toBeNull();
  });

  it('lets one take over from a holder that was killed', async () => {
    const mortal = fork(HOLDER, [server.url, KEY], { execArgv: ['--import', '@oxc-node/core/register'] });
    await once(mortal, 'message');
    const waiting = [here.turn(), there.turn()];
    await Promise.all([here.untilWaiting(), there.untilWaiting()]);
    mortal.kill('SIGKILL');
    await once(mortal, 'exit');
    const next = await Promise.race(waiting);
    const holder = await admin.get(KEY);
    await admin.set('entry', 'answer');
    await next.end();
    const turns = await Promise.all(waiting);
    expect(holder).not.toBeNull();
    expect(turns.map(({ looked }) => looked).sort()).toEqual(['answer', null]);
  });

  it('keeps the lock of a holder that takes longer than the lock lasts', async () => {
    const slow = await here.turn();
    await admin.pexpire(KEY, 400);
    await until(async () => (await admin.pttl(KEY)) > 400);
    const second = there.turn();
    await there.untilWaiting();
    await admin.set('entry', 'answer');
    await slow.end();
    expect((await second).looked).toBe('answer');
  });

  it('renews no lock of another, and is over for both when the first of them has stored its answer', async () => {
    const late = await here.turn();
    await admin.del(KEY);
    const next = await there.turn();
    const holder = await admin.get(KEY);
    const watch = await watchRedis(server.url);
    const renewals = () => watch.commands.filter(([command]) => command?.toLowerCase().startsWith('eval'));
    await watch.until(() => new Set(renewals().map(([, , , , token]) => token)).size === 2);
    await watch.untilNow();
    watch.close();
    expect(await admin.get(KEY)).toBe(holder);
    await late.end();
    expect(await admin.get(KEY)).toBe('over');
    await next.end();
    expect(await admin.get(KEY)).toBe('over');
  });

  it('waits no longer than a load may take', async () => {
    await here.turn();
    const impatient = new LoadLocks(there.redis, 1);
    const { looked } = await impatient.turn(KEY, there.look, isFound);
    expect(looked).toBeNull();
  });

  it('makes nobody wait for a load that began under other versions', async () => {
    await here.turn();
    const later = loadKey(SCOPE, 'entry', { ...VERSIONS, accounts: 2 });
    expect((await there.locks.turn(later, there.look, isFound)).looked).toBeUndefined();
  });

  it('is gone without when Redis goes, before or while it is waited for', async () => {
    const own = await startRedis();
    const [holder, waiter] = await Promise.all([startProcess(own), startProcess(own)]);
    const held = await holder.turn();
    const waiting = waiter.turn();
    await waiter.untilWaiting();
    await own.kill();
    await (await waiting).end();
    await held.end();
    expect((await waiter.turn()).looked).toBeUndefined();
    await Promise.all([holder.close(), waiter.close()]);
    await own.stop();
  });
});

type Process = Awaited<ReturnType<typeof startProcess>>;

/** What a process of the service has of its own: a connection, and through it the locks. */
async function startProcess(server: TestRedis) {
  const redis = new FastRedis(server.url, () => {});
  const locks = new LoadLocks(redis, 10_000);
  const observer = new Redis(server.url).on('error', () => {}); // a test kills the server
  const id = await untilConnected(redis);
  const look = () => redis.run((client) => client.get('entry')).catch(() => null);
  return {
    redis,
    locks,
    look,
    /** Its last command is none of those that are looked for here. */
    rest: () => redis.run((client) => client.ping()),
    turn: () => locks.turn(KEY, look, isFound),
    /** Resolves when it has asked whether the holder still holds. */
    untilWaiting: () => until(async () => / cmd=get /.test(String(await observer.client('LIST', 'ID', id)))),
    async close() {
      observer.disconnect();
      await redis.close();
    },
  };
}

async function untilConnected(redis: FastRedis): Promise<number> {
  let id: number | undefined;
  await until(async () => {
    id = await redis.run((client) => client.client('ID')).catch(() => undefined);
    return id !== undefined;
  });
  return id as number;
}

function isFound(looked: string | null): boolean {
  return looked !== null;
}
