import pg from 'pg';

import type { Cleanup } from './cleanup.ts';
import { type BenchDatabase, giveLogin } from './database.ts';

const LOGIN = 'tenantry_bench_open';
const POLICY = 'bench_open';

/**
 * A login for which the tables' policies say "all rows": PostgreSQL folds `OR true` away, and its
 * statements are planned and run as if there were no row-level security. On the same tables, so
 * that both sides find the same pages in memory.
 * @returns the database's address as that login, which is gone at the end
 */
export async function openPolicies({ client, url }: BenchDatabase, cleanup: Cleanup): Promise<string> {
  const serviceUrl = await giveLogin(client, url, LOGIN);
  cleanup.add(async () => {
    await client.query(`DROP OWNED BY ${LOGIN}`);
    await client.query(`DROP ROLE ${LOGIN}`);
  });
  const { rows } = await client.query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relrowsecurity AND relnamespace = 'public'::regnamespace",
  );
  for (const { name } of rows) {
    const table = pg.escapeIdentifier(name);
    await client.query(`DROP POLICY IF EXISTS ${POLICY} ON ${table}`);
    await client.query(`CREATE POLICY ${POLICY} ON ${table} TO ${LOGIN} USING (true)`);
  }
  return serviceUrl;
}
