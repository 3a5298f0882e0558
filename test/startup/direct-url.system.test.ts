import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { pendingMigrations } from '../../src/database/database-state.ts';
import { openDatabase } from '../../src/startup/open-database.ts';
import { tellConnections } from '../../src/startup/pooler.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

let database: TestDatabase;
let way: TcpProxy;
let directUrl: URL;
beforeEach(async () => {
  database = await createTestDatabase();
  await markMigrated(database.url);
  way = await startTcpProxy(Number(new URL(database.url).port));
  directUrl = new URL(database.url);
  directUrl.hostname = '127.0.0.1';
  directUrl.port = String(way.port);
  way.cut();
});
afterEach(async () => {
  await way.close();
  await database.drop();
});

/** Without what Prisma keeps of its migrations a copy of the template would be migrated. */
async function markMigrated(url: string) {
  const names = await withClient(url, pendingMigrations);
  await withClient(url, async (client) => {
    await client.query(
      'CREATE TABLE _prisma_migrations (migration_name text, finished_at timestamptz, rolled_back_at timestamptz)',
    );
    await client.query('INSERT INTO _prisma_migrations SELECT unnest($1::text[]), now()', [names]);
  });
}

/** @param hear is told what is said */
async function open(timeoutMs: number, hear: (line: string) => void) {
  const config = readConfig({
    DATABASE_URL: database.url,
    DATABASE_DIRECT_URL: directUrl.href,
    STARTUP_TIMEOUT_MS: String(timeoutMs),
  });
  const opened = await openDatabase(config, hear);
  await opened.release();
  return opened;
}

test('is waited for at start, as DATABASE_URL is', async () => {
  const said: string[] = [];
  const opened = await open(60_000, (line) => {
    said.push(line);
    if (line.startsWith('waiting')) way.mend();
  });
  expect(opened.directUrl).toBe(directUrl.href);
  expect(said.filter((line) => line.startsWith('waiting'))).toEqual([
    expect.stringContaining(`at 127.0.0.1:${way.port} cannot be reached`),
  ]);
  expect(said.join()).not.toContain('DATABASE_DIRECT_URL leads nowhere');
});

test.each([0, 300])('that is away beyond %i ms ends no start', async (timeoutMs) => {
  const said: string[] = [];
  await open(timeoutMs, (line) => said.push(line));
  expect(said).toContainEqual(
    expect.stringMatching(
      /^warning: DATABASE_DIRECT_URL leads nowhere yet; nothing is cached until it does: The database/,
    ),
  );
});

test('that is wrong is refused at once, by its name', async () => {
  way.mend();
  directUrl.pathname = '/there_is_no_such_database';
  await expect(open(60_000, () => {})).rejects.toMatchObject({
    message: expect.stringContaining('there_is_no_such_database'),
    remedy: expect.stringContaining('that DATABASE_DIRECT_URL is right'),
  });
});

test('a server that cannot be asked for its connections ends no start, and that is told', async () => {
  const told: unknown[] = [];
  const log = { info: () => {}, warn: (...words: unknown[]) => told.push(words) };
  await tellConnections(directUrl.href, { poolSize: 1, workers: 1 }, log);
  expect(told).toEqual([[{ err: expect.any(Error) }, expect.stringMatching(/^It could not be told whether/)]]);
});
