import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { createEmptyDatabase, onServer, quoteName, type TestDatabase, withClient } from './postgres.ts';

const MIGRATIONS_DIRECTORY = path.resolve(import.meta.dirname, '../../prisma/migrations');

/**
 * A migrated database for the tests to copy: a copy takes milliseconds, the migrations do not. Each
 * migration is sent as one query, which is what `prisma migrate deploy` does too (its own way is
 * tested by itself).
 */
export async function createTemplate(): Promise<TestDatabase> {
  const template = await createEmptyDatabase();
  await withClient(template.url, async (client) => {
    for (const migration of migrations()) {
      await client.query(readFileSync(migration, 'utf8')).catch((cause: Error) => {
        throw new Error(`${path.relative(process.cwd(), migration)}: ${cause.message}`, { cause });
      });
    }
  });
  // A connection to a template makes the copying of it fail.
  await onServer(`ALTER DATABASE ${quoteName(template.name)} ALLOW_CONNECTIONS false`);
  return template;
}

/** The SQL of each migration, in order. */
export function migrationScripts(): string[] {
  return migrations().map((migration) => readFileSync(migration, 'utf8'));
}

function migrations(): string[] {
  return readdirSync(MIGRATIONS_DIRECTORY, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.join(MIGRATIONS_DIRECTORY, entry.name, 'migration.sql'))
    .sort();
}
