import type pg from 'pg';
import { OperatorError } from '../errors.ts';
import type { TenantEntry } from '../tenancy/tenant-directory.ts';

/** The slug that `--tenant` gives. @throws OperatorError when it is missing */
export function slugAsked(slug: string | undefined): string {
  if (slug !== undefined) return slug;
  throw new OperatorError('--tenant is missing.', 'Give the slug of a tenant.');
}

/** Row-level security shows all tenants only to a connection that asks for it in so many words. */
export async function showTenants(client: pg.ClientBase): Promise<void> {
  await client.query("SELECT set_config('app.directory', 'on', false)");
}

/**
 * Shows the connection all tenants, and finds the one of this slug.
 * @param columns to read, in SQL
 * @throws OperatorError when there is none
 */
export async function tenantBySlug<Row extends object = TenantEntry>(
  client: pg.ClientBase,
  slug: string,
  columns = 'id, slug',
): Promise<Row> {
  await showTenants(client);
  const { rows } = await client.query<Row>(`SELECT ${columns} FROM tenants WHERE slug = $1`, [slug]);
  if (rows[0]) return rows[0];
  throw new OperatorError(`There is no tenant "${slug}".`, 'Give the slug of a tenant.');
}
