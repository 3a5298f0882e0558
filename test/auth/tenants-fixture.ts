import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { TenantDirectory } from '../../src/tenancy/tenant-directory.ts';
import { createTestDatabase, withKeptClient } from '../support/postgres.ts';

export interface TenantsFixture {
  /** Of the database, as its superuser. */
  readonly url: string;
  /** A directory that has remembered nothing yet. */
  directory(): TenantDirectory;
  /** @returns the tenant's id */
  addTenant(slug: string): Promise<string>;
  removeTenant(slug: string): Promise<void>;
  /** From now on nothing answers, as when PostgreSQL is down. */
  disconnect(): Promise<void>;
  close(): Promise<void>;
}

/** A real directory over a database of its own. */
export async function createTenants(): Promise<TenantsFixture> {
  const { url, drop } = await createTestDatabase();
  const database = new TenantDatabase({ url, poolSize: 2, statementTimeoutMs: 5_000, takeServiceRole: true });
  const run = (sql: string, slug: string) =>
    withKeptClient(url, async (client) => (await client.query(sql, [slug])).rows);
  let connected = true;
  const disconnect = async () => {
    if (connected) await database.close();
    connected = false;
  };
  return {
    url,
    directory: () => new TenantDirectory(database),
    async addTenant(slug) {
      const sql = "INSERT INTO tenants (slug, name, time_zone) VALUES ($1, $1, 'Europe/Prague') RETURNING id";
      return (await run(sql, slug))[0].id;
    },
    async removeTenant(slug) {
      await run('DELETE FROM tenants WHERE slug = $1', slug);
    },
    disconnect,
    async close() {
      await disconnect();
      await drop();
    },
  };
}
