import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { FastRedis } from '../../src/cache/redis/redis.ts';
import { VERSIONS_LEASE_MS } from '../../src/cache/redis/timing.ts';
import { versionsKey } from '../../src/cache/versions/cache-key.ts';
import { LeasingVersions } from '../../src/cache/versions/leasing-versions.ts';
import type { OutboxChange } from '../../src/cache/versions/outbox-reader.ts';
import { RedisVersions, UntrustedBump } from '../../src/cache/versions/redis-versions.ts';
import { Trust, type TrustTerm } from '../../src/cache/versions/trust.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { describeWithOwnRedis, redisTimeMs, startRedis, type TestRedis } from '../support/redis.ts';
import { type RedisWatch, watchRedis } from '../support/redis-watch.ts';
import { until } from '../support/until.ts';

const SCOPE = TenantScope.ofOutboxRow('0190f3c2-0000-7000-8000-000000000001');
const OTHER = TenantScope.ofOutboxRow('0190f3c2-0000-7000-8000-000000000002');
const KEY = versionsKey(SCOPE);

describeWithOwnRedis('versions that processes have leases on', () => {
  let server: TestRedis;
  let admin: Redis;
  let here: Process;
  let there: Process;
  beforeAll(async () => {
    server = await startRedis();
    admin = new Redis(server.url);
    [here, there] = await Promise.all([startProcess(server), startProcess(server)]);
  });
  /** Nothing that is waited for is left of the test before. */
  beforeEach(async () => {
    for (const { untilLeased } of [here, there]) await untilLeased();
    for (const { versions } of [here, there]) await versions.bump(SCOPE, ['accounts']);
  });
  afterAll(async () => {
    await Promise.all([here.close(), there.close()]);
    admin.disconnect();
    await server.stop();
  });

  /** The scripts that have run on the tenant's versions since the watch began; ends it. */
  async function readings(watch: RedisWatch) {
    await watch.untilNow();
    watch.close();
    return watch.commands.filter(([name = '', ...rest]) => /^eval(sha)?$/i.test(name) && rest.includes(KEY));
  }

  it('are asked for once, and then taken for current without asking', async () => {
    const watch = await watchRedis(server.url);
    const first = await there.versions.read(SCOPE);
    for (let n = 0; n < 100; n++) expect(await there.versions.read(SCOPE)).toEqual(first);
    // Twice, should the time of the first be over meanwhile.
    expect((await readings(watch)).length).toBeLessThanOrEqual(2);
  });

  it('are asked for once by all who ask at once', async () => {
    await here.versions.bump(SCOPE, ['accounts']);
    const watch = await watchRedis(server.url);
    const all = await Promise.all(Array.from({ length: 20 }, () => there.versions.read(SCOPE)));
    expect(new Set(all).size).toBe(1);
    expect(await readings(watch)).toHaveLength(1);
  });

  it('are not leased when they are asked for now and then only', async () => {
    const another = await startProcess(server);
    const watch = await watchRedis(server.url);
    const seen = await another.versions.read(SCOPE);
    expect(await readings(watch)).toEqual([]);
    expect(another.versions.leased(SCOPE)).toBeUndefined();
    expect(seen).toEqual(await here.versions.read(SCOPE));
    await another.untilLeased();
    expect(another.versions.leased(SCOPE)).toEqual(seen);
    await another.close();
  });

  it('have their leases revoked by a bump before it is done, in every process, and no others', async () => {
    for (let n = 0; n < 50; n++) {
      await here.untilLeased();
      const [before, other] = [await here.versions.read(SCOPE), await here.versions.read(OTHER)];
      await there.versions.bump(SCOPE, ['accounts']);
      const after = await here.versions.read(SCOPE);
      expect(after).toEqual({ ...before, accounts: (before.accounts ?? 0) + 1 });
      expect(await there.versions.read(SCOPE)).toEqual(after);
      expect(await here.versions.read(OTHER)).toEqual(other);
    }
  });

  it('have their leases revoked by each of several bumps at once', async () => {
    await here.untilLeased();
    const before = await here.versions.read(SCOPE);
    const bumps = [here, there, there].map(({ versions }) => versions.bump(SCOPE, ['accounts']));
    await Promise.all(bumps);
    for (const { versions } of [here, there])
      expect((await versions.read(SCOPE)).accounts).toBe((before.accounts ?? 0) + 3);
  });

  it('are over before a bump is done that finds no list of leases', async () => {
    for (const lose of [() => admin.del(KEY), () => admin.flushall(), () => admin.set(KEY, 'not JSON')]) {
      await here.untilLeased();
      const before = await here.versions.read(SCOPE);
      await lose();
      await there.versions.bump(SCOPE, ['accounts']);
      expect((await here.versions.read(SCOPE)).epoch).not.toBe(before.epoch);
    }
  });

  it('are over before a bump is done that finds a list of another server or of another clock, or none', async () => {
    const inAnHour = Date.now() + 3_600_000;
    for (const held of [
      { server: 'another', since: 0, by: {} },
      { server: here.serverId, since: inAnHour, by: {} },
      { server: here.serverId, since: 0, by: { somebody: inAnHour } },
      { server: here.serverId, since: 0, by: { 'x y': 'soon' } },
      { server: here.serverId, since: 0, by: null },
      null,
    ]) {
      await here.untilLeased();
      const before = await here.versions.read(SCOPE);
      const stored = JSON.parse((await admin.get(KEY)) ?? '');
      await admin.set(KEY, JSON.stringify({ ...stored, held }));
      await there.versions.bump(SCOPE, ['accounts']);
      expect(await here.versions.read(SCOPE)).toEqual({ ...before, accounts: (before.accounts ?? 0) + 1 });
    }
  });

  it('are over before a bump is done that a process does not hear of', async () => {
    await here.untilLeased();
    const before = await here.versions.read(SCOPE);
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await there.versions.bump(SCOPE, ['accounts']);
    expect(await here.versions.read(SCOPE)).not.toEqual(before);
  });

  it('are waited for after a bump of the relay, which bumps for other tenants meanwhile', async () => {
    const accounts = async (scope: TenantScope) => (await there.versions.read(scope)).accounts ?? 0;
    // Again, should the machine stand still until the lease is over.
    await until(async () => {
      const stored = JSON.parse((await admin.get(KEY)) ?? '');
      stored.held.by.dead = (await redisTimeMs(admin)) + VERSIONS_LEASE_MS;
      await admin.set(KEY, JSON.stringify(stored));
      const before = [await accounts(SCOPE), await accounts(OTHER)];
      let isHeard = false;
      const { heard } = await here.versions.relay(here.serverId, [rowOf(SCOPE)]);
      heard?.then(() => {
        isHeard = true;
      });
      await here.versions.relay(here.serverId, [rowOf(OTHER)]);
      const after = [await accounts(SCOPE), await accounts(OTHER)];
      const wasWaitedFor = !isHeard;
      await heard;
      expect(after).toEqual(before.map((count) => count + 1));
      return wasWaitedFor;
    });
  });

  it('are dropped by the process that relays a bump, which is told by nobody', async () => {
    for (let n = 0; n < 10; n++) {
      await here.untilLeased();
      const before = await here.versions.read(SCOPE);
      await here.versions.relay(here.serverId, [rowOf(SCOPE)]);
      expect(here.versions.leased(SCOPE)).toBeUndefined();
      expect(await here.versions.read(SCOPE)).toEqual({ ...before, accounts: (before.accounts ?? 0) + 1 });
    }
  });

  it('are bumped once for a write of the API, by whoever comes first', async () => {
    const relay = (writeId: string) => here.versions.relay(here.serverId, [rowOf(SCOPE, writeId)]);
    const bump = (writeId: string) => there.versions.bump(SCOPE, ['accounts'], writeId);
    for (const both of [
      async (id: string) => [await relay(id), await bump(id)],
      async (id: string) => [await bump(id), await relay(id)],
      (id: string) => Promise.all([relay(id), bump(id)]),
    ]) {
      const before = await here.versions.read(SCOPE);
      await both(randomUUID());
      expect(await here.versions.read(SCOPE)).toEqual({ ...before, accounts: (before.accounts ?? 0) + 1 });
    }
  });

  it('are bumped by the relay for what the API’s own bump left out', async () => {
    const before = await here.versions.read(SCOPE);
    const writeId = randomUUID();
    await there.versions.bump(SCOPE, ['accounts'], writeId);
    await here.versions.relay(here.serverId, [{ ...rowOf(SCOPE, writeId), dependencies: 1 + 4 }]);
    expect(await here.versions.read(SCOPE)).toEqual({
      ...before,
      accounts: (before.accounts ?? 0) + 1,
      dashboard: (before.dashboard ?? 0) + 1,
    });
  });

  it('are over before a bump is done that the relay was first with, and whose revocation nobody heard', async () => {
    // Again, should the machine stand still until the lease is over.
    await until(async () => {
      const writeId = randomUUID();
      await there.untilLeased();
      const stored = JSON.parse((await admin.get(KEY)) ?? '');
      const leasedUntilMs = Math.floor(await redisTimeMs(admin)) + VERSIONS_LEASE_MS;
      await admin.set(KEY, JSON.stringify({ ...stored, held: { ...stored.held, by: { dead: leasedUntilMs } } }));
      const { heard } = await here.versions.relay(here.serverId, [rowOf(SCOPE, writeId)]);
      await there.versions.bump(SCOPE, ['accounts'], writeId);
      expect(await redisTimeMs(admin)).toBeGreaterThanOrEqual(leasedUntilMs);
      return heard !== undefined;
    });
  });

  it('are not said to be bumped by a process that does not trust this Redis', async () => {
    const redis = new FastRedis(server.url, () => {});
    const versions = new RedisVersions(redis, new Trust());
    await until(() => versions.bump(SCOPE, ['accounts']).then(...outcome(UntrustedBump)));
    await redis.close();
  });

  it('are taken from the Redis that is trusted alone, and those of one term never for another’s', async () => {
    const redis = new FastRedis(server.url, () => {});
    const versionsOf = (name: string, serverId: string) =>
      new RedisVersions(redis, new EndlessTrust({ name, serverId }));
    const read = (name: string) => versionsOf(name, here.serverId).read(SCOPE);
    await until(() =>
      read('one').then(
        () => true,
        () => false,
      ),
    );
    const elsewhere = versionsOf('one', 'another');
    await expect(elsewhere.read(SCOPE)).rejects.toThrow('not trusted');
    await expect(elsewhere.readWith(SCOPE, `${KEY}:entry`)).rejects.toThrow('not trusted');
    const [one, another, again] = [await read('one'), await read('another'), await read('one')];
    expect(again).toEqual(one);
    expect({ ...another, epoch: one.epoch }).toEqual(one);
    expect(another.epoch).not.toBe(one.epoch);
    await redis.close();
  });

  it('are not held by a process that would not hear of a bump', async () => {
    await admin.call('ACL', 'SETUSER', 'default', 'resetchannels');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(async () => !(await isHeld(here)) && !(await isHeld(there)));
    const lostMs = await redisTimeMs(admin);
    const before = await here.versions.read(SCOPE);
    await there.versions.bump(SCOPE, ['accounts']);
    expect(await here.versions.read(SCOPE)).not.toEqual(before);
    // What was held before is over by itself.
    const leasedUntilMs: number[] = Object.values(JSON.parse((await admin.get(KEY)) ?? '').held.by);
    expect(Math.max(0, ...leasedUntilMs)).toBeLessThan(lostMs + VERSIONS_LEASE_MS);
    await admin.call('ACL', 'SETUSER', 'default', 'allchannels');
  });
});

