import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { ChangeFeedState } from '../../../src/cache/change-feed/change-feed.ts';
import { DatabaseIdentity } from '../../../src/cache/change-feed/database-identity.ts';
import { LeadershipTerm, OtherDatabase } from '../../../src/cache/change-feed/leadership-term.ts';
import { LEASE_KEY, type Lease, LeaseStore } from '../../../src/cache/change-feed/lease-store.ts';
import { LeaseWatch } from '../../../src/cache/change-feed/lease-watch.ts';
import { FastRedis } from '../../../src/cache/redis/redis.ts';
import { LEASE_MS } from '../../../src/cache/redis/timing.ts';
import { versionsKey } from '../../../src/cache/versions/cache-key.ts';
import { OutboxReader } from '../../../src/cache/versions/outbox-reader.ts';
import { RedisVersions } from '../../../src/cache/versions/redis-versions.ts';
import { parseSnapshot, seesAllOf } from '../../../src/cache/versions/snapshot.ts';
import { Trust } from '../../../src/cache/versions/trust.ts';
import type { SharedVersions } from '../../../src/cache/versions/versions.ts';
import { SERVICE_ROLE } from '../../../src/database/service-rights.ts';
import { TenantDatabase } from '../../../src/tenancy/tenant-database.ts';
import { TenantScope } from '../../../src/tenancy/tenant-scope.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { describeWithOwnRedis, redisTimeMs, startRedis, type TestRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { connectPast, fillTwo, NORTH } from './fixture.ts';

const VERSIONS = versionsKey(TenantScope.ofOutboxRow(NORTH));

