import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Redis } from 'ioredis';
import { exportJWK, generateKeyPair } from 'jose';
import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { migrate } from '../../src/database/migrate.ts';
import { REQUIRED_TRIGGERS } from '../../src/database/required-objects.ts';
import type { Result } from '../../src/doctor/check.ts';
import { examine } from '../../src/doctor/doctor.ts';
import { runScript } from '../cli/run-script.ts';
import {
  findInstalledPostgres,
  type InstalledPostgres,
  startInstalledPostgres,
} from '../support/installed-postgres.ts';
import { describeIf } from '../support/left-out.ts';
import { findPgbouncer, startPgbouncer } from '../support/pgbouncer.ts';
import { withClient } from '../support/postgres.ts';
import { redisAvailable, startRedis, type TestRedis } from '../support/redis.ts';
import { startService } from '../support/service.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const COMPOSE = readFileSync(path.resolve(import.meta.dirname, '../../docker-compose.yml'), 'utf8');
const [, ROLES = ''] = /\n {2}roles:\n {4}content: \|\n((?: {6}.*\n|\n)+)/.exec(COMPOSE) ?? [];
/** In every secret. */
const SECRET = 'hush';
const [TRIGGER] = REQUIRED_TRIGGERS;

const programs = findInstalledPostgres('pg_stat_statements');
const remedy = 'apt-get install postgresql-15 (or later) redis-server';

