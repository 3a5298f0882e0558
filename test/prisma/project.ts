import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { removeEmbeddedPostgres } from '../../src/embedded/index.mjs';

export const REPOSITORY = path.resolve(import.meta.dirname, '../..');
export const ENGINE = path.join(REPOSITORY, 'prisma/engine/schema-engine.mjs');

/**
 * What Prisma's command line needs of this project; the embedded PostgreSQL is for commands without
 * DATABASE_URL.
 */
const OWN_FILES = [
  'package.json',
  'prisma',
  'prisma.config.ts',
  'scripts/bootstrap',
  'src/embedded',
  'src/setting.mjs',
  'src/database/missing-password.mjs',
];

const CONFIG = `import { defineConfig } from 'prisma/config';
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env.DATABASE_URL },
});
`;

/** A folder that Prisma's commands run in, so that none of them writes into this one. */
export interface Project {
  directory: string;
  /** Writes a migration, over one of the same name. */
  writeMigration(name: string, sql: string): void;
  remove(): Promise<void>;
}

/** This project itself: its configuration, schema, migrations and engine. */
export function copyOwnProject(): Project {
  const project = openProject();
  for (const file of OWN_FILES) {
    cpSync(path.join(REPOSITORY, file), path.join(project.directory, file), { recursive: true });
  }
  return project;
}

/** A project with a schema of one's own and the engine of this one. */
export function createProject(schema: string): Project {
  const project = openProject();
  const migrations = path.join(project.directory, 'prisma/migrations');
  mkdirSync(migrations, { recursive: true });
  writeFileSync(path.join(migrations, 'migration_lock.toml'), 'provider = "postgresql"\n');
  writeFileSync(path.join(project.directory, 'prisma/schema.prisma'), schema);
  writeFileSync(path.join(project.directory, 'prisma.config.mjs'), CONFIG);
  return project;
}

function openProject(): Project {
  const directory = mkdtempSync(path.join(tmpdir(), 'tenantry-prisma-'));
  // As a clone's usually is: the embedded PostgreSQL may run as another user, who has to enter it.
  chmodSync(directory, 0o755);
  symlinkSync(path.join(REPOSITORY, 'node_modules'), path.join(directory, 'node_modules'), 'junction');
  return {
    directory,
    writeMigration(name, sql) {
      const folder = path.join(directory, 'prisma/migrations', name);
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, 'migration.sql'), sql);
    },
    async remove() {
      await removeEmbeddedPostgres({ directory: embeddedDirectoryOf(directory) });
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Where the commands of a copy of this project put the embedded PostgreSQL. */
export function embeddedDirectoryOf(directory: string): string {
  return path.join(directory, '.tenantry/postgres');
}