/** Each step of a relay is taken by the test. */
describeWithOwnRedis('a leadership term', () => {
  let server: TestRedis;
  let admin: Redis;
  let redis: FastRedis;
  let database: TestDatabase;
  let pool: TenantDatabase;
  let past: pg.Client;
  let reader: OutboxReader;
  let leases: LeaseStore;
  let serverId: string;
  beforeAll(async () => {
    [server, database] = await Promise.all([startRedis(), createTestDatabase()]);
    await fillTwo(database.url);
    past = await connectPast(database);
    pool = new TenantDatabase({ url: database.url, poolSize: 1, statementTimeoutMs: 10_000, takeServiceRole: true });
    admin = new Redis(server.url);
    redis = new FastRedis(server.url, () => {});
    leases = new LeaseStore(redis);
    await until(() => redis.check().then(...yesOrNo));
    serverId = await redis.run(async (_client, id) => id);
  });
  afterAll(async () => {
    await redis.close();
    admin.disconnect();
    await past.end();
    await pool.close();
    await database.drop();
    await server.stop();
  });
  beforeEach(async () => {
    await admin.flushall();
    await past.query('DELETE FROM cache_trust');
    reader = await OutboxReader.open({ url: database.url, role: SERVICE_ROLE });
  });
  afterEach(() => reader.close());

  const plainVersions = () => new RedisVersions(redis, new Trust());
  const begin = (state = new ChangeFeedState(), versions: SharedVersions = plainVersions()) =>
    LeadershipTerm.begin({ reader, leases, versions, serverId, state });
  const lease = async () => JSON.parse((await admin.get(LEASE_KEY)) ?? 'null') as Lease;
  const accounts = async () => JSON.parse((await admin.get(VERSIONS)) ?? '{}').accounts ?? 0;
  /** A write of an API that shares the database, but not the Redis. */
  const writeElsewhere = () =>
    past.query(`BEGIN; SET LOCAL app.write_id = '${randomUUID()}';
      UPDATE bank_accounts SET balance = balance + 1 WHERE tenant_id = '${NORTH}'; COMMIT`);
  const snapshotNow = async () =>
    (await past.query<{ snapshot: string }>('SELECT pg_current_snapshot()::text AS snapshot')).rows[0]?.snapshot ?? '';

  it('has a write that another Redis was told of in its versions, and in its lease, with the first poll that sees it', async () => {
    const term = await begin();
    await term.step();
    await term.step();
    const before = await accounts();
    await writeElsewhere();
    const written = parseSnapshot(await snapshotNow());
    await term.step();
    expect(await accounts()).toBe(before + 1);
    expect(seesAllOf(parseSnapshot((await lease()).snapshot), written)).toBe(true);
  });

  it('goes on with the next relay, from the checkpoint', async () => {
    const first = await begin();
    await first.step();
    const { term } = await lease();
    await writeElsewhere();
    const state = new ChangeFeedState();
    await (await begin(state)).step();
    expect((await lease()).term).toBe(term);
    expect(state).toMatchObject({ terms: 0, rowsRead: 1 });
    expect(await accounts()).toBe(1);
  });

  it.each<[string, (lease: Lease) => Partial<Lease>]>([
    ['was written to another Redis', () => ({ server: 'another' })],
    ['is of another database, and over', () => ({ database: 'another', untilMs: 0 })],
    ['is of a time when other triggers fired', () => ({ triggers: 'others' })],
    ['is of earlier rows than those that are there', () => ({ snapshot: '3:3:' })],
  ])('is a new one where the lease that is found %s', async (_, change) => {
    await (await begin()).step();
    await past.query("UPDATE cache_outbox_horizon SET removed = '10:10:'");
    const found = await lease();
    await admin.set(LEASE_KEY, JSON.stringify({ ...found, ...change(found) }));
    const state = new ChangeFeedState();
    await (await begin(state)).step();
    expect(state.terms).toBe(1);
    const { term, server: home } = await lease();
    expect(term).not.toBe(found.term);
    expect(home).toBe(serverId);
    await past.query('UPDATE cache_outbox_horizon SET removed = NULL');
  });

  it('does not begin, and announces nothing, while another database keeps its lease', async () => {
    await (await begin()).step();
    await past.query('DELETE FROM cache_trust');
    const nowMs = await redisTimeMs(admin);
    const other = { ...(await lease()), database: 'another', seenAtMs: nowMs, untilMs: nowMs + 3_600_000 };
    await admin.set(LEASE_KEY, JSON.stringify(other));
    await expect(begin()).rejects.toThrow(OtherDatabase);
    expect(await lease()).toEqual(other);
    expect((await past.query('SELECT FROM cache_trust')).rowCount).toBe(0);
  });

  it('is over when another database has its lease there, which stays', async () => {
    const term = await begin();
    await term.step();
    const nowMs = await redisTimeMs(admin);
    const other = { ...(await lease()), database: 'another', seenAtMs: nowMs, untilMs: nowMs + 3_600_000 };
    await admin.set(LEASE_KEY, JSON.stringify(other));
    await expect(until(() => term.step().then(() => false))).rejects.toThrow(OtherDatabase);
    expect(await lease()).toEqual(other);
  });

  it('says no more in its lease, and for no longer, while a bump is not heard everywhere', async () => {
    let hear = () => {};
    const heard = new Promise<void>((resolve) => {
      hear = resolve;
    });
    const versions = plainVersions();
    const relay = versions.relay.bind(versions);
    versions.relay = async (...bumps) => ({ ...(await relay(...bumps)), heard });
    const term = await begin(new ChangeFeedState(), versions);
    await term.step();
    const before = await lease();
    await writeElsewhere();
    const written = parseSnapshot(await snapshotNow());
    // Renewed several times meanwhile, each time by a later clock.
    for (let renewals = 0; renewals < 3; renewals++) {
      const { lastLeaseMs } = term;
      await until(() => term.step().then(() => term.lastLeaseMs !== lastLeaseMs));
      const { snapshot, seenAtMs, untilMs } = await lease();
      expect(untilMs).toBe(seenAtMs + LEASE_MS);
      expect(seesAllOf(parseSnapshot(snapshot), written)).toBe(false);
    }
    expect(await accounts()).toBe(1);
    hear();
    await until(() => term.step().then(async () => seesAllOf(parseSnapshot((await lease()).snapshot), written)));
    expect((await lease()).seenAtMs).toBeGreaterThan(before.seenAtMs);
  });

  it('gives no lease while another Redis may be trusted yet, though it bumps meanwhile', async () => {
    await past.query("INSERT INTO cache_trust VALUES ('another', gen_random_uuid())");
    const term = await begin();
    const beganMs = await redisTimeMs(admin);
    await term.step();
    await writeElsewhere();
    await term.step();
    expect(await accounts()).toBe(1);
    await until(() => term.step().then(async () => (await lease()) !== null));
    expect(await redisTimeMs(admin)).toBeGreaterThanOrEqual(beganMs + LEASE_MS);
  });

  it('is over for a server that was a replica meanwhile, however short', async () => {
    const term = await begin();
    await term.step();
    const { term: before } = await lease();
    await admin.replicaof('127.0.0.1', '1');
    await admin.replicaof('NO', 'ONE');
    await expect(until(() => term.step().then(() => false))).rejects.toThrow('replica');
    await until(() => redis.check().then(...yesOrNo));
    expect(redis.serverId).not.toBe(serverId);
    serverId = redis.serverId as string;
    const next = await begin();
    await until(() => next.step().then(async () => (await lease()).term !== before));
  });

  it('is trusted by processes of the same Redis and database alone, and not for longer than a lease, whatever it says', async () => {
    const trust = new Trust();
    let watch: LeaseWatch | undefined;
    let readings = 0;
    const counted = {
      async read() {
        readings++;
        return leases.read();
      },
    };
    await (await begin()).step();
    const nowMs = await redisTimeMs(admin);
    const endless = { ...(await lease()), seenAtMs: nowMs, untilMs: nowMs + 3_600_000 };
    for (const other of [{ server: 'another' }, { database: 'another' }, { seenAtMs: nowMs + 3_500_000 }]) {
      await admin.set(LEASE_KEY, JSON.stringify({ ...endless, ...other }));
      // The second one begins after the first was judged.
      watch ??= new LeaseWatch({ leases: counted, trust, database: new DatabaseIdentity(pool) });
      const before = readings;
      await until(() => readings >= before + 3);
      expect(trust.isValid).toBe(false);
    }
    await admin.set(LEASE_KEY, JSON.stringify(endless));
    await until(() => trust.term?.name === endless.term);
    await until(() => !trust.isValid);
    await watch?.stop();
  });
});

const yesOrNo = [() => true, () => false] as const;
