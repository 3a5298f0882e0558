import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createEmptyDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { type Outcome, prismaOn } from './cli.ts';
import { createProject, type Project } from './project.ts';

/** Prisma's commands take seconds each under load. */
const TIMEOUT_MS = 60_000;
const SCHEMA = `
generator client {
  provider = "prisma-client"
  output   = "../generated"
}

datasource db {
  provider = "postgresql"
}

model items {
  id Int @id
}

model parts {
  id Int @id
}
`;
const FIRST = 'CREATE TABLE items (id int PRIMARY KEY);';
const SECOND = `CREATE TABLE parts (id int PRIMARY KEY);
CREATE FUNCTION half(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN n / 2; END; $$;
`;

describe('a migration with bad SQL', { timeout: TIMEOUT_MS }, () => {
  let database: TestDatabase;
  let project: Project;
  const run = (...args: string[]): Promise<Outcome> => prismaOn(database.url, project, args);
  const tables = async (): Promise<string[]> => {
    const sql = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    const { rows } = await withClient(database.url, (client) => client.query(sql));
    return rows.map(({ tablename }) => tablename);
  };

  beforeAll(async () => {
    database = await createEmptyDatabase();
    project = createProject(SCHEMA);
    project.writeMigration('20260101000000_items', FIRST);
    project.writeMigration('20260102000000_parts', `${SECOND}INSERT INTO nowhere VALUES (1);\n`);
  });
  afterAll(async () => {
    await project.remove();
    await database.drop();
  });

  it("fails with Prisma's own error, the migration's name and the place, and leaves nothing of itself", async () => {
    const { exitCode, output } = await run('migrate', 'deploy');

    expect(exitCode).toBe(1);
    expect(output).toContain('Error: P3018');
    expect(output).toContain('Migration name: 20260102000000_parts');
    expect(output).toContain('Database error code: 42P01');
    expect(output).toContain('ERROR: relation "nowhere" does not exist');
    expect(output).toContain('  3 INSERT INTO nowhere VALUES (1);');
    expect(await tables()).toEqual(['_prisma_migrations', 'items']);
  });

  it('keeps further migrations back until it is resolved, and then applies it in its mended form', async () => {
    const blocked = await run('migrate', 'deploy');
    expect(blocked).toEqual({ exitCode: 1, output: expect.stringContaining('Error: P3009') });
    expect(blocked.output).toContain('The `20260102000000_parts` migration started at');

    const resolved = await run('migrate', 'resolve', '--rolled-back', '20260102000000_parts');
    expect(resolved).toEqual({ exitCode: 0, output: expect.stringContaining('marked as rolled back') });

    project.writeMigration('20260102000000_parts', SECOND);
    const deployed = await run('migrate', 'deploy');
    expect(deployed.exitCode).toBe(0);
    expect(await tables()).toEqual(['_prisma_migrations', 'items', 'parts']);
    const { rows } = await withClient(database.url, (client) => client.query('SELECT half(42)'));
    expect(rows).toEqual([{ half: 21 }]);
  });
});
