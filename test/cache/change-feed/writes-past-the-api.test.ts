import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import {
  type Asked,
  BALANCES,
  balanceOf,
  bookOne,
  COUNT,
  connectPast,
  fillTwo,
  isKept,
  NAME,
  NORTH,
  OVERVIEW,
  SOUTH,
  startAsked,
  warm,
} from './fixture.ts';

describe('a write past the API, without Redis', () => promises(async () => ({ env: {}, stop: async () => {} })));

describeWithOwnRedis('a write past the API, with Redis', () => {
  promises(async () => {
    const redis = await startRedis();
    return { env: { REDIS_URL: redis.url }, redis, stop: () => redis.stop() };
  });
});

function promises(
  prepare: () => Promise<{ env: Record<string, string>; redis?: TestRedis; stop(): Promise<void> }>,
): void {
  let database: TestDatabase;
  let service: Asked;
  let past: pg.Client;
  let redis: TestRedis | undefined;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    const prepared = await prepare();
    ({ stop, redis } = prepared);
    database = await createTestDatabase();
    await fillTwo(database.url);
    service = await startAsked(database, prepared.env);
    past = await connectPast(database);
  });
  afterAll(async () => {
    await past.end();
    await service.close();
    await database.drop();
    await stop();
  });

  const balance = async () => balanceOf((await service.ask(BALANCES)).data);
  const transactions = async (slug?: string) => (await service.ask(COUNT, slug)).data.transactions.totalCount;

  it('shows with nothing done by the writer, and leaves the other tenant its answers', async () => {
    for (const slug of ['north', 'south']) await warm(service, BALANCES, slug);
    await past.query("UPDATE bank_accounts SET balance = 11 WHERE tenant_id = $1 AND account_number = '0001'", [NORTH]);
    await until(async () => (await balance()) === 11);
    expect(await isKept(service, BALANCES, 'south')).toBe(true);
  });

  it('shows in the dashboard and in what is told of the tenant', async () => {
    for (const query of [OVERVIEW, NAME]) await warm(service, query);
    await past.query("UPDATE tenants SET name = 'New name' WHERE id = $1", [NORTH]);
    await past.query(
      "INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, currency) VALUES ($1, 'B', '3', 'LOAN', 'EUR')",
      [NORTH],
    );
    await until(async () => (await service.ask(NAME)).data.tenant.name === 'New name');
    await until(async () => (await service.ask(OVERVIEW)).data.dashboard.overview.totalAccounts === 3);
  });

  it('shows while an older transaction stays open, and so does that one when it ends', async () => {
    const older = await connectPast(database);
    await older.query('BEGIN');
    await older.query("UPDATE bank_accounts SET balance = 22 WHERE tenant_id = $1 AND account_number = '0002'", [
      NORTH,
    ]);
    await warm(service, BALANCES);
    await past.query("UPDATE bank_accounts SET balance = 12 WHERE tenant_id = $1 AND account_number = '0001'", [NORTH]);
    await until(async () => (await balance()) === 12);
    await service.untilCaughtUp();
    await warm(service, BALANCES);
    await older.query('COMMIT');
    await until(async () => balanceOf((await service.ask(BALANCES)).data, '0002') === 22);
    await older.end();
  });

  it('invalidates nothing when it is rolled back', async () => {
    await service.untilCaughtUp();
    await warm(service, BALANCES);
    await past.query('BEGIN');
    await past.query('UPDATE bank_accounts SET balance = 99');
    await past.query('ROLLBACK');
    await service.untilCaughtUp();
    expect(await isKept(service, BALANCES)).toBe(true);
  });

  it('is seen when its connection was lost right after the commit', async () => {
    await warm(service, BALANCES);
    const writer = await connectPast(database);
    await writer.query("UPDATE bank_accounts SET balance = 13 WHERE tenant_id = $1 AND account_number = '0001'", [
      NORTH,
    ]);
    await writer.end();
    await until(async () => (await balance()) === 13);
  });

  it('is read by another connection when that of the reader is lost', async () => {
    await warm(service, BALANCES);
    const { terms } = service.changeFeed.state;
    await loseReaders(past);
    await past.query("UPDATE bank_accounts SET balance = 14 WHERE tenant_id = $1 AND account_number = '0001'", [NORTH]);
    await until(async () => (await balance()) === 14);
    await service.untilCaughtUp();
    expect(service.changeFeed.state.terms).toBe(terms);
  });

  it('by the API invalidates once what it invalidates', async () => {
    await service.untilCaughtUp();
    await bookOne(service, 'once');
    await warm(service, BALANCES);
    await service.untilCaughtUp();
    expect(await isKept(service, BALANCES)).toBe(true);
    if (redis) {
      const before = await versionsIn(redis, SOUTH);
      await bookOne(service, 'once', 'south');
      await service.untilCaughtUp();
      expect((await versionsIn(redis, SOUTH)).accounts).toBe((before.accounts ?? 0) + 1);
    }
  });

  it('shows when it deletes with a cascade, and when it empties a table', async () => {
    for (const slug of ['north', 'south']) await warm(service, COUNT, slug);
    await past.query("DELETE FROM bank_accounts WHERE tenant_id = $1 AND account_number = '0001'", [NORTH]);
    await until(async () => (await transactions()) === 0);
    expect(await transactions('south')).toBe(3 - Number(redis === undefined));
    await past.query('TRUNCATE bank_accounts CASCADE');
    await until(async () => (await transactions('south')) === 0);
  });
}

/** Ends every outbox reader's connection from PostgreSQL's side. */
async function loseReaders(past: pg.Client): Promise<void> {
  const { rowCount } = await past.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tenantry outbox reader'",
  );
  expect(rowCount).toBe(1);
}

async function versionsIn({ url }: TestRedis, tenantId: string): Promise<{ accounts?: number }> {
  const client = new Redis(url);
  const text = await client.get(`tenant:{${tenantId}}:versions`);
  client.disconnect();
  return JSON.parse(text ?? '{}');
}
