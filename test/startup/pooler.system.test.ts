import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { readConfig } from '../../src/config/config.ts';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { refuseForgetfulPooler, tellConnections } from '../../src/startup/pooler.ts';
import { knownFailure } from '../../src/tenancy/known-failure.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { describeIf } from '../support/left-out.ts';
import { findPgbouncer, keepsPreparedStatements, type Pooler, startPgbouncer } from '../support/pgbouncer.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { startService } from '../support/service.ts';
import { ACCOUNTS_PER_TWIN, insertTwins, TWINS, twinAccountId } from '../support/twin-tenants.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

test('PostgreSQL itself is not taken for a pooler', async () => {
  await refuseForgetfulPooler(database.url);
});

test('a server that cannot be reached is not refused here', async () => {
  await refuseForgetfulPooler('postgresql://nobody@127.0.0.1:1/nothing');
});

test('a list of hosts is refused with what to name instead, and without its password', () => {
  const read = () => readConfig({ DATABASE_URL: 'postgresql://app:secret@one:5432,two:5432/name' });
  expect(read).toThrow('DATABASE_URL must be a URL with one host, but got: several hosts (the driver takes no list');
  expect(read).not.toThrow('secret');
});

test('the sum of connections and what the server takes are told, and warned of when they are too many', async () => {
  const told: unknown[] = [];
  const tell =
    (level: string) =>
    (...words: unknown[]) =>
      told.push([level, ...words]);
  const log = { info: tell('info'), warn: tell('warn') };
  await tellConnections(database.url, { poolSize: 1, workers: 2 }, log);
  await tellConnections(database.url, { poolSize: 100_000, workers: 2 }, log);
  expect(told).toEqual([
    [
      'info',
      { wanted: 8, available: expect.any(Number), poolSize: 1, workers: 2 },
      expect.stringMatching(/^The service may open 8 connections, and PostgreSQL takes \d+\.$/),
    ],
    [
      'warn',
      expect.objectContaining({ wanted: 200_006, available: expect.any(Number) }),
      expect.stringMatching(
        /^The service may open 200006 connections, and PostgreSQL takes \d+: lower DATABASE_POOL_SIZE/,
      ),
    ],
  ]);
});

describeIf(findPgbouncer() !== undefined, 'apt-get install pgbouncer', 'behind PgBouncer', () => {
  let pooler: Pooler;
  afterEach(() => pooler.stop());

  test('one that forgets prepared statements is refused with the remedy', async () => {
    pooler = await startPgbouncer(database.url, 'transaction');
    await expect(refuseForgetfulPooler(pooler.url)).rejects.toMatchObject({
      message: expect.stringContaining('forgets prepared statements, such as PgBouncer before 1.21'),
      remedy: expect.stringContaining('max_prepared_statements'),
    });
  });

  test('one that gives each client a session serves: time limit, role and tenant go with each statement', async () => {
    pooler = await startPgbouncer(database.url, 'session');
    await refuseForgetfulPooler(pooler.url);
    const through = new TenantDatabase({
      url: pooler.url,
      poolSize: 2,
      statementTimeoutMs: 200,
      takeServiceRole: true,
    });
    const scope = TenantScope.ofOperatorCommand('0190c5a0-0000-7000-8000-000000000001');
    const settings = Prisma.sql`SELECT current_user::text AS role, current_setting('statement_timeout') AS timeout,
      current_setting('app.tenant_id') AS tenant`;
    const one = { model: 'Test', action: 'test', query: settings };
    const expected = [{ role: 'tenantry_app', timeout: '200ms', tenant: scope.tenantId }];
    expect(await through.select(scope, one)).toEqual(expected);
    expect(await through.snapshot(scope, (within) => through.select(within, one))).toEqual(expected);
    expect(await through.write(scope, (transaction) => transaction.select(one))).toEqual(expected);
    const { rows } = await through.withConnection((connection) =>
      connection.query("SELECT current_user::text AS role, current_setting('statement_timeout') AS timeout"),
    );
    expect(rows).toEqual([{ role: 'tenantry_app', timeout: '200ms' }]);
    const slow = { model: 'Test', action: 'test', query: Prisma.sql`SELECT pg_sleep(60)::text` };
    await expect(through.select(scope, slow)).rejects.toMatchObject({ code: '57014' });
    await expect(through.write(scope, (transaction) => transaction.select(slow))).rejects.toMatchObject({
      code: '57014',
    });
    await withClient(database.url, async (holder) => {
      await holder.query('BEGIN');
      await holder.query('LOCK TABLE bank_accounts IN ACCESS EXCLUSIVE MODE');
      for (const count of [
        () => through.prisma(scope, (prisma) => prisma.bankAccount.count()),
        () => through.transaction(scope, (transaction) => transaction.bankAccount.count()),
      ])
        expect(knownFailure(await count().catch((error: unknown) => error))).toMatchObject({
          extensions: { code: 'TIMEOUT' },
        });
    });
    await through.close();
  });
});

