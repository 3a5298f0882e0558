import type pg from 'pg';

import type { BenchTenant } from './data-set.ts';

const SLUG = 'bench-fixed';
const ACCOUNTS = 100;
/** Enough for the 1,000th page. */
const TRANSACTIONS = 20_100;

/** A tenant that stays as it is while all others grow. Made when it is not there yet. */
export async function ensureFixedTenant(client: pg.Client, lastDay: string): Promise<BenchTenant> {
  const known = await find(client);
  if (known) return known;
  await client.query('BEGIN');
  await client.query(
    `INSERT INTO tenants (slug, name, time_zone) VALUES ('${SLUG}', 'Bench tenant of one size', 'UTC')`,
  );
  await client.query(
    `INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, currency, balance, created_at)
     SELECT id, 'Northbank', 'F' || lpad(n::text, 12, '0'), 'CHECKING', 'EUR', n, timestamptz '2024-01-01' + n * interval '1 day'
     FROM tenants, generate_series(1, ${ACCOUNTS}) AS n WHERE slug = '${SLUG}'`,
  );
  await client.query(
    `INSERT INTO transactions (tenant_id, account_id, booked_at, direction, amount, currency, category)
     SELECT tenant_id, id, $1::date - (abs(hashint8extended(n, 1) % 63072000) * interval '1 second'),
       (CASE WHEN n % 3 = 0 THEN 'CREDIT' ELSE 'DEBIT' END)::transaction_direction, 1 + n % 900, currency,
       (ARRAY['groceries', 'rent', 'salary', NULL])[1 + n % 4]
     FROM generate_series(1, ${TRANSACTIONS}) AS n
     JOIN bank_accounts ON account_number = 'F' || lpad((1 + n % ${ACCOUNTS})::text, 12, '0')`,
    [lastDay],
  );
  await client.query('COMMIT');
  await client.query('VACUUM ANALYZE'); // as every step ends
  const made = await find(client);
  if (!made) throw new Error(`${SLUG} was made and is not there`);
  return made;
}

async function find(client: pg.Client): Promise<BenchTenant | undefined> {
  const { rows } = await client.query<BenchTenant>(
    `SELECT tenant_id AS id, id AS "accountId" FROM bank_accounts
     WHERE tenant_id = (SELECT id FROM tenants WHERE slug = $1) ORDER BY account_number LIMIT 1`,
    [SLUG],
  );
  return rows[0];
}
