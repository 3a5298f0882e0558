import type pg from 'pg';
import { counted } from '../counted.ts';
import { StateError } from '../errors.ts';
import { SESSION_SETTINGS, type SeedPeriod, seedTenant } from './seed-tenant.ts';
import type { TenantPlan } from './tenant-plan.ts';

export interface SeedOptions {
  /** A connection that is closed afterwards: the generation leaves it with its settings. */
  readonly client: pg.ClientBase;
  readonly tenants: readonly TenantPlan[];
  readonly period: SeedPeriod;
  /** Whether the database may have tenants already. */
  readonly append: boolean;
  /** Told how many tenants and transactions are written by now. */
  readonly onProgress?: (tenants: number, transactions: number) => void;
}

/**
 * Fills the database with generated tenants, each in a transaction of its own.
 * @throws OperatorError when the database has tenants and none may be added, or has one of the same
 *   slug
 */
export async function seedDatabase({ client, tenants, period, append, onProgress }: SeedOptions): Promise<void> {
  await refuseExisting(
    client,
    tenants.map(({ slug }) => slug),
    append,
  );
  await client.query(SESSION_SETTINGS);
  let transactions = 0;
  for (const [index, plan] of tenants.entries()) {
    await seedTenant(client, plan, period, (count) => {
      transactions += count;
      onProgress?.(index, transactions);
    });
    onProgress?.(index + 1, transactions);
  }
  // For the planner. Never waits: what is locked is left to autovacuum.
  await client.query('ANALYZE (SKIP_LOCKED) tenants, bank_accounts, transactions, daily_totals, account_totals');
}

async function refuseExisting(client: pg.ClientBase, slugs: readonly string[], append: boolean): Promise<void> {
  await client.query("BEGIN; SET LOCAL app.directory = 'on'");
  const { rows } = await client.query<{ count: number; same: string | null }>(
    'SELECT count(*)::int AS count, min(slug) FILTER (WHERE slug = ANY ($1)) AS same FROM tenants',
    [slugs],
  );
  await client.query('COMMIT');
  const { count = 0, same } = rows[0] ?? {};
  if (count > 0 && !append)
    throw new StateError(
      `The database has ${counted(count, 'tenant')} already.`,
      'To add generated tenants to them, run it with --append; for an empty database: npx prisma migrate reset',
    );
  if (same)
    throw new StateError(
      `The database has a tenant ${same} already.`,
      'Choose other slugs for the new ones with --prefix <text>.',
    );
}
