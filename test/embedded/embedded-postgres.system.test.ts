import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import {
  acquireEmbeddedPostgres,
  findRunningEmbeddedPostgres,
  removeEmbeddedPostgres,
} from '../../src/embedded/index.mjs';
import { withClient } from '../support/postgres.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { killHolder, startHolder } from './processes/holder.ts';

const settings = { fsync: 'off' };

/** A stopped database, shared by the tests that leave one behind: making one takes a second. */
let directory: string;

beforeAll(async () => {
  directory = path.join(mkdtempSync(path.join(tmpdir(), 'tenantry-test-')), 'postgres');
  chmodSync(path.dirname(directory), 0o755);
  await (await acquireEmbeddedPostgres({ directory, settings })).release();
});

afterAll(async () => {
  await removeEmbeddedPostgres({ directory });
  rmSync(path.dirname(directory), { recursive: true });
});

test('serves PostgreSQL 18 on 127.0.0.1 with a password, and only there', async () => {
  const { url, release } = await acquireEmbeddedPostgres({ directory, settings });
  const [row] = await query(
    url,
    `SELECT current_database() AS database, current_setting('server_version_num')::int / 10000 AS major,
    current_setting('server_encoding') AS encoding, current_setting('data_checksums') AS checksums,
    current_setting('listen_addresses') AS addresses, current_setting('unix_socket_directories') AS sockets,
    current_setting('shared_preload_libraries') AS libraries, lower('Ä') AS lower`,
  );
  expect(row).toEqual({
    database: 'tenantry',
    major: 18,
    encoding: 'UTF8',
    checksums: 'on',
    addresses: '127.0.0.1',
    sockets: '',
    libraries: 'pg_stat_statements',
    lower: 'ä',
  });
  await expect(query(url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT')).rejects.toThrow('password authentication failed');
  await release();
});

test('finds its data again after it was stopped', async () => {
  const first = await acquireEmbeddedPostgres({ directory, settings });
  await query(first.url, 'CREATE TABLE kept AS SELECT 7 AS number');
  await first.release();
  expect(await findRunningEmbeddedPostgres({ directory })).toBeUndefined();
  const second = await acquireEmbeddedPostgres({ directory, settings });
  expect(await query(second.url, 'SELECT number FROM kept')).toEqual([{ number: 7 }]);
  await second.release();
});

test('is one server for processes that start at the same moment, and the last one out stops it', async () => {
  const directory = makeDirectory();
  const [first, second, third] = await Promise.all([
    startHolder({ directory }),
    startHolder({ directory }),
    startHolder({ directory }),
  ]);
  expect(new Set([first.url, second.url, third.url]).size).toBe(1);
  await first.release();
  await second.release();
  expect(await findRunningEmbeddedPostgres({ directory })).toBe(third.url);
  await third.release();
  expect(await findRunningEmbeddedPostgres({ directory })).toBeUndefined();
});

test('is used again after its only user was killed, and stopped by the next one', async () => {
  const killed = await startHolder({ directory });
  await killHolder(killed.child);
  const { url, release } = await acquireEmbeddedPostgres({ directory, settings });
  expect(url).toBe(killed.url);
  await release();
  expect(await findRunningEmbeddedPostgres({ directory })).toBeUndefined();
});

test.each(['SIGINT', 'SIGTERM', 'exit'])('is stopped when its only user ends by %s without a release', async (way) => {
  const { child } = await startHolder({ directory });
  const ended = once(child, 'exit');
  if (way === 'exit') child.send('exit');
  else child.kill(way as NodeJS.Signals);
  const [code, signal] = await ended;
  expect(signal ?? code).toBe(way === 'exit' ? 0 : way);
  await expect.poll(() => findRunningEmbeddedPostgres({ directory })).toBeUndefined();
});

test('starts again after the server was killed in the middle of work, with all that was committed', async () => {
  const first = await acquireEmbeddedPostgres({ directory, settings });
  await query(first.url, 'CREATE TABLE committed AS SELECT 7 AS number');
  await withBusyBackend(first.url, async () => {
    process.kill(postmasterPid(directory), 'SIGKILL');
    const second = await acquireEmbeddedPostgres({ directory, settings });
    expect(await query(second.url, 'SELECT number FROM committed')).toEqual([{ number: 7 }]);
    await second.release();
  });
  await first.release();
  expect(await findRunningEmbeddedPostgres({ directory })).toBeUndefined();
});

test('is started again at its address for who keeps it running, as often as it is killed, and not after its release', async () => {
  const log: string[] = [];
  const say = (line: string) => void log.push(line);
  const { url, release } = await acquireEmbeddedPostgres({ directory, settings, isKeptRunning: true, log: say });
  for (let times = 1; times <= 2; times++) {
    process.kill(postmasterPid(directory), 'SIGKILL');
    await expect.poll(() => log.filter((line) => line === 'the embedded PostgreSQL runs again')).toHaveLength(times);
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  }
  expect(log[0]).toBe('the embedded PostgreSQL has died; starting it again in 0.5 s');
  expect(log[2]).toBe('the embedded PostgreSQL has died; starting it again in 1 s');
  await release();
  expect(await findRunningEmbeddedPostgres({ directory })).toBeUndefined();
});

test('is at its address again when a command starts it that comes before it was missed', async () => {
  const first = await acquireEmbeddedPostgres({ directory, settings });
  process.kill(postmasterPid(directory), 'SIGKILL');
  const second = await acquireEmbeddedPostgres({ directory, settings });
  expect(second.url).toBe(first.url);
  await second.release();
  await first.release();
});

test('does not take a process that got the pid of a former server for the server', async () => {
  const lines = [process.pid, path.join(directory, 'data'), 0, 1, '', '127.0.0.1', '', 'ready'];
  writeFileSync(path.join(directory, 'data/postmaster.pid'), `${lines.join('\n')}\n`);
  expect(await findRunningEmbeddedPostgres({ directory })).toBeUndefined();
  const { url, release } = await acquireEmbeddedPostgres({ directory, settings });
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await release();
});

test('makes the database anew when the first making of it was broken off', async () => {
  const directory = makeDirectory();
  mkdirSync(path.join(directory, 'data.unfinished'), { recursive: true });
  writeFileSync(path.join(directory, 'data.unfinished/PG_VERSION'), '18\n');
  const { url, release } = await acquireEmbeddedPostgres({ directory, settings });
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await release();
});

test('refuses data of another PostgreSQL version and says what to do', async () => {
  writeFileSync(path.join(directory, 'data/PG_VERSION'), '17\n');
  await expect(acquireEmbeddedPostgres({ directory, settings })).rejects.toThrow(
    `The database in ${directory} was made by PostgreSQL 17, but 18 is installed now. Remove that folder`,
  );
  writeFileSync(path.join(directory, 'data/PG_VERSION'), '18\n');
});

test('shows the end of the server’s log when it does not start', async () => {
  const acquiring = acquireEmbeddedPostgres({ directory, settings: { shared_buffers: 'plenty' } });
  await expect(acquiring).rejects.toThrow(
    /does not start[\s\S]*invalid value for parameter "shared_buffers": "plenty"/,
  );
});

test('is not removed while a process uses it', async () => {
  const { release } = await acquireEmbeddedPostgres({ directory, settings });
  await expect(removeEmbeddedPostgres({ directory })).rejects.toThrow('in use');
  await release();
});

function makeDirectory(): string {
  const directory = path.join(makeTempFolder(), 'postgres');
  onTestFinished(() => removeEmbeddedPostgres({ directory }));
  return directory;
}

/**
 * Runs `work` while one of the server's processes is deep in a query, where it does not notice the
 * server's death.
 */
async function withBusyBackend(url: string, work: () => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  const busy = client.query('SELECT count(*) FROM (SELECT generate_series(1, 100000000000)) AS many').then(
    () => 'answered',
    () => 'broken off',
  );
  await expect
    .poll(() => query(url, `SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%series%'`))
    .toHaveLength(2);
  await work();
  expect(await busy).toBe('broken off');
}

function query(url: string, sql: string): Promise<unknown[]> {
  return withClient(url, async (client) => (await client.query(sql)).rows);
}

function postmasterPid(directory: string): number {
  return Number.parseInt(readFileSync(path.join(directory, 'data/postmaster.pid'), 'utf8'), 10);
}
