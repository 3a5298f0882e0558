import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { urlCommand } from '../../src/commands/url-command.ts';
import { builtFrom } from '../support/built.ts';

beforeEach(() => {
  vi.stubEnv('DATABASE_URL', '');
  vi.stubEnv('DATABASE_DIRECT_URL', '');
});
afterEach(() => vi.unstubAllEnvs());

test('is the way past a pooler where there is one, as for every command', async () => {
  vi.stubEnv('DATABASE_URL', 'postgresql://pooler/tenantry');
  expect(await urlCommand()).toBe('postgresql://pooler/tenantry');
  vi.stubEnv('DATABASE_DIRECT_URL', 'postgresql://server/tenantry');
  expect(await urlCommand()).toBe('postgresql://server/tenantry');
});

test("is the embedded database's while it runs, and else says what to start", async () => {
  expect(await urlCommand(async () => 'postgresql://embedded/tenantry')).toBe('postgresql://embedded/tenantry');
  await expect(urlCommand(async () => undefined)).rejects.toMatchObject({
    message: 'DATABASE_URL is not set, and the embedded database does not run.',
    remedy: expect.stringContaining('npm start'),
  });
});

test('prints nothing else, so that psql can take it', async () => {
  const DATABASE_DIRECT_URL = 'postgresql://server/tenantry';
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [await builtFrom('scripts/db-url.ts')], {
    env: { ...process.env, DATABASE_DIRECT_URL },
  });
  expect({ stdout, stderr }).toEqual({ stdout: `${DATABASE_DIRECT_URL}\n`, stderr: '' });
});
