import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

import { createEmptyDatabase } from '../support/postgres.ts';
import { prismaOn } from './cli.ts';
import { createProject, REPOSITORY } from './project.ts';

const LOCK_FILE = 'prisma/migrations/migration_lock.toml';
const SCHEMA = `
generator client {
  provider = "prisma-client"
  output   = "../generated"
}

datasource db {
  provider = "postgresql"
}

model things {
  id Int @id
}
`;

it('is committed as Prisma writes it with every migration', { timeout: 120_000 }, async () => {
  const database = await createEmptyDatabase();
  const project = createProject(SCHEMA);
  try {
    const made = await prismaOn(database.url, project, ['migrate', 'dev', '--create-only', '--name', 'first']);
    expect(made).toEqual({ exitCode: 0, output: expect.stringContaining('_first') });
    const written = readFileSync(path.join(project.directory, LOCK_FILE), 'utf8');
    expect(readFileSync(path.join(REPOSITORY, LOCK_FILE), 'utf8')).toBe(written);
  } finally {
    await project.remove();
    await database.drop();
  }
});
