import { randomBytes } from 'node:crypto';
import { createEmptyDatabase, onServer, quoteName, type TestDatabase, withClient } from './postgres.ts';
import { migrationScripts } from './template.ts';

/**
 * A migrated database whose owner is no superuser and held to row-level security, as on every
 * managed PostgreSQL.
 */
export interface PlainlyOwnedDatabase extends TestDatabase {
  /** The role that owns the tables and the functions. */
  readonly owner: string;
}

export async function createPlainlyOwnedDatabase(): Promise<PlainlyOwnedDatabase> {
  const database = await createEmptyDatabase();
  const owner = `tenantry_test_owner_${randomBytes(6).toString('hex')}`;
  await onServer(`CREATE ROLE ${owner} NOSUPERUSER NOBYPASSRLS`);
  await migrateAs(database.url, owner);
  return {
    ...database,
    owner,
    async drop() {
      await database.drop();
      await onServer(`DROP ROLE ${owner}`);
    },
  };
}

/** Applies all migrations to an empty database as a role that is given the schema. */
export async function migrateAs(url: string, owner: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(`ALTER SCHEMA public OWNER TO ${quoteName(owner)}`);
    await client.query(`SET SESSION AUTHORIZATION ${quoteName(owner)}`);
    for (const script of migrationScripts()) await client.query(script);
  });
}
