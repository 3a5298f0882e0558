import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { checkCommand } from '../../src/commands/statistics-command.ts';
import type { Config } from '../../src/config/config.ts';
import { openDatabase } from '../../src/startup/open-database.ts';
import { insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, onServer, type TestDatabase, withClient, withKeptClient } from '../support/postgres.ts';

const LOGIN = `tenantry_test_login_${randomBytes(6).toString('hex')}`;
const TRIGGER = 'keep_totals_insert on transactions';
const REMEDY = 'ALTER TABLE transactions ENABLE ALWAYS TRIGGER keep_totals_insert;';

let database: TestDatabase;
let asService: string;
beforeAll(async () => {
  await onServer(`CREATE ROLE ${LOGIN} LOGIN PASSWORD '${LOGIN}' IN ROLE tenantry_app`);
  database = await createTestDatabase();
  const url = new URL(database.url);
  url.username = LOGIN;
  url.password = LOGIN;
  asService = url.href;
  const migrations = readdirSync('prisma/migrations', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  await withClient(database.url, async (client) => {
    await client.query(`CREATE TABLE _prisma_migrations (migration_name text, finished_at timestamptz, rolled_back_at timestamptz);
      GRANT SELECT ON _prisma_migrations TO tenantry_app`);
    const names = migrations.map(({ name }) => name);
    await client.query('INSERT INTO _prisma_migrations SELECT unnest($1::text[]), now()', [names]);
  });
  await insertTenant(database.url, { slug: 'north' });
});
afterAll(async () => {
  await database?.drop();
  await onServer(`DROP ROLE ${LOGIN}`);
});

const set = (state: string) =>
  withClient(database.url, (client) => client.query(`ALTER TABLE transactions ${state} TRIGGER keep_totals_insert`));

async function open(production: boolean): Promise<string[]> {
  const said: string[] = [];
  const config = { database: { url: asService }, lifecycle: { startupTimeoutMs: 0 }, production } as Config;
  const { release } = await openDatabase(config, (line) => said.push(line));
  await release();
  return said;
}

async function check(): Promise<[number, string]> {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.stubEnv('DATABASE_URL', database.url);
  const code = await checkCommand({ options: { tenant: 'north' } });
  vi.unstubAllEnvs();
  const text = written.mock.calls.map(([line]) => line).join('');
  written.mockRestore();
  return [code, text];
}

it('a start in production is refused by the name of what is disabled, with the remedy', async () => {
  expect(await open(true)).toEqual([]);
  for (const [state, fault] of [
    ['DISABLE', 'is disabled'],
    ['ENABLE', 'sleeps while rows are replayed'],
  ] as const) {
    await set(state);
    await expect(open(true)).rejects.toMatchObject({
      message: expect.stringContaining(`trigger ${TRIGGER} ${fault}`),
      remedy: expect.stringContaining(REMEDY),
    });
  }
  await set('ENABLE ALWAYS');
});

it('a start in development says so', async () => {
  expect(await open(false)).toEqual([]);
  await set('DISABLE');
  expect(await open(false)).toEqual([`warning: trigger ${TRIGGER} is disabled: ${REMEDY}`]);
  await set('ENABLE ALWAYS');
});

it('a start in production is refused to a login that lacks a right of the service, and told of one that has too many', async () => {
  const change = (sql: string) => withKeptClient(database.url, (client) => client.query(sql));
  await change('REVOKE INSERT ON transactions FROM tenantry_app');
  await expect(open(true)).rejects.toMatchObject({
    message: `The login of DATABASE_URL, ${LOGIN}, lacks INSERT on transactions.`,
    remedy: expect.stringContaining(`npm run db:grant -- --role ${LOGIN}`),
  });
  expect(await open(false)).toEqual([
    `warning: ${LOGIN} lacks INSERT on transactions: GRANT INSERT ON transactions TO ${LOGIN};`,
  ]);
  await change('GRANT INSERT, DELETE ON transactions TO tenantry_app');
  for (const production of [true, false])
    expect(await open(production)).toEqual([
      `warning: ${LOGIN} has more than the service needs: DELETE on transactions: REVOKE DELETE ON transactions FROM tenantry_app;`,
    ]);
  await change('REVOKE DELETE ON transactions FROM tenantry_app');
});

it('statistics:check names it and does not end with 0, though no total is wrong yet', async () => {
  expect(await check()).toEqual([0, 'north: right\n']);
  await set('ENABLE');
  expect(await check()).toEqual([
    3,
    `database: trigger ${TRIGGER} sleeps while rows are replayed: ${REMEDY}\nnorth: right\n`,
  ]);
  await set('ENABLE ALWAYS');
});
