import { afterEach, describe, expect, test, vi } from 'vitest';
import { describeError } from '../../src/cli/run-command.ts';
import { openCommandDatabase } from '../../src/commands/command-database.ts';
import { reachDatabase, readDatabaseState } from '../../src/database/database-state.ts';
import { findFreePort } from '../support/free-port.ts';
import { adminDatabaseUrl } from '../support/postgres.ts';

afterEach(() => vi.unstubAllEnvs());

const changed = (change: (url: URL) => void) => {
  const url = new URL(adminDatabaseUrl());
  change(url);
  return url.href;
};

const KINDS: [string, () => string | Promise<string>, RegExp, string][] = [
  [
    'a wrong password',
    () => changed((url) => Object.assign(url, { password: 'hidden' })),
    /password authentication failed for user "\w+"\.$/,
    'Check the user and the password in DATABASE_URL.',
  ],
  [
    'an unknown database',
    () => changed((url) => Object.assign(url, { pathname: '/tenantry_test_nowhere' })),
    /^The database tenantry_test_nowhere at .* database "tenantry_test_nowhere" does not exist\.$/,
    'Create it and its tables: npm run db:migrate, or check that DATABASE_URL is right.',
  ],
  [
    'a refused connection',
    async () => `postgresql://me:hidden@127.0.0.1:${await findFreePort()}/app`,
    /^The database app at 127\.0\.0\.1:\d+ cannot be reached as me: connect ECONNREFUSED 127\.0\.0\.1:\d+\.$/,
    'Check that PostgreSQL runs there and that DATABASE_URL is right.',
  ],
  [
    'a server without TLS',
    () => changed((url) => url.searchParams.set('sslmode', 'verify-full')),
    /The server does not support SSL connections\.$/,
    'Check sslmode and sslrootcert in DATABASE_URL, as docs/postgres.md says.',
  ],
];

/** As the service opens it, and as a command does. */
async function toldOf(url: string): Promise<[message: string, remedy: string][]> {
  const attempts = [readDatabaseState(url), openCommandDatabase({ command: 'test', url })];
  return Promise.all(
    attempts.map(async (attempt) => {
      const told = String(await attempt.then(() => 'nothing', describeError));
      expect(told).not.toContain('hidden');
      return told.split('\n') as [string, string];
    }),
  );
}

describe.each(KINDS)('%s', (_, url, message, remedy) => {
  test('is told alike by the service and by commands, with what helps in production', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    const [service, command] = await toldOf(await url());
    expect(service).toEqual([expect.stringMatching(message), remedy]);
    expect(command).toEqual(service);
  });
});

test('the embedded PostgreSQL is offered in development alone, and only for the setting that it stands in for', async () => {
  const url = `postgresql://me@127.0.0.1:${await findFreePort()}/app`;
  for (const [, remedy] of await toldOf(url)) expect(remedy).toMatch(/; unset DATABASE_URL to use the embedded/);
  const direct = await reachDatabase(url, 'DATABASE_DIRECT_URL').catch(describeError);
  expect(direct).toMatch(/\nCheck that PostgreSQL runs there and that DATABASE_DIRECT_URL is right\.$/);
  vi.stubEnv('DATABASE_DIRECT_URL', url);
  expect(await openCommandDatabase({ command: 'test' }).catch(describeError)).toBe(direct);
});
