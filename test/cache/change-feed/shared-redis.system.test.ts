import { Redis } from 'ioredis';
import type pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { OtherDatabase } from '../../../src/cache/change-feed/leadership-term.ts';
import {
  findInstalledPostgres,
  type InstalledPostgres,
  startInstalledPostgres,
} from '../../support/installed-postgres.ts';
import { describeIf } from '../../support/left-out.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../../support/postgres.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { migrationScripts } from '../../support/template.ts';
import { until } from '../../support/until.ts';
import { type Asked, BALANCES, balanceOf, bookOne, connectPast, fillTwo, NORTH, startAsked, warm } from './fixture.ts';

const ROUNDS = 6;
const PROGRAMS = findInstalledPostgres('plpgsql');

describeWithOwnRedis('deployments that share a Redis', () => {
  let redis: TestRedis;
  let services: Asked[];
  let cleanup: (() => unknown)[];
  beforeEach(async () => {
    redis = await startRedis();
    [services, cleanup] = [[], []];
  });
  afterEach(async () => {
    await Promise.all(services.map((service) => service.close()));
    for (const clean of cleanup.reverse()) await clean();
    await redis.stop();
  });

  async function start(database: TestDatabase, env: Record<string, string> = {}): Promise<Asked> {
    const service = await startAsked(database, { REDIS_URL: redis.url, ...env });
    services.push(service);
    return service;
  }
  async function fill(): Promise<TestDatabase> {
    const database = await createTestDatabase();
    cleanup.push(() => database.drop());
    await fillTwo(database.url);
    return database;
  }
  const setBalance = (client: pg.Client, balance: number) =>
    client.query("UPDATE bank_accounts SET balance = $1 WHERE tenant_id = $2 AND account_number = '0001'", [
      balance,
      NORTH,
    ]);
  const shown = async (service: Asked) => balanceOf((await service.ask(BALANCES)).data);
  const refusals = ({ told }: Asked) => told.filter((error) => error instanceof OtherDatabase);

  /**
   * The same tenants in both, with other balances. Mostly the first keeps answers; on a machine that
   * stands still for longer than a lease holds, the second takes its place.
   */
  async function neitherServesTheOther(first: TestDatabase, second: TestDatabase): Promise<void> {
    const [toFirst, toSecond] = [await connectPast(first), await connectPast(second)];
    cleanup.push(() => Promise.all([toFirst.end(), toSecond.end()]));
    const one = await start(first);
    await warm(one, BALANCES);
    const two = await start(second);
    const keeping = () => [one, two].filter(({ changeFeed }) => changeFeed.trust.isValid);
    const warmWhicheverKeeps = () =>
      until(async () => {
        const answers = await Promise.all([one, two].map((service) => service.ask(BALANCES)));
        expect(keeping().length).toBeLessThan(2);
        return answers.some(({ status }) => status === 'tenantry; hit');
      });
    for (let n = 1; n <= ROUNDS; n++) {
      await warmWhicheverKeeps();
      await Promise.all([setBalance(toFirst, n), setBalance(toSecond, 1_000 + n)]);
      await until(async () => (await shown(one)) === n);
      await until(async () => (await shown(two)) === 1_000 + n);
      await warmWhicheverKeeps();
      await bookOne(two, `of the second ${n}`);
      expect([await shown(one), await shown(two)]).toEqual([n, 1_001 + n]);
    }
    await until(() => refusals(one).length + refusals(two).length > 0 && keeping().length === 1);
    const [keeper, other] = keeping()[0] === one ? [one, two] : [two, one];
    expect(refusals(other)[0]?.remedy).toContain('CACHE_KEY_PREFIX');

    // When the one that keeps answers is gone the other takes its place, in a term of its own.
    const { terms } = other.changeFeed.state;
    await services.splice(services.indexOf(keeper), 1)[0]?.close();
    await until(() => other.changeFeed.trust.isValid);
    expect(other.changeFeed.state.terms).toBe(terms + 1);
    await warm(other, BALANCES);
    const [ofFirst, ofSecond] = [ROUNDS, 1_001 + ROUNDS];
    expect(await shown(other)).toBe(other === one ? ofFirst : ofSecond);
    const again = await start(keeper === one ? first : second);
    expect(await shown(again)).toBe(keeper === one ? ofFirst : ofSecond);
  }

  it('of two databases serve each its own answers, and say what is the matter', async () => {
    await neitherServesTheOther(await fill(), await fill());
  });

  it.each([
    ['key prefix', 'staging:', ''],
    ['number of a database in Redis', '', '/7'],
  ])('work side by side under another %s', async (_, prefix, number) => {
    const [first, second] = [await fill(), await fill()];
    const url = { REDIS_URL: redis.url + number };
    const one = await start(first);
    const two = await start(second, { CACHE_KEY_PREFIX: prefix, ...url });
    // Of the same database too.
    const three = await start(first, { CACHE_KEY_PREFIX: 'third:', ...url });
    const toSecond = await connectPast(second);
    cleanup.push(() => toSecond.end());
    for (const service of [one, two, three]) await warm(service, BALANCES);
    for (let n = 1; n <= 3; n++) {
      await setBalance(toSecond, 1_000 + n);
      await until(async () => (await shown(two)) === 1_000 + n);
      await bookOne(one, `of the first ${n}`);
      expect(await shown(one)).toBe(n);
      await until(async () => (await shown(three)) === n);
      for (const service of [one, two, three]) await warm(service, BALANCES);
    }
    for (const service of [one, two, three]) {
      expect(refusals(service)).toEqual([]);
      await until(() => service.changeFeed.state.role === 'relay');
    }
    const admin = new Redis(url.REDIS_URL);
    cleanup.push(() => admin.disconnect());
    expect(await admin.exists(`${prefix}tenant:{${NORTH}}:versions`)).toBe(1);
  });

  describeIf(PROGRAMS !== undefined, 'apt-get install postgresql-15', 'one of which is a copy of its files', () => {
    it('serve each its own answers', async () => {
      const original = await startInstalledPostgres(PROGRAMS as string);
      cleanup.push(() => original.stop());
      await withClient(original.url, async (client) => {
        for (const script of migrationScripts()) await client.query(script);
      });
      await fillTwo(original.url);
      const copy = original.copy();
      cleanup.push(() => copy.stop());
      await neitherServesTheOther(databaseOf(original), databaseOf(copy));
    });
  });
});

describeWithOwnRedis('a service that starts', () => {
  // Again, on a machine that stands still for longer than a connection is waited for.
  it('tells of nothing that fails when nothing does', { retry: 3 }, async () => {
    const [redis, database] = await Promise.all([startRedis(), createTestDatabase()]);
    await fillTwo(database.url);
    for (const env of [{}, { REDIS_URL: redis.url }]) {
      const service = await startAsked(database, env as Record<string, string>);
      await warm(service, BALANCES);
      expect(service.told.filter(isFailure)).toEqual([]);
      await service.close();
    }
    await database.drop();
    await redis.stop();
  });
});

/** But for a machine that stands still. */
function isFailure({ message }: Error): boolean {
  return message !== 'Command timed out';
}

function databaseOf({ url }: InstalledPostgres): TestDatabase {
  return { name: 'postgres', url, drop: async () => {} };
}
