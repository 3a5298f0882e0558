import { Writable } from 'node:stream';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const SLUG = 'metered';
const BALANCES = 'query Balances { accounts(first: 5) { nodes { bankName balance } } }';
const TOTALS = 'query Totals { dashboard { at: generatedAt overview { totalAccounts } } }';

describeWithRedis('hits that are computed once more', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let proxy: TcpProxy;
  let service: TestService;
  let token: string;
  let tenantId: string;
  const logged: Record<string, unknown>[] = [];
  const log = new Writable({
    write(line, _encoding, done) {
      logged.push(JSON.parse(String(line)));
      done();
    },
  });

  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), startRedis()]);
    tenantId = await insertTenant(database.url, { slug: SLUG });
    await insertAccounts(database.url, tenantId, [{ accountNumber: '1' }, { accountNumber: '2' }]);
    proxy = await startTcpProxy(Number(new URL(database.url).port));
    const url = Object.assign(new URL(database.url), { port: String(proxy.port) }).href;
    service = await startService({
      log,
      database: { ...database, url },
      directUrl: database.url,
      env: { REDIS_URL: redis.url, CONSISTENCY_SAMPLE: '1' },
    });
    token = await service.token(Role.ANALYST, SLUG);
    return async () => {
      await service.close();
      await redis.stop();
      await proxy.close();
      await database.drop();
    };
  });

  const counts = () => Object.fromEntries(service.services.monitor.consistency);
  let before: Record<string, number>;
  beforeEach(async () => {
    await service.untilCaughtUp();
    before = counts();
  });
  /** What came of the checks of this test. */
  const results = () =>
    Object.fromEntries(
      Object.entries(counts())
        .map(([result, count]) => [result, count - (before[result] as number)])
        .filter(([, count]) => count !== 0),
    );

  let sent = 0;
  const isHit = async (query: string) => {
    sent++;
    return /; hit/.test((await service.send(token, query)).headers.get('cache-status') ?? '');
  };

  /** Asks until a hit has been checked. @returns what came of it */
  async function checked(query: string): Promise<Record<string, number>> {
    await expect.poll(async () => (await isHit(query)) && Object.keys(results()).length > 0).toBe(true);
    return results();
  }

  /** What began before may end in another way. */
  async function untilResult(query: string, result: string): Promise<void> {
    await expect.poll(async () => (await isHit(query)) && (results()[result] ?? 0) > 0).toBe(true);
  }

  test('are equal, though computed at another time, and cost the tenant nothing', async () => {
    for (const query of [BALANCES, TOTALS]) {
      before = counts();
      await untilResult(query, 'equal');
      expect(results().differs).toBeUndefined();
    }
    const { operations, usage } = service.services.monitor;
    const answers = [...operations.values()].flatMap(({ durations }) => Object.values(durations));
    expect(answers.reduce((sum, { count }) => sum + count, 0)).toBe(sent);
    expect([...usage.totals()].map(([, { requests }]) => requests)).toEqual([sent]);
  });

  test('take the place of nothing that is kept', async () => {
    await untilResult(TOTALS, 'equal');
    const { memoryBytes } = service.services.cache;
    before = counts();
    await untilResult(TOTALS, 'equal');
    expect(service.services.cache.memoryBytes).toBe(memoryBytes);
  });

  test('differ when rows were changed unseen, which is told without a value of the tenant', async () => {
    await checked(BALANCES);
    before = counts();
    logged.length = 0;
    await pastTheOutbox(`UPDATE bank_accounts SET bank_name = 'Unseen' WHERE tenant_id = '${tenantId}'`);
    await untilResult(BALANCES, 'differs');
    expect(logged[0]).toEqual(
      expect.objectContaining({
        level: 50,
        msg: 'an answer from the cache is not what PostgreSQL says under the same versions',
        operation: 'Balances',
        tenantId,
        namespaces: expect.arrayContaining(['accounts']),
        keyHash: expect.stringMatching(/^[\da-f]{16}$/),
        versions: expect.objectContaining({ epoch: expect.any(String) }),
      }),
    );
    expect(JSON.stringify(logged)).not.toMatch(/Unseen|bankName/);
    await withClient(database.url, (client) => client.query('UPDATE bank_accounts SET balance = balance')); // seen
  });

  test('give no verdict when something is written meanwhile, and hits are answered all the while', async () => {
    await checked(BALANCES);
    await withClient(database.url, async (client) => {
      await client.query('BEGIN; LOCK TABLE bank_accounts IN ACCESS EXCLUSIVE MODE');
      const waits = async () => {
        const { rows } = await client.query(
          "SELECT FROM pg_locks WHERE NOT granted AND relation = 'bank_accounts'::regclass",
        );
        return rows.length;
      };
      await expect.poll(async () => (await isHit(BALANCES)) && (await waits())).toBe(1);
      before = counts();
      for (let n = 0; n < 5; n++) expect(await isHit(BALANCES)).toBe(true);
      await client.query(`UPDATE bank_accounts SET balance = balance + 1 WHERE tenant_id = '${tenantId}'`);
      await client.query('COMMIT');
    });
    await expect.poll(() => results().changed).toBe(1);
    expect(results().differs).toBeUndefined();
  });

  test('fail when PostgreSQL is gone, which no client sees', async () => {
    await checked(BALANCES);
    before = counts();
    proxy.cut();
    const failed = async () => {
      if (await isHit(BALANCES)) return results().failed ?? 0;
      proxy.mend(); // it was not trusted for a moment, and must be computed
      await checked(BALANCES);
      proxy.cut();
      return 0;
    };
    await expect.poll(failed).toBeGreaterThan(0);
    expect(results().differs).toBeUndefined();
    proxy.mend();
  });

  test('are none while the service stops', async () => {
    await checked(BALANCES);
    service.beginDraining();
    before = counts();
    for (let n = 0; n < 5; n++) expect(await isHit(BALANCES)).toBe(true);
    expect(results()).toEqual({});
  });

  /** What would tell of the write is taken away before anybody could see it. */
  async function pastTheOutbox(sql: string): Promise<void> {
    await withClient(database.url, (client) =>
      client.query(`BEGIN; ${sql}; DELETE FROM cache_outbox WHERE tenant_id = '${tenantId}'; COMMIT`),
    );
  }
});