describeIf(Boolean(programs) && redisAvailable(), remedy, 'the doctor', () => {
  let server: InstalledPostgres;
  let redis: TestRedis;
  let admin: pg.Client;
  let redisClient: Redis;
  let env: Record<string, string>;

  beforeAll(async () => {
    redis = await startRedis({ settings: { maxmemory: '256mb', 'maxmemory-policy': 'allkeys-lru' } });
    redisClient = new Redis(redis.url);
    server = await startInstalledPostgres(programs as string, { shared_preload_libraries: 'pg_stat_statements' });
    await withClient(server.url, (client) => client.query('CREATE DATABASE tenantry'));
    const url = new URL('/tenantry', server.url);
    admin = new pg.Client({ connectionString: url.href });
    await admin.connect();
    await admin.query(ROLES);
    await migrate(loginUrl('tenantry_migrate'));
    await admin.query(`ALTER ROLE tenantry_app PASSWORD '${SECRET}-password'`);
    await askForPasswords();
    env = {
      NODE_ENV: 'production',
      DATABASE_URL: loginUrl('tenantry_app', `${SECRET}-password`),
      REDIS_URL: redis.url,
      AUTH_SECRET: `${SECRET} of more than thirty-two bytes, as it must be`,
    };
  }, 90_000);
  afterAll(async () => {
    redisClient?.disconnect();
    await admin?.end();
    await redis?.stop();
    server?.stop();
  });

  function loginUrl(user: string, password = ''): string {
    const url = new URL('/tenantry', server.url);
    Object.assign(url, { username: user, password });
    return url.href;
  }

  /** Of the service's login; all others are trusted. */
  async function askForPasswords(): Promise<void> {
    const { rows } = await admin.query<{ hba_file: string }>('SHOW hba_file');
    const lines = ['host all tenantry_app 127.0.0.1/32 scram-sha-256', 'host all all 127.0.0.1/32 trust'];
    await admin.query(`COPY (SELECT unnest(ARRAY['${lines.join("','")}'])) TO '${rows[0]?.hba_file}'`);
    await admin.query('SELECT pg_reload_conf()');
    await vi.waitFor(() => expect(withClient(loginUrl('tenantry_app'), async () => {})).rejects.toThrow('password'));
  }

  async function look(over: Record<string, string> = {}, nowMs?: () => number): Promise<readonly Result[]> {
    const results = await examine({ env: { ...env, ...over }, ...(nowMs && { nowMs }) });
    expect(JSON.stringify(results)).not.toContain(SECRET);
    return results;
  }

  const wrong = (results: readonly Result[]) =>
    results.filter(({ status }) => status === 'fault' || status === 'warning');
  const skippedNames = (results: readonly Result[]) =>
    results.filter(({ status }) => status === 'skipped').map(({ name }) => name);

  it('finds nothing wrong with a sound database and Redis', async () => {
    const results = await look();
    expect(wrong(results)).toEqual([]);
    expect(skippedNames(results)).toEqual(['keys of tokens']);
    expect(results.every(({ found }) => found.length > 0)).toBe(true);
  });

  it.each<[name: string, status: string, breaks: string, mends: string, remedy: string | RegExp]>([
    [
      'triggers, policies, functions, keys',
      'fault',
      `ALTER TABLE ${TRIGGER?.table} DISABLE TRIGGER ${TRIGGER?.name}`,
      `ALTER TABLE ${TRIGGER?.table} ENABLE ${TRIGGER?.firing} TRIGGER ${TRIGGER?.name}`,
      `ENABLE ${TRIGGER?.firing} TRIGGER ${TRIGGER?.name}; Then: npm run statistics:check`,
    ],
    [
      'triggers, policies, functions, keys',
      'fault',
      'ALTER TABLE bank_accounts DISABLE ROW LEVEL SECURITY',
      'ALTER TABLE bank_accounts ENABLE ROW LEVEL SECURITY',
      'ALTER TABLE bank_accounts ENABLE ROW LEVEL SECURITY',
    ],
    [
      'triggers, policies, functions, keys',
      'fault',
      `ALTER TABLE daily_totals DISABLE TRIGGER ALL; ALTER TABLE daily_totals DISABLE ROW LEVEL SECURITY`,
      `ALTER TABLE daily_totals ENABLE TRIGGER ALL; ALTER TABLE daily_totals ENABLE ROW LEVEL SECURITY`,
      /^As the owner of the tables:\nALTER TABLE daily_totals ENABLE ROW .*;\nAs a superuser:\nALTER TABLE .* ENABLE TRIGGER "RI_.*;\nThen: npm run statistics:check$/,
    ],
    [
      'rights',
      'fault',
      'REVOKE SELECT ON bank_accounts FROM tenantry_app',
      'GRANT SELECT ON bank_accounts TO tenantry_app',
      'npm run db:grant -- --role tenantry_app',
    ],
    [
      'rights',
      'warning',
      'GRANT TRUNCATE ON tenants TO tenantry_app',
      'REVOKE TRUNCATE ON tenants FROM tenantry_app',
      'REVOKE TRUNCATE ON tenants FROM tenantry_app;',
    ],
    [
      'login',
      'fault',
      'ALTER ROLE tenantry_app BYPASSRLS',
      'ALTER ROLE tenantry_app NOBYPASSRLS',
      'Give DATABASE_URL a login of its own',
    ],
    [
      'migrations',
      'fault',
      'UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = (SELECT max(migration_name) FROM _prisma_migrations)',
      'UPDATE _prisma_migrations SET rolled_back_at = NULL',
      'npx prisma migrate deploy',
    ],
    [
      'autovacuum',
      'fault',
      'ALTER TABLE transactions SET (autovacuum_enabled = false)',
      'ALTER TABLE transactions RESET (autovacuum_enabled)',
      'ALTER TABLE transactions RESET (autovacuum_enabled);',
    ],
    [
      'comparisons',
      'warning',
      'ALTER FUNCTION pg_catalog.numeric_lt(numeric, numeric) NOT LEAKPROOF',
      'ALTER FUNCTION pg_catalog.numeric_lt(numeric, numeric) LEAKPROOF',
      'ALTER FUNCTION pg_catalog.numeric_lt(numeric, numeric) LEAKPROOF;',
    ],
    [
      'pg_stat_statements',
      'warning',
      'DROP EXTENSION pg_stat_statements',
      'CREATE EXTENSION pg_stat_statements',
      'CREATE EXTENSION pg_stat_statements;',
    ],
    [
      'outbox of writes',
      'warning',
      `INSERT INTO cache_outbox (xid, tenant_id, dependencies) VALUES (3, gen_random_uuid(), 1);
       UPDATE cache_outbox_horizon SET next = pg_current_snapshot()::text, next_at = now() - interval '10 minutes'`,
      'DELETE FROM cache_outbox',
      'Start the service with CACHE=on',
    ],
  ])('%s: %s after %s', async (name, status, breaks, mends, told) => {
    await admin.query(breaks);
    try {
      const found = wrong(await look());
      const expected = {
        name,
        status,
        remedy: typeof told === 'string' ? expect.stringContaining(told) : expect.stringMatching(told),
      };
      // A login that is not held is also one that has more than it needs.
      if (name === 'login')
        expect(found).toEqual([
          expect.objectContaining(expected),
          expect.objectContaining({ name: 'rights', found: expect.stringContaining('BYPASSRLS') }),
        ]);
      else expect(found).toEqual([expect.objectContaining(expected)]);
    } finally {
      await admin.query(mends);
    }
    // That nothing is left of it is seen by the next, which finds its own fault alone.
  });

  it('leaves a row of the outbox alone that was written since the last removal', async () => {
    await admin.query(
      `UPDATE cache_outbox_horizon SET next = pg_current_snapshot()::text, next_at = now() - interval '10 minutes'`,
    );
    await admin.query(
      'INSERT INTO cache_outbox (xid, tenant_id, dependencies) VALUES (pg_current_xact_id()::text::bigint, gen_random_uuid(), 1)',
    );
    const found = wrong(await look());
    await admin.query('DELETE FROM cache_outbox');
    expect(found).toEqual([]);
  });

  it.each<
    [
      what: string,
      over: Record<string, string>,
      expected: [name: string, status: string, found: string, remedy: string][],
    ]
  >([
    [
      'two settings that do not hold',
      { PORT: 'x', LOG_LEVEL: 'loud' },
      [
        ['settings', 'fault', 'PORT must be a whole number', 'Correct it'],
        ['settings', 'fault', 'LOG_LEVEL must be one of', 'Correct it'],
      ],
    ],
    [
      'a secret that is short',
      { AUTH_SECRET: SECRET },
      [['settings', 'fault', 'AUTH_SECRET must be at least 32 bytes', 'Correct it']],
    ],
    [
      'the secret of docker-compose.yml',
      { AUTH_SECRET: 'only-for-this-machine-and-never-in-production' },
      [['secret of tokens', 'fault', 'which anybody knows', 'openssl rand']],
    ],
    [
      'no identity provider',
      { AUTH_SECRET: '', AUTH_JWKS_URL: 'http://127.0.0.1:1/keys', AUTH_ISSUER: 'i', AUTH_AUDIENCE: 'a' },
      [['keys of tokens', 'fault', 'The keys at AUTH_JWKS_URL cannot be read', 'Check AUTH_JWKS_URL']],
    ],
    [
      'more connections than the server takes',
      { DATABASE_POOL_SIZE: '1000' },
      [['connections', 'fault', 'may open 1003 connections, and PostgreSQL takes', 'Lower DATABASE_POOL_SIZE']],
    ],
    [
      'a direct way that leads nowhere',
      { DATABASE_DIRECT_URL: `postgresql://tenantry_app:${SECRET}@127.0.0.1:1/tenantry` },
      [['way past a pooler', 'fault', 'cannot be reached', 'DATABASE_DIRECT_URL is right']],
    ],
    [
      'no Redis',
      { REDIS_URL: `redis://:${SECRET}@127.0.0.1:1` },
      [['Redis', 'fault', '127.0.0.1:1 cannot be used', 'See that it is running']],
    ],
  ])('%s', async (_, over, expected) => {
    const found = wrong(await look(over));
    expect(found.map(({ name, status, found, remedy }) => [name, status, found, remedy])).toEqual(
      expected.map(([name, status, found, remedy]) => [
        name,
        status,
        expect.stringContaining(found),
        expect.stringContaining(remedy),
      ]),
    );
  });

  it('says of a database that cannot be reached that, and of what needs it nothing', async () => {
    for (const [url, told] of [
      [loginUrl('tenantry_app', `${SECRET}-other`), 'Check the user and the password'],
      [new URL('/nothing', env.DATABASE_URL).href, 'npm run db:migrate'],
      [`postgresql://tenantry_app:${SECRET}@127.0.0.1:1/tenantry`, 'Check that PostgreSQL runs there'],
    ] as const) {
      const results = await look({ DATABASE_URL: url });
      expect(wrong(results)).toEqual([
        expect.objectContaining({ name: 'database', status: 'fault', remedy: expect.stringContaining(told) }),
      ]);
      expect(skippedNames(results)).toEqual(
        expect.arrayContaining([
          'pooler',
          'PostgreSQL',
          'migrations',
          'rights',
          'outbox of writes',
          'database of Redis',
        ]),
      );
      expect(results.filter(({ name }) => name === 'Redis')).toMatchObject([{ status: 'ok' }]);
    }
  });

  it('tells a superuser, and judges the role that is meant', async () => {
    const found = wrong(await look({ DATABASE_URL: loginUrl('postgres') }));
    expect(found).toMatchObject([{ name: 'login', status: 'fault' }]);
    const ofDevelopment = wrong(await look({ DATABASE_URL: loginUrl('postgres'), NODE_ENV: 'development' }));
    expect(ofDevelopment).toMatchObject([{ name: 'login', status: 'warning' }]);
  });

  it('tells the owner of the tables to give the service a login of its own', async () => {
    expect(wrong(await look({ DATABASE_URL: loginUrl('tenantry_migrate') }))).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'rights', status: 'warning' })]),
    );
  });

  it('compares the clocks', async () => {
    for (const [offMs, told] of [
      [-5_000, '5.0 s ahead of'],
      [5_000, '5.0 s behind'],
    ] as const) {
      const found = wrong(await look({}, () => Date.now() + offMs));
      expect(found).toMatchObject([
        {
          name: 'clock',
          status: 'warning',
          found: expect.stringContaining(told),
          remedy: expect.stringContaining('NTP'),
        },
      ]);
    }
    expect(wrong(await look({}, () => Date.now() + 500))).toEqual([]);
  });

  it.each<[settings: Record<string, string>, status: string, remedy: string]>([
    [{ maxmemory: '1', 'maxmemory-policy': 'noeviction' }, 'fault', 'maxmemory-policy allkeys-lru'],
    [{ 'maxmemory-policy': 'noeviction' }, 'warning', 'maxmemory-policy allkeys-lru'],
    [{ 'maxmemory-policy': 'volatile-lru' }, 'warning', 'maxmemory-policy allkeys-lru'],
    [{ maxmemory: '0' }, 'warning', 'CONFIG SET maxmemory 256mb'],
    [{ maxmemory: '8mb' }, 'warning', 'CONFIG SET maxmemory 256mb'],
  ])('memory of Redis with %j', async (settings, status, told) => {
    const set = async (all: Record<string, string>) => {
      for (const [name, value] of Object.entries(all)) await redisClient.config('SET', name, value);
    };
    await set(settings);
    const found = wrong(await look());
    await set({ maxmemory: '256mb', 'maxmemory-policy': 'allkeys-lru' });
    expect(found).toEqual([
      expect.objectContaining({ name: 'memory of Redis', status, remedy: expect.stringContaining(told) }),
    ]);
  });

  it('tells a Redis that is a replica', async () => {
    await redisClient.replicaof('127.0.0.1', 1);
    const found = wrong(await look());
    await redisClient.replicaof('NO', 'ONE');
    expect(found).toMatchObject([{ name: 'Redis', status: 'fault', found: expect.stringContaining('a replica') }]);
  });

  it('tells a Redis in which a service keeps answers of another database', async () => {
    const service = await startService({ env: { REDIS_URL: redis.url } });
    try {
      await service.untilCaughtUp();
      expect(wrong(await look())).toMatchObject([
        { name: 'database of Redis', status: 'fault', remedy: expect.stringContaining('CACHE_KEY_PREFIX') },
      ]);
      expect(wrong(await look({ CACHE_KEY_PREFIX: 'mine:' }))).toEqual([]);
    } finally {
      await service.close();
      await redisClient.flushall(); // the lease of that database
    }
  });

  it('reads the keys of an identity provider', async () => {
    const { publicKey } = await generateKeyPair('ES256');
    const key = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
    const provider = createServer((_, response) => response.end(JSON.stringify({ keys: [key] }))).listen(
      0,
      '127.0.0.1',
    );
    await new Promise((resolve) => provider.once('listening', resolve));
    const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`;
    const results = await look({ AUTH_SECRET: '', AUTH_JWKS_URL: url, AUTH_ISSUER: 'i', AUTH_AUDIENCE: 'a' });
    provider.close();
    expect(wrong(results)).toEqual([]);
    expect(results).toContainEqual({
      name: 'keys of tokens',
      status: 'ok',
      found: '1 key at AUTH_JWKS_URL',
      remedy: '',
    });
  });

  it('looks at the rights of files with secrets', async () => {
    const file = path.join(makeTempFolder(), 'secret');
    writeFileSync(file, env.AUTH_SECRET as string);
    chmodSync(file, 0o644);
    const over = { AUTH_SECRET: '', AUTH_SECRET_FILE: file };
    expect(wrong(await look(over))).toMatchObject([
      { name: 'files of secrets', status: 'warning', remedy: `Run: chmod 600 ${file}` },
    ]);
    chmodSync(file, 0o600);
    expect(wrong(await look(over))).toEqual([]);
  });

  it('goes on with the others when one check takes too long', async () => {
    const holder = new pg.Client({ connectionString: loginUrl('postgres') });
    await holder.connect();
    try {
      await holder.query('BEGIN; LOCK TABLE cache_outbox IN ACCESS EXCLUSIVE MODE');
      const results = await examine({ env }, 2_000);
      expect(results.filter(({ status }) => status === 'skipped')).toEqual([
        expect.objectContaining({ name: 'keys of tokens' }),
        // Expressions of policies are shown under a lock on their table.
        {
          name: 'triggers, policies, functions, keys',
          status: 'skipped',
          found: 'it took longer than 2 s',
          remedy: '',
        },
        { name: 'outbox of writes', status: 'skipped', found: 'it took longer than 2 s', remedy: '' },
      ]);
      expect(wrong(results)).toEqual([]);
    } finally {
      await holder.end();
    }
  });

  describeIf(findPgbouncer() !== undefined, 'apt-get install pgbouncer', 'behind PgBouncer', () => {
    it('tells what forgets statements, and a direct way that is none', async () => {
      const pooler = await startPgbouncer(env.DATABASE_URL as string, 'transaction');
      const direct = env.DATABASE_URL as string;
      const forgetful = wrong(await look({ DATABASE_URL: pooler.url, DATABASE_DIRECT_URL: direct }));
      const shared = wrong(await look({ DATABASE_DIRECT_URL: pooler.url }));
      await pooler.stop();
      expect(shared).toMatchObject([
        { name: 'way past a pooler', status: 'fault', remedy: expect.stringContaining('Set DATABASE_DIRECT_URL') },
      ]);
      expect(forgetful).toMatchObject([
        { name: 'pooler', status: 'fault', remedy: expect.stringContaining('max_prepared_statements') },
      ]);
    });
  });

  it('as a command ends with what it found, for people and for programs', async () => {
    const run = (args: readonly string[], over: Record<string, string> = {}) =>
      runScript('doctor.ts', args, { env: { ...env, ...over } });
    const sound = await run(['--strict']);
    expect(sound).toMatchObject({ code: 0, stderr: '' });
    expect(sound.stdout).toMatch(/^Node\.js +ok +\d+\..*\n0 faults, 0 warnings, \d+ ok, 1 not looked at\n$/s);
    const faulty = await run(['--json'], { REDIS_URL: 'redis://127.0.0.1:1' });
    expect(faulty.code).toBe(2);
    expect(JSON.parse(faulty.stdout).checks).toContainEqual(
      expect.objectContaining({ name: 'Redis', status: 'fault', remedy: expect.any(String) }),
    );
    await redisClient.config('SET', 'maxmemory', '0');
    const codes = [(await run([])).code, (await run(['--strict'])).code];
    await redisClient.config('SET', 'maxmemory', '256mb');
    expect(codes).toEqual([0, 3]);
  });
});
