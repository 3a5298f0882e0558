import { execute, type ImportSession, type ImportTenant } from './session.ts';

/** The staged rows of tenants that neither the files nor the database know become rejects. */
const UNKNOWN_TENANT = `
  SET problem = format('tenant_slug: neither the rows accepted of tenants.csv nor the database have a tenant %s', to_json(tenant_slug))
  WHERE problem IS NULL AND tenant_slug NOT IN (SELECT slug FROM pg_temp.import_tenant_ids)`;

/** Inserts the tenants that are new. @returns their ids */
export async function insertTenants({ client }: ImportSession): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO tenants (slug, name, time_zone)
     SELECT slug, name, time_zone FROM pg_temp.import_tenants WHERE problem IS NULL ORDER BY file, line
     ON CONFLICT (slug) DO NOTHING RETURNING id`,
  );
  return rows.map(({ id }) => id);
}

/**
 * Finds the ids of all tenants that the files name anywhere, and rejects the rows of those that do
 * not exist.
 * @returns those that do, by slug
 */
export async function resolveTenants(session: ImportSession): Promise<ImportTenant[]> {
  const { rows } = await session.client.query<ImportTenant>(
    `WITH named AS (
       SELECT slug FROM pg_temp.import_tenants WHERE problem IS NULL
       UNION SELECT tenant_slug FROM pg_temp.import_accounts
       UNION SELECT tenant_slug FROM pg_temp.import_transactions
     )
     SELECT slug, id FROM tenants WHERE slug IN (SELECT slug FROM named) ORDER BY slug`,
  );
  await execute(session, 'CREATE TEMP TABLE import_tenant_ids AS SELECT unnest($1::text[]) AS slug', [
    rows.map(({ slug }) => slug),
  ]);
  await execute(session, `UPDATE pg_temp.import_accounts ${UNKNOWN_TENANT}`);
  await execute(session, `UPDATE pg_temp.import_transactions ${UNKNOWN_TENANT}`);
  return rows;
}

/**
 * Gives a tenant that was there already the name and time zone of the files. Another time zone
 * makes the database compute the tenant's days anew.
 * @returns how many were changed: 1 or 0
 */
export async function updateTenant(session: ImportSession, tenant: ImportTenant): Promise<number> {
  return execute(
    session,
    `UPDATE tenants SET name = staged.name, time_zone = staged.time_zone
       FROM pg_temp.import_tenants staged
      WHERE tenants.id = $1 AND staged.slug = $2 AND staged.problem IS NULL
        AND (tenants.name, tenants.time_zone) IS DISTINCT FROM (staged.name, staged.time_zone)`,
    [tenant.id, tenant.slug],
  );
}
