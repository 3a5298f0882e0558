import { writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { afterEach, expect, test, vi } from 'vitest';
import { parseTarget, withClient } from '../../prisma/engine/connection.mjs';
import { describeError } from '../../src/cli/run-command.ts';
import { openCommandDatabase } from '../../src/commands/command-database.ts';
import { readDatabaseState } from '../../src/database/database-state.ts';
import { missingPassword } from '../../src/database/missing-password.mjs';
import { adminDatabaseUrl } from '../support/postgres.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const { hostname, port, username, password } = new URL(adminDatabaseUrl());
const URL_WITHOUT = `postgresql://${username}@${hostname}:${port}/postgres`;

/** A password file. */
function fileOf(text: string, mode = 0o600): string {
  const file = path.join(makeTempFolder(), 'pgpass');
  writeFileSync(file, text, { mode });
  return file;
}

const GIVE = 'or give the password in DATABASE_URL.';

test.each<[string, () => string, (file: string) => [reason: string, remedy: string]]>([
  [
    'not there',
    () => path.join(makeTempFolder(), 'gone'),
    (file) => [`PGPASSFILE (${file}) cannot be read (ENOENT)`, `Name in PGPASSFILE a file that can be, ${GIVE}`],
  ],
  [
    'a folder',
    () => makeTempFolder(),
    (file) => [`PGPASSFILE (${file}) is no file`, `Name a file in PGPASSFILE, ${GIVE}`],
  ],
  [
    'readable by others',
    () => fileOf(`*:*:*:*:${password}\n`, 0o644),
    (file) => [
      `PGPASSFILE (${file}) is ignored, since it is readable or writable by others (mode 0644)`,
      `Run: chmod 600 ${file}, ${GIVE}`,
    ],
  ],
  [
    'of another login',
    () => fileOf(`*:*:*:another:${password}\n`),
    (file) => [
      `PGPASSFILE (${file}) has no line for ${username} at ${hostname}:${port}/postgres`,
      `Add the line ${hostname}:${port}:postgres:${username}:<password> to it, ${GIVE}`,
    ],
  ],
])('a password file that is %s is named with what helps', async (_, make, told) => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true); // the driver's own words
  const file = make();
  vi.stubEnv('PGPASSFILE', file);
  const [reason, remedy] = told(file);
  const why = `no password: DATABASE_URL has none and ${reason}`;
  const whole = `The database postgres at ${hostname}:${port} cannot be reached as ${username}: ${why}.\n${remedy}`;
  expect(await readDatabaseState(URL_WITHOUT).catch(describeError)).toBe(whole);
  expect(await openCommandDatabase({ command: 'test', url: URL_WITHOUT }).catch(describeError)).toBe(whole);
  await expect(withClient(parseTarget(URL_WITHOUT), async () => {})).rejects.toMatchObject({
    code: 'P1000',
    message: `There is ${why}.\n\n${remedy}`,
  });
});

test('without PGPASSFILE the file is the default one, and an empty PGPASSWORD keeps any from being read', async () => {
  const home = makeTempFolder();
  vi.stubEnv('HOME', home);
  vi.stubEnv('PGPASSFILE', undefined);
  const file = path.join(home, '.pgpass');
  expect(await readDatabaseState(URL_WITHOUT).catch(describeError)).toContain(
    `its default file (${file}) cannot be read (ENOENT).\n`,
  );
  writeFileSync(file, `*:*:*:*:${password}\n`, { mode: 0o600 });
  expect(await readDatabaseState(URL_WITHOUT)).toMatchObject({ pendingMigrations: expect.any(Array) });
  vi.stubEnv('PGPASSWORD', '');
  expect(await readDatabaseState(URL_WITHOUT).catch(describeError)).toMatch(
    /DATABASE_URL has none and PGPASSWORD is empty\.\nSet PGPASSWORD, unset it so that PGPASSFILE is read, or give/,
  );
});

test('a password that is wrong is none that is missing, from a file either', async () => {
  vi.stubEnv('PGPASSFILE', fileOf('*:*:*:*:wrong\n'));
  expect(await readDatabaseState(URL_WITHOUT).catch(describeError)).toMatch(
    /password authentication failed for user "\w+"\.\nCheck the user and the password in DATABASE_URL\.$/,
  );
});

test('a server that asks for the password in clear or by MD5 refuses what is empty, which is told alike', () => {
  vi.stubEnv('PGPASSFILE', '/nope');
  const client = new pg.Client({ connectionString: URL_WITHOUT });
  const refused = { code: '28P01', message: 'password authentication failed' };
  expect(missingPassword(client, 'DATABASE_URL', refused)?.reason).toBe(
    'no password: DATABASE_URL has none and PGPASSFILE (/nope) cannot be read (ENOENT)',
  );
  expect(missingPassword(client, 'DATABASE_URL', { code: 'ECONNREFUSED', message: 'connect' })).toBeUndefined();
});
