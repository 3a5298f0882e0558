import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OperatorError } from '../../../src/errors.ts';
import { describeIf } from '../../support/left-out.ts';
import { findPgbouncer, type Pooler, startPgbouncer } from '../../support/pgbouncer.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { describeWithOwnRedis, startRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { type Asked, BALANCES, balanceOf, connectPast, fillTwo, NORTH, startAsked, warm } from './fixture.ts';

describe('an outbox reader that may not see what is written, without Redis', () => promises(async () => ({})));

describeWithOwnRedis('an outbox reader that may not see what is written, with Redis', () => {
  promises(async (cleanup) => {
    const redis = await startRedis();
    cleanup.push(() => redis.stop());
    return { REDIS_URL: redis.url };
  });
});

const AWAKE = 'ALTER TABLE bank_accounts ENABLE ALWAYS TRIGGER cache_outbox_update';
const VISIBLE = "ALTER POLICY followed ON cache_outbox USING (current_setting('app.directory', true) = 'on')";

type Cleanup = (() => Promise<void>)[];

function promises(prepare: (cleanup: Cleanup) => Promise<Record<string, string>>): void {
  const cleanup: Cleanup = [];
  let env: Record<string, string>;
  let database: TestDatabase;
  let past: pg.Client;
  let service: Asked;
  beforeAll(async () => {
    env = await prepare(cleanup);
    database = await createTestDatabase();
    await fillTwo(database.url);
    past = await connectPast(database);
  });
  afterEach(async () => {
    await past.query(AWAKE);
    await past.query(VISIBLE);
    await service.close();
  });
  afterAll(async () => {
    await past.end();
    await database.drop();
    for (const clean of cleanup) await clean();
  });

  let balance = 0;
  const setBalance = () =>
    past.query("UPDATE bank_accounts SET balance = $1 WHERE tenant_id = $2 AND account_number = '0001'", [
      ++balance,
      NORTH,
    ]);
  const shown = async () => balanceOf((await service.ask(BALANCES)).data);
  /** And until the trust of before is over. */
  const untilTold = (remedy: string) =>
    until(() => remedies().some((message) => message.includes(remedy)) && !service.changeFeed.trust.isValid);
  const remedies = () => service.told.filter((error) => error instanceof OperatorError).map(({ message }) => message);

  it.each([
    ['is disabled', 'DISABLE TRIGGER cache_outbox_update'],
    ['sleeps in replaying sessions', 'DISABLE TRIGGER cache_outbox_update, ENABLE TRIGGER cache_outbox_update'],
  ])(
    'trusts nothing while a trigger of the outbox %s, and nothing of before when it is awake again',
    async (_, change) => {
      service = await startAsked(database, env);
      await warm(service, BALANCES);
      await past.query(`ALTER TABLE bank_accounts ${change}`);
      await untilTold('Triggers that tell of writes');
      await past.query("SET session_replication_role = 'replica'");
      await setBalance();
      await past.query("SET session_replication_role = 'origin'");
      expect(await shown()).toBe(balance);
      await past.query(AWAKE);
      await until(() => service.changeFeed.trust.isValid);
      expect(await shown()).toBe(balance);
      await warm(service, BALANCES);
      expect(await shown()).toBe(balance);
    },
  );

  it('trusts nothing while the policy of the outbox hides its rows', async () => {
    service = await startAsked(database, env);
    await warm(service, BALANCES);
    await past.query('ALTER POLICY followed ON cache_outbox USING (false)');
    await untilTold('The row-level security of cache_outbox');
    await setBalance();
    expect(await shown()).toBe(balance);
    await past.query(VISIBLE);
    await until(() => service.changeFeed.trust.isValid);
    await until(async () => (await shown()) === balance);
  });

  it('takes everything for old after a trigger was asleep between two polls', async () => {
    service = await startAsked(database, env);
    await warm(service, BALANCES);
    await past.query(`BEGIN; ALTER TABLE bank_accounts DISABLE TRIGGER cache_outbox_update;
      UPDATE bank_accounts SET balance = ${++balance} WHERE tenant_id = '${NORTH}' AND account_number = '0001';
      ALTER TABLE bank_accounts ENABLE ALWAYS TRIGGER cache_outbox_update; COMMIT`);
    await until(async () => (await shown()) === balance);
  });

  describeIf(findPgbouncer() !== undefined, 'apt-get install pgbouncer', 'behind a pooler that drops options', () => {
    let pooler: Pooler;
    afterEach(() => pooler.stop());

    it('sees what is written when it has a session of its own', async () => {
      pooler = await startPgbouncer(database.url, 'session');
      service = await startAsked(database, env, { directUrl: pooler.url });
      await warm(service, BALANCES);
      await setBalance();
      await until(async () => (await shown()) === balance);
      await until(() => service.changeFeed.trust.isValid);
      expect(remedies()).toEqual([]);
    });

    it('trusts nothing when sessions are shared, and says so', async () => {
      pooler = await startPgbouncer(database.url, 'transaction');
      service = await startAsked(database, env, { directUrl: pooler.url });
      const other = await connectPast({ ...database, url: pooler.url });
      // Holds the session that the reader has used last.
      await until(async () => {
        await other.query('BEGIN');
        const isTold = remedies().some((message) => message.includes('pooler'));
        await other.query('COMMIT');
        return isTold;
      });
      await setBalance();
      await until(async () => (await shown()) === balance);
      await other.end();
    });
  });
}
