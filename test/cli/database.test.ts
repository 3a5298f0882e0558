import { afterEach, expect, test, vi } from 'vitest';
import { openCommandDatabase } from '../../src/commands/command-database.ts';
import { migrateCommand } from '../../src/commands/migrate-command.ts';
import { urlCommand } from '../../src/commands/url-command.ts';
import { createTestDatabase } from '../support/postgres.ts';

/** Nobody listens there. */
const POOLER = 'postgresql://nobody@127.0.0.1:1/nothing';

afterEach(() => vi.unstubAllEnvs());

test('commands go past the pooler', async () => {
  const database = await createTestDatabase();
  vi.stubEnv('DATABASE_URL', POOLER);
  await expect(openCommandDatabase({ command: 'test' })).rejects.toThrow(
    'The database nothing at 127.0.0.1:1 cannot be reached as nobody',
  );
  vi.stubEnv('DATABASE_DIRECT_URL', database.url);
  const opened = await openCommandDatabase({ command: 'test' });
  expect(opened.url).toBe(database.url);
  await opened.close();
  await database.drop();
});

test('in production no command takes the embedded database for that of the service', async () => {
  vi.stubEnv('NODE_ENV', 'production');
  for (const name of ['DATABASE_URL', 'DATABASE_DIRECT_URL']) vi.stubEnv(name, '');
  const embedded = vi.fn();
  const attempts = [
    () => openCommandDatabase({ command: 'test', acquireEmbedded: embedded }),
    () => migrateCommand(() => {}),
    () => urlCommand(embedded),
  ];
  for (const attempt of attempts)
    await expect(attempt()).rejects.toMatchObject({
      message: expect.stringMatching(/^DATABASE_URL is not set.*NODE_ENV=production/),
      remedy: expect.stringContaining('Set DATABASE_URL'),
    });
  expect(embedded).not.toHaveBeenCalled();
});