/** Without a lease to renew, on a machine that may stand still. */
class EndlessTrust extends Trust {
  constructor(private readonly only: TrustTerm) {
    super();
  }

  override get isValid(): boolean {
    return true;
  }

  override get term(): TrustTerm {
    return this.only;
  }
}

type Process = Awaited<ReturnType<typeof startProcess>>;

/** What a process of the service has of its own. */
async function startProcess(server: TestRedis) {
  const redis = new FastRedis(server.url, () => {});
  const askId = () => redis.run(async (_client, id) => id);
  await until(() =>
    askId().then(
      () => true,
      () => false,
    ),
  );
  const serverId = await askId();
  const trust = new EndlessTrust({ name: 'term', serverId });
  const versions = new LeasingVersions(new RedisVersions(redis, trust), redis, trust);
  const process = {
    serverId,
    versions,
    /**
     * Resolves when it holds the versions, as a process does that listens and asks for them again
     * and again.
     */
    untilLeased: () => until(() => isHeld(process)),
    async close() {
      versions.close();
      await redis.close();
    },
  };
  return process;
}

/** Whether the process need not ask for what it has just read. */
async function isHeld({ versions }: { versions: LeasingVersions }): Promise<boolean> {
  await versions.read(SCOPE);
  return !(versions.read(SCOPE) instanceof Promise);
}

/** A row of the outbox that tells of accounts. */
function rowOf({ tenantId }: TenantScope, writeId: string | null = null): OutboxChange {
  return { tenantId, dependencies: 1, writeId };
}

/** For a promise that is to be rejected with such an error. */
function outcome(kind: new (...parameters: never[]) => Error) {
  return [() => false, (error: unknown) => error instanceof kind] as const;
}
