import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { grantCommand } from '../../src/commands/grant-command.ts';
import { migrate } from '../../src/database/migrate.ts';
import { SERVICE_ROLE } from '../../src/database/service-rights.ts';
import type { Result } from '../../src/doctor/check.ts';
import { examine } from '../../src/doctor/doctor.ts';
import { type Asked, BALANCES, balanceOf, fillTwo, NORTH, startAsked, warm } from '../cache/change-feed/fixture.ts';
import { runScript } from '../cli/run-script.ts';
import {
  findInstalledPostgres,
  type InstalledPostgres,
  startInstalledPostgres,
} from '../support/installed-postgres.ts';
import { describeIf } from '../support/left-out.ts';
import { withClient } from '../support/postgres.ts';
import { redisAvailable, startRedis, type TestRedis } from '../support/redis.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const COMPOSE = readFileSync(path.resolve(import.meta.dirname, '../../docker-compose.yml'), 'utf8');
const [, ROLES = ''] = /\n {2}roles:\n {4}content: \|\n((?: {6}.*\n|\n)+)/.exec(COMPOSE) ?? [];
const SET_BALANCE = "UPDATE bank_accounts SET balance = $1 WHERE tenant_id = $2 AND account_number = '0001'";
const ROWS = `SELECT (SELECT count(*)::integer FROM tenants) AS tenants, (SELECT count(*)::integer FROM bank_accounts) AS accounts,
  (SELECT count(*)::integer FROM transactions) AS transactions, (SELECT count(*)::integer FROM daily_totals) AS totals`;

const programs = findInstalledPostgres('pg_stat_statements');
const remedy = 'The embedded PostgreSQL has no pg_dump: apt-get install postgresql-15 (or later) redis-server';

/** As docs/operations.md tells it. */
describeIf(Boolean(programs) && redisAvailable(), remedy, 'a backup by pg_dump', () => {
  let server: InstalledPostgres;
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis({ settings: { maxmemory: '256mb', 'maxmemory-policy': 'allkeys-lru' } });
    server = await startInstalledPostgres(programs as string, { shared_preload_libraries: 'pg_stat_statements' });
    await withClient(server.url, (client) => client.query('CREATE DATABASE tenantry'));
    await withClient(urlOf('tenantry'), (client) => client.query(ROLES));
    await migrate(urlOf('tenantry', 'tenantry_migrate'));
    await withClient(urlOf('tenantry'), (client) =>
      client.query('CREATE ROLE tenantry_backup LOGIN BYPASSRLS IN ROLE pg_read_all_data'),
    );
    await fillTwo(urlOf('tenantry'));
  }, 90_000);
  afterAll(async () => {
    await redis?.stop();
    server?.stop();
  });

  function urlOf(database: string, user = 'postgres'): string {
    const url = new URL(`/${database}`, server.url);
    url.username = user;
    return url.href;
  }
  const run = (program: string, ...args: readonly string[]) =>
    execFileSync(path.join(programs as string, program), args, { encoding: 'utf8', stdio: 'pipe' });
  const rowsOf = async (url: string) => (await withClient(url, (client) => client.query(ROWS))).rows[0];
  const start = (name: string) =>
    startAsked({ name, url: urlOf(name), drop: async () => {} }, { REDIS_URL: redis.url });
  const shown = async (service: Asked) => balanceOf((await service.ask(BALANCES)).data);
  const wrong = (results: readonly Result[]) =>
    results
      .filter(({ status }) => status === 'fault' || status === 'warning')
      .map(({ name, found }) => `${name}: ${found}`);

  it('is refused to the owner of the tables, instead of being empty', () => {
    const file = path.join(makeTempFolder(), 'dump');
    expect(() => run('pg_dump', '-Fc', '-f', file, urlOf('tenantry', 'tenantry_migrate'))).toThrow(
      /query would be affected by row-level security policy/,
    );
  });

  it('restores rows, totals, policies and rights, and a cache of the old database is not trusted', {
    timeout: 60_000,
  }, async () => {
    const file = path.join(makeTempFolder(), 'dump');
    const before = await rowsOf(urlOf('tenantry'));
    expect(before).toMatchObject({ tenants: 2, accounts: 4, transactions: 4 });
    const writer = new pg.Client({ connectionString: urlOf('tenantry') });
    await writer.connect();
    await writer.query(SET_BALANCE, [11, NORTH]);
    run('pg_dump', '-Fc', '-f', file, urlOf('tenantry', 'tenantry_backup'));
    const old = await start('tenantry');
    try {
      // What the backup does not have, and Redis does.
      await writer.query(SET_BALANCE, [22, NORTH]);
      await old.untilCaughtUp();
      await warm(old, BALANCES);
      expect(await shown(old)).toBe(22);
    } finally {
      await writer.end();
      await old.close();
    }

    await withClient(server.url, (client) => client.query('CREATE DATABASE restored OWNER tenantry_migrate'));
    run('pg_restore', '--exit-on-error', '-d', urlOf('restored'), file);
    const restored = await start('restored');
    try {
      for (let n = 0; n < 20; n++) expect(await shown(restored)).toBe(11);
      await warm(restored, BALANCES);
      expect(await shown(restored)).toBe(11);
    } finally {
      await restored.close();
    }
    expect(await rowsOf(urlOf('restored'))).toEqual(before);
    await withClient(urlOf('restored', SERVICE_ROLE), async (client) => {
      const { rows } = await client.query(ROWS);
      expect(rows).toEqual([{ tenants: 0, accounts: 0, transactions: 0, totals: 0 }]);
    });
    const env = { DATABASE_URL: urlOf('restored', 'tenantry_migrate'), DATABASE_DIRECT_URL: '' };
    expect(await runScript('statistics-check.ts', [], { env })).toEqual({
      code: 0,
      stdout: 'north: right\nsouth: right\n',
      stderr: '',
    });
  });

  it('leaves out what lies outside of the database, which the doctor names and two commands give back', async () => {
    const env = {
      NODE_ENV: 'production',
      DATABASE_URL: urlOf('restored', SERVICE_ROLE),
      REDIS_URL: redis.url,
      AUTH_SECRET: 'a secret for tests only, of more than 32 bytes',
    };
    const lacking = await examine({ env });
    expect(wrong(lacking)).toEqual([
      expect.stringMatching(/^comparisons: not LEAKPROOF: /),
      'rights: tenantry_app has more than the service needs: TEMPORARY on the database',
    ]);
    const marks = lacking.find(({ name }) => name === 'comparisons')?.remedy.match(/ALTER FUNCTION [^;]+;/g) ?? [];
    await withClient(urlOf('restored'), (client) => client.query(marks.join(' ')));
    const former = process.env.DATABASE_URL;
    process.env.DATABASE_URL = urlOf('restored', 'tenantry_migrate');
    try {
      await grantCommand({ options: { role: SERVICE_ROLE, check: false }, arguments: [] }, () => {});
    } finally {
      if (former === undefined) delete process.env.DATABASE_URL;
      else process.env.DATABASE_URL = former;
    }
    expect(wrong(await examine({ env }))).toEqual([]);
  });
});
