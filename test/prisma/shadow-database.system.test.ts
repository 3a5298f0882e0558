import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { adminDatabaseUrl, createEmptyDatabase, onServer, type TestDatabase, withClient } from '../support/postgres.ts';
import { ask, Engine, migrationsOf, NO_FILTERS } from './engine.ts';

/** All of them start their processes at once. */
const TIMEOUT_MS = 60_000;
/** Says in its error where it was replayed. */
const TELL_DATABASE = migrationsOf([
  '20260101000000_tell',
  "CREATE TABLE replayed (id int); DO $$ BEGIN RAISE EXCEPTION 'replayed in %', current_database(); END $$;",
]);
const ITEMS = migrationsOf(['20260101000000_items', 'CREATE TABLE items (id int PRIMARY KEY);']);
const SLOW = migrationsOf(['20260101000000_slow', 'SELECT pg_sleep(60);']);
const SHADOW = /replayed in (prisma_migrate_shadow_db_[-0-9a-f]{36})/;

describe.concurrent('the shadow database', { timeout: TIMEOUT_MS }, () => {
  let main: TestDatabase;

  beforeAll(async () => {
    main = await createEmptyDatabase();
  });
  afterAll(() => main.drop());

  it('is never the main one, and is gone afterwards', async () => {
    const { error } = await ask({ url: main.url }, 'devDiagnostic', {
      migrationsList: TELL_DATABASE,
      filters: NO_FILTERS,
    });

    expect(error?.code).toBe('P3006');
    expect(error?.message).toContain('Migration `20260101000000_tell` failed to apply cleanly to the shadow database.');
    const [, shadow] = SHADOW.exec(error?.message ?? '') ?? [];
    expect(shadow).toBeDefined();
    expect(await databasesNamed(shadow)).toEqual([]);
    expect(await tablesOf(main.url)).toEqual([]);
  });

  it('is dropped when Prisma is interrupted while a migration is replayed', async () => {
    const engine = new Engine({ url: main.url });
    void engine.call('devDiagnostic', { migrationsList: SLOW, filters: NO_FILTERS });
    const running =
      "SELECT datname FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%' AND datname LIKE 'prisma%'";
    const findShadow = async (): Promise<string | undefined> => (await rowsOf(adminDatabaseUrl(), running))[0]?.datname;
    await expect.poll(findShadow).toBeDefined();
    const shadow = await findShadow();

    engine.process.kill('SIGTERM');
    await engine.stop();

    expect(await databasesNamed(shadow)).toEqual([]);
  });

  it('is refused when the one configured is the main one under another address', async () => {
    const other = new URL(main.url);
    other.hostname = 'localhost';
    other.search = '?options=-c%20TimeZone%3DAsia/Tokyo';

    const { error } = await ask({ url: main.url, shadowDatabaseUrl: other.href }, 'devDiagnostic', {
      migrationsList: ITEMS,
      filters: NO_FILTERS,
    });

    expect(error?.message).toMatch(/shadow database you configured appears to be the same as the main database/);
    expect(await tablesOf(main.url)).toEqual([]);
  });

  it('is emptied before each use when it is one that was configured', async () => {
    const shadow = await createEmptyDatabase();
    const diff = {
      from: { tag: 'migrations', ...ITEMS },
      to: { tag: 'empty' },
      script: true,
      exitCode: null,
      filters: NO_FILTERS,
    };
    const engine = new Engine({ url: main.url, shadowDatabaseUrl: shadow.url });

    expect(await engine.call('diff', diff)).toMatchObject({ result: { exitCode: 0 } });
    expect(await engine.call('diff', diff)).toMatchObject({ result: { exitCode: 0 } });

    await engine.stop();
    const printed = expect.stringContaining('DROP TABLE "public"."items"');
    expect(engine.printed).toEqual([printed, printed]);
    await shadow.drop();
  });

  it('that may not be created is told as Prisma tells it, with the remedy', async () => {
    const role = `tenantry_test_${randomBytes(6).toString('hex')}`;
    await onServer(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
    const url = new URL(main.url);
    url.username = role;
    url.password = 'secret';

    const { error } = await ask({ url: url.href }, 'devDiagnostic', { migrationsList: ITEMS, filters: NO_FILTERS });

    expect(error?.code).toBe('P3014');
    expect(error?.message).toMatch(
      /make sure the database user has permission to create databases[\s\S]*permission denied/,
    );
    await onServer(`DROP ROLE ${role}`);
  });
});

async function databasesNamed(name: string | undefined): Promise<unknown[]> {
  return rowsOf(adminDatabaseUrl(), 'SELECT datname FROM pg_database WHERE datname = $1', [name]);
}

async function tablesOf(url: string): Promise<unknown[]> {
  return rowsOf(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
}

async function rowsOf(url: string, sql: string, values: unknown[] = []): Promise<{ datname?: string }[]> {
  return withClient(url, async (client) => (await client.query(sql, values)).rows);
}
