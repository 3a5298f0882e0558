import { randomBytes } from 'node:crypto';
import { onServer, quoteName, type TestDatabase, withClient } from './postgres.ts';

/**
 * A role that row-level security holds and that owns nothing, with what operators' commands need:
 * it writes the tables, makes temporary ones, and makes totals anew. To be dropped after the
 * database.
 */
export async function createOperatorRole({
  name,
  url,
}: TestDatabase): Promise<{ role: string; drop(): Promise<void> }> {
  const role = `tenantry_test_operator_${randomBytes(6).toString('hex')}`;
  await onServer(`CREATE ROLE ${role}`);
  await withClient(url, (client) =>
    client.query(`
      GRANT TEMPORARY ON DATABASE ${quoteName(name)} TO ${role};
      GRANT SELECT, INSERT, UPDATE, DELETE ON tenants, bank_accounts, transactions TO ${role};
      GRANT SELECT ON daily_totals, account_totals TO ${role};
      GRANT EXECUTE ON FUNCTION statistics_rebuild(uuid), cache_outbox_add(uuid, integer) TO ${role}`),
  );
  return { role, drop: () => onServer(`DROP ROLE ${role}`) };
}
