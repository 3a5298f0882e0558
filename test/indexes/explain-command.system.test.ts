import { afterAll, beforeAll, expect, it } from 'vitest';

import { explainQueries, isFaulty } from '../../src/indexes/explain-queries.ts';
import { formatExplained } from '../../src/indexes/explain-report.ts';
import { sampleTenants } from '../../src/indexes/samples.ts';
import { openTrial } from '../../src/indexes/trial.ts';
import { runScript, runScriptAlone, type ScriptRun } from '../cli/run-script.ts';
import { createPlainlyOwnedDatabase } from '../support/plain-owner.ts';
import { createTestDatabase, quoteName, type TestDatabase, withClient } from '../support/postgres.ts';

const BALANCE = 'bank_accounts_tenant_balance_idx';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it('wants no index of a table that is read as fast without', { timeout: 120_000 }, async () => {
  await seed('tiny', '2', '30', '60');
  await query(`DROP INDEX ${BALANCE}`);
  expect(await faults()).toEqual([]);
  await query(`CREATE INDEX ${BALANCE} ON bank_accounts (tenant_id, balance, id)`);
});

it('finds nothing wrong with what db:seed has just made', { timeout: 120_000 }, async () => {
  await seed('demo', '10', '1_000', '2_000');
  expect(await run('queries-explain.ts')).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/: every query has its index, and none reads a whole table without need\.\n$/),
  });
});

it('says which queries lack their index', { timeout: 120_000 }, async () => {
  await query(`DROP INDEX ${BALANCE}`);
  const { code, stdout } = await run('queries-explain.ts', [], runScriptAlone);
  expect(code).toBe(2);
  expect(stdout).toMatch(/accounts by balance, next page .* LACKS ITS INDEX of bank_accounts/);
  expect(stdout).toMatch(/, \d+ lack their index \(npm run indexes:create\)\.\n$/);
  await query(`CREATE INDEX ${BALANCE} ON bank_accounts (tenant_id, balance, id)`);
  expect(await faults()).toEqual([]);
});

it('says which queries read a whole table because their index cannot be searched', { timeout: 120_000 }, async () => {
  await query('ALTER FUNCTION pg_catalog.texteq(text, text) NOT LEAKPROOF');
  const found = await faults();
  expect(found.map(({ query }) => query.name)).toContain('number of accounts with a number');
  expect(found.filter(({ lacking, flagged }) => lacking.length || !flagged.includes('bank_accounts'))).toEqual([]);
  expect(formatExplained(found, false)).toMatch(/number of accounts with a number .* READS ALL OF bank_accounts/);
});

it('plans the same queries for an owner that row-level security holds, and the largest and a small tenant', {
  timeout: 120_000,
}, async () => {
  const plain = await createPlainlyOwnedDatabase();
  try {
    const sizes = ['--tenants', '6', '--accounts', '200', '--transactions', '400', '--append'];
    expect(await run('db-seed.ts', sizes, runScript, plain.url)).toMatchObject({ code: 0 });
    await withClient(plain.url, async (client) => {
      const samples = await sampleTenants(client);
      const names = (await explainQueries(client)).map(({ query }) => query.name);
      await client.query(`SET SESSION AUTHORIZATION ${quoteName(plain.owner)}`);
      expect(await sampleTenants(client)).toEqual(samples);
      expect(samples).toHaveLength(2);
      expect((await explainQueries(client)).map(({ query }) => query.name)).toEqual(names);
      await expect(openTrial(client, ['bank_accounts'])).rejects.toMatchObject({
        message: expect.stringContaining('row-level security hides the rows of bank_accounts'),
        remedy: expect.stringContaining('CREATE EXTENSION hypopg'),
      });
    });
  } finally {
    await plain.drop();
  }
});

function faults() {
  return withClient(database.url, async (client) => (await explainQueries(client)).filter(isFaulty));
}

async function seed(prefix: string, tenants: string, accounts: string, transactions: string): Promise<void> {
  const sizes = ['--tenants', tenants, '--accounts', accounts, '--transactions', transactions];
  expect(await run('db-seed.ts', [...sizes, '--append', '--prefix', prefix])).toMatchObject({ code: 0 });
}

function run(script: string, args: readonly string[] = [], way = runScript, url = database.url): Promise<ScriptRun> {
  return way(script, args, { env: { DATABASE_URL: url } });
}

function query(sql: string) {
  return withClient(database.url, (client) => client.query(sql));
}
