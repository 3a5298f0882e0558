import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { runScript, runScriptAlone } from '../cli/run-script.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(() => database.drop());

function runSeed(args: string[], env: Readonly<Record<string, string>> = {}, run = runScript) {
  return run('db-seed.ts', args, { env: { DATABASE_URL: database.url, ...env } });
}

async function countTenants(): Promise<number> {
  const { rows } = await withClient(database.url, (client) => client.query('SELECT FROM tenants'));
  return rows.length;
}

describe('npm run db:seed', { timeout: 60_000 }, () => {
  test('generates, says how much, and does not do it twice', async () => {
    const args = ['--tenants', '2', '--accounts', '5', '--transactions', '30'];
    const first = await runSeed(args, {}, runScriptAlone);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^2 of 2 tenants, 30 transactions in /) });
    const second = await runSeed(args);
    expect(second).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/has 2 tenants already\.\n.*--append/),
    });
    expect(await countTenants()).toBe(2);
    const audited = await runScript('audit.ts', ['--json', '--no-tenant'], { env: { DATABASE_URL: database.url } });
    const [refused, done] = audited.stdout.split('\n').map((text) => JSON.parse(text || 'null'));
    expect(refused).toMatchObject({ action: 'db:seed', outcome: 'FAILED', codes: ['FAILED_PRECONDITION'] });
    expect(done).toMatchObject({ action: 'db:seed', outcome: 'DONE', codes: [] });
  });

  test('refuses production and options that do not hold, with a remedy and no stack', async () => {
    const production = await runSeed([], { NODE_ENV: 'production' });
    const wrong = await runSeed(['--transactions', 'many']);
    expect([production.code, wrong.code, await countTenants()]).toEqual([1, 1, 0]);
    expect(production.stderr).toMatch(/^NODE_ENV is production.*\n.*--in-production\.\n$/);
    expect(wrong.stderr).toMatch(/^--transactions must be .*"many"\.\n.*\n$/);
  });
});
