import type pg from 'pg';

import { seedDatabase } from './seed-database.ts';
import { saltOf, type TenantPlan } from './tenant-plan.ts';

const SEED = 1;
/** Enough for a year of months and the days before them. */
const DAYS = 400;

/** The largest first; the last one shows what an empty dashboard looks like. */
const DEMO_TENANTS: readonly Omit<TenantPlan, 'position' | 'salt'>[] = [
  {
    slug: 'acme',
    name: 'Acme Corporation',
    timeZone: 'America/New_York',
    currency: 'USD',
    accounts: 120,
    transactions: 6_000,
  },
  { slug: 'globex', name: 'Globex', timeZone: 'Europe/Berlin', currency: 'EUR', accounts: 30, transactions: 600 },
  { slug: 'initech', name: 'Initech', timeZone: 'Asia/Tokyo', currency: 'JPY', accounts: 8, transactions: 60 },
  { slug: 'umbrella', name: 'Umbrella', timeZone: 'Europe/London', currency: 'GBP', accounts: 1, transactions: 2 },
];

/**
 * Fills an empty database with four small tenants, the same in every run but for the dates: they
 * end today.
 * @param client a connection that is closed afterwards: the generation leaves it with its settings
 */
export async function seedDemo(client: pg.ClientBase): Promise<void> {
  const tenants = DEMO_TENANTS.map((tenant, position) => ({ ...tenant, position, salt: saltOf(SEED, tenant.slug) }));
  await seedDatabase({ client, tenants, period: { days: DAYS }, append: false });
}
