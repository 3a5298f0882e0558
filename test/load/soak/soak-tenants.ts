import type pg from 'pg';

import type { BenchTenant } from '../bench/data-set.ts';
import { MARKER_RANGE } from './marker-ledger.ts';

/**
 * Each tenant has one account; its balance, and the sum of all that was ever paid in, is the
 * tenant's marker.
 */
const FILL = `WITH tenant AS (
    INSERT INTO tenants (slug, name, time_zone)
    SELECT 'soak-' || n, 'Soak tenant ' || n, 'UTC' FROM generate_series(1, $1::int) AS n
    RETURNING id, substr(slug, 6)::numeric * ${MARKER_RANGE} AS marker
  ), account AS (
    INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, currency, balance)
    SELECT id, 'Northbank', 'S' || marker, 'CHECKING', 'EUR', marker FROM tenant
    RETURNING tenant_id, id, balance
  )
  INSERT INTO transactions (tenant_id, account_id, direction, amount, currency, balance_after)
  SELECT tenant_id, id, 'CREDIT', balance, 'EUR', balance FROM account`;

/** In the order of their markers. */
const TENANTS = 'SELECT tenant_id AS id, id AS "accountId" FROM bank_accounts ORDER BY balance';

/** One payment of 1, as another program might write it. $1 the tenant. */
const WRITE_PAST = `WITH account AS (
    UPDATE bank_accounts SET balance = balance + 1 WHERE tenant_id = $1 RETURNING tenant_id, id, balance
  )
  INSERT INTO transactions (tenant_id, account_id, direction, amount, currency, balance_after)
  SELECT tenant_id, id, 'CREDIT', 1, 'EUR', balance FROM account
  RETURNING balance_after::float8 AS marker`;

/** Fills an empty database. */
export async function createSoakTenants(client: pg.Client, count: number): Promise<BenchTenant[]> {
  await client.query(FILL, [count]);
  return (await client.query<BenchTenant>(TENANTS)).rows;
}

/** Writes one transaction past the API. @returns the tenant's marker after it */
export async function writePast(client: pg.Client, { id }: BenchTenant): Promise<number> {
  const { rows } = await client.query<{ marker: number }>({ name: 'past', text: WRITE_PAST, values: [id] });
  if (!rows[0]) throw new Error(`the tenant ${id} has no account`);
  return rows[0].marker;
}
