import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { HOSTILE } from '../support/hostile-defaults.ts';
import { adminDatabaseUrl, dropTestDatabase, onServer, quoteName, withClient } from '../support/postgres.ts';
import { type Outcome, prisma } from './cli.ts';
import { copyOwnProject, type Project } from './project.ts';

/** Prisma's commands take seconds each under load. */
const TIMEOUT_MS = 120_000;

const OBJECTS = `
  SELECT (SELECT count(*)::int FROM pg_index WHERE indpred IS NOT NULL AND indrelid > 16384) AS "partialIndexes",
         (SELECT count(*)::int FROM pg_trigger WHERE NOT tgisinternal) AS triggers,
         (SELECT count(*)::int FROM pg_policies) AS policies,
         (SELECT count(*)::int FROM "_prisma_migrations" WHERE finished_at IS NOT NULL) AS migrations`;

describe("Prisma's command line on this project's own schema", { timeout: TIMEOUT_MS }, () => {
  const name = `tenantry_test_prisma_${process.pid}`;
  const url = new URL(`/${name}`, adminDatabaseUrl()).href;
  let project: Project;
  let made: unknown;
  const run = (...args: string[]): Promise<Outcome> => prisma(project, args, { DATABASE_URL: url });
  const alter = (change: string) => onServer(`ALTER DATABASE ${quoteName(name)} ${change}`);
  const migrationsIn = (): string[] => readdirSync(path.join(project.directory, 'prisma/migrations')).sort();

  beforeAll(() => {
    project = copyOwnProject();
  });
  afterAll(async () => {
    await project.remove();
    await dropTestDatabase(name);
  });

  it('makes the database and applies all migrations from empty', async () => {
    const { exitCode, output } = await run('migrate', 'deploy');

    expect(output).toContain(`PostgreSQL database ${name} created`);
    expect(output).toContain('All migrations have been successfully applied.');
    expect(exitCode).toBe(0);
    const { rows } = await withClient(url, (client) => client.query(OBJECTS));
    made = rows;
    expect(rows[0].migrations).toBe(migrationsIn().length - 1);
    for (const count of Object.values(rows[0])) expect(count).toBeGreaterThan(0);
  });

  it('finds no drift in partial indexes, triggers and policies, also where the database writes values in its own way', async () => {
    for (const [setting, value] of Object.entries(HOSTILE)) await alter(`SET ${setting} = '${value}'`);
    try {
      expect(await run('migrate', 'status')).toEqual({
        exitCode: 0,
        output: expect.stringContaining('Database schema is up to date!'),
      });
      const before = migrationsIn();
      const { exitCode, output } = await run('migrate', 'dev', '--name', 'unwanted');
      expect(output).toContain('Already in sync, no schema change or pending migration was found.');
      expect(exitCode).toBe(0);
      expect(migrationsIn()).toEqual(before);
    } finally {
      await alter('RESET ALL');
    }
  });

  it('finds no difference between the migrations and the database', async () => {
    const diff = ['migrate', 'diff', '--from-migrations', 'prisma/migrations', '--to-config-datasource', '--exit-code'];

    const outcome = await run(...diff);

    expect(outcome).toEqual({ exitCode: 0, output: expect.stringContaining('No difference detected.') });
  });

  it('reads the schema back from the database, with the conditions of partial indexes', async () => {
    const { exitCode, output } = await run('db', 'pull', '--print');

    expect(exitCode).toBe(0);
    expect(output).toMatch(/map: "bank_accounts_tenant_active_created_idx", where: raw\("\(status = 'ACTIVE'/);
  });

  it('resets the database and applies the migrations again', async () => {
    const insert = "INSERT INTO tenants (slug, name, time_zone) VALUES ('gone', 'Gone', 'Europe/Berlin')";
    await withClient(url, (client) => client.query(insert));

    const { exitCode, output } = await run('migrate', 'reset', '--force');

    expect(output).toContain('Database reset successful');
    expect(exitCode).toBe(0);
    const { rows } = await withClient(url, (client) => client.query('SELECT count(*)::int AS tenants FROM tenants'));
    expect(rows).toEqual([{ tenants: 0 }]);
    const { rows: objects } = await withClient(url, (client) => client.query(OBJECTS));
    expect(objects).toEqual(made);
  });
});