const SCREEN = `query Screen($first: Int!) {
  tenant { slug timeZone }
  dashboard(date: "2025-06-15") { overview { totalAccounts } activity { series { date } totals { currency inflow } } accountsByBank { key count } }
  accounts(first: $first) {
    totalCount
    nodes { id balance status transactions(first: 2) { nodes { amount bookedAt } } }
  }
}`;

// Debian's is older: none is asked for in CI.
describe.skipIf(!keepsPreparedStatements())('behind a PgBouncer that keeps statements', () => {
  test('it is not refused', async () => {
    const pooler = await startPgbouncer(database.url, 'transaction', 200);
    await refuseForgetfulPooler(pooler.url).finally(() => pooler.stop());
  });

  test('tenants that share its sessions get the answers that PostgreSQL itself gives, and none waits for its kept ones', async () => {
    await insertTwins(database.url);
    const env = { CACHE: 'off' };
    const direct = await startService({ database, env, throughPgbouncer: false });
    const through = await startService({ database, env, throughPgbouncer: true });
    const ask = async (service: typeof direct, slug: string, first: number) => {
      const token = await service.token(Role.VIEWER, slug);
      const { status, data, errors } = await service.send(token, SCREEN, { first });
      return { status, data, errors };
    };
    // More tenants and forms at once than there are sessions: each session serves all of them.
    const asked = Array.from({ length: 90 }, (_, n) => [TWINS[n % 3]?.slug as string, 1 + (n % 10)] as const);
    const answers = await Promise.all(asked.map(([slug, first]) => ask(through, slug, first)));
    for (const [index, [slug, first]] of asked.entries()) {
      const expected = await ask(direct, slug, first);
      expect(expected.data.accounts.totalCount).toBe(ACCOUNTS_PER_TWIN);
      expect(answers[index]).toEqual(expected);
    }
    await direct.close();
    await through.close();
  });

  test('a statement that was stopped while it was prepared is prepared again on the same connection', async () => {
    const pooler = await startPgbouncer(database.url, 'transaction', 200);
    const through = new TenantDatabase({
      url: pooler.url,
      poolSize: 1,
      statementTimeoutMs: 200,
      takeServiceRole: true,
    });
    const scope = TenantScope.ofOperatorCommand('0190c5a0-0000-7000-8000-000000000001');
    const count = {
      model: 'Test',
      action: 'test',
      query: Prisma.sql`SELECT count(*)::integer AS count FROM bank_accounts`,
    };
    await withClient(database.url, async (holder) => {
      await holder.query('BEGIN');
      await holder.query('LOCK TABLE bank_accounts IN ACCESS EXCLUSIVE MODE');
      for (const _ of [1, 2]) await expect(through.select(scope, count)).rejects.toMatchObject({ code: '57014' });
      await holder.query('ROLLBACK');
    });
    for (const _ of [1, 2]) expect(await through.select(scope, count)).toEqual([{ count: 0 }]);
    await through.close();
    await pooler.stop();
  });

  test('a write past the service shows, and one through it is seen at once', async () => {
    await insertTwins(database.url);
    const service = await startService({ database, throughPgbouncer: true });
    const slug = TWINS[0]?.slug as string;
    const token = await service.token(Role.ADMIN, slug);
    const id = twinAccountId(30);
    const bank = async () => (await service.send(token, `{ account(id: "${id}") { bankName } }`)).data.account.bankName;
    const before = await bank();
    expect(await bank()).toBe(before);
    await withClient(database.url, (client) =>
      client.query("UPDATE bank_accounts SET bank_name = 'Past' WHERE tenant_id = $1 AND id = $2", [TWINS[0]?.id, id]),
    );
    await service.untilCaughtUp();
    expect(await bank()).toBe('Past');
    const rename = `mutation Rename($id: ID!) {
      updateAccount(input: { id: $id, bankName: "Through" }) { account { bankName } userErrors { message } }
    }`;
    expect((await service.send(token, rename, { id })).data.updateAccount.account.bankName).toBe('Through');
    expect(await bank()).toBe('Through');
    await service.close();
  });
});
