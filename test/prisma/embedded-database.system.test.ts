import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { findRunningEmbeddedPostgres } from '../../src/embedded/index.mjs';
import { prisma } from './cli.ts';
import { copyOwnProject, embeddedDirectoryOf, type Project } from './project.ts';

/** Prisma's commands take seconds each under load, the making of a cluster too. */
const TIMEOUT_MS = 90_000;

describe("Prisma's command line without DATABASE_URL", { timeout: TIMEOUT_MS }, () => {
  let project: Project;

  beforeAll(() => {
    project = copyOwnProject();
  });
  afterAll(() => project.remove());

  it('validates the schema and generates the client with neither a database nor a download', async () => {
    const validated = await prisma(project, ['validate']);
    expect(validated).toEqual({ exitCode: 0, output: expect.stringContaining('schema.prisma is valid') });

    const generated = await prisma(project, ['generate']);
    expect(generated).toEqual({ exitCode: 0, output: expect.stringContaining('Generated Prisma Client') });
    const client = readFileSync(path.join(project.directory, 'src/generated/prisma/client.ts'), 'utf8');
    expect(client).toContain('BankAccount');
    expect(existsSync(path.join(project.directory, '.tenantry'))).toBe(false);
  });

  it('works on the embedded PostgreSQL, which runs for the time of the command', async () => {
    const deployed = await prisma(project, ['migrate', 'deploy']);

    expect(deployed.output).toContain('PostgreSQL database "tenantry"');
    expect(deployed.output).toContain('All migrations have been successfully applied.');
    expect(deployed.exitCode).toBe(0);
    const directory = embeddedDirectoryOf(project.directory);
    await expect.poll(() => findRunningEmbeddedPostgres({ directory })).toBeUndefined();
  });
});
