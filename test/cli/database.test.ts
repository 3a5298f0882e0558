import { afterEach, expect, test, vi } from 'vitest';
import { openCommandDatabase } from '../../src/commands/command-database.ts';
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
