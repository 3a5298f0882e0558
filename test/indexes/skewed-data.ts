import type pg from 'pg';

export const TENANTS = 50;
export const ACCOUNTS = 20_000;
export const TRANSACTIONS = 200_000;
/** Signed up and never came: so that the directory of tenants is more than a page. */
const EMPTY_TENANTS = 2_000;
const IDEMPOTENCY_KEYS = 5_000;

/**
 * Data of a size where a plan matters, the same in every run: the first tenant owns more than a
 * quarter of all rows, the last ones some hundred accounts. Written without triggers; the totals
 * are computed at the end.
 */
export async function fillSkewed(client: pg.ClientBase): Promise<void> {
  await client.query("SET session_replication_role = replica; SET work_mem = '64MB'");
  await client.query('SELECT setseed(0.42)');
  await withoutIndexes(client, async () => {
    for (const insert of [INSERT_TENANTS, INSERT_ACCOUNTS, INSERT_TRANSACTIONS, INSERT_KEYS])
      await client.query(insert);
  });
  await client.query(`SELECT statistics_rebuild(id) FROM tenants WHERE slug NOT LIKE 'empty-%'`);
  await client.query('RESET session_replication_role');
  // One after another: these only, since other tests share the server.
  for (const table of [
    'tenants',
    'bank_accounts',
    'transactions',
    'idempotency_keys',
    'daily_totals',
    'account_totals',
  ])
    await client.query(`VACUUM (ANALYZE) ${table}`);
}

/** Indexes made afterwards cost a third of those filled row by row. */
async function withoutIndexes(client: pg.ClientBase, fill: () => Promise<void>): Promise<void> {
  const { rows } = await client.query<{ name: string; statement: string }>(
    `SELECT i.relname AS name, pg_get_indexdef(i.oid) AS statement FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
     WHERE x.indrelid IN ('bank_accounts'::regclass, 'transactions'::regclass) AND NOT x.indisprimary`,
  );
  await client.query(`DROP INDEX ${rows.map(({ name }) => name).join(', ')}`);
  await fill();
  for (const { statement } of rows) await client.query(statement);
}

const tenantOf = (number: string) => `md5('tenant ' || ${number})::uuid`;

const INSERT_TENANTS = `
  INSERT INTO tenants (id, slug, name, time_zone)
  SELECT ${tenantOf('n')}, CASE WHEN n <= ${TENANTS} THEN 'tenant-' ELSE 'empty-' END || n, 'Tenant ' || n, 'UTC'
  FROM generate_series(1, ${TENANTS + EMPTY_TENANTS}) AS n`;

const INSERT_ACCOUNTS = `
  INSERT INTO bank_accounts (tenant_id, id, bank_name, account_number, account_type, status, currency, balance, created_at, updated_at)
  SELECT ${tenantOf(`(1 + floor(${TENANTS} * power(random(), 3)))::integer`)}, md5('account ' || n)::uuid, 'Bank ' || n % 12,
    'N' || lpad(n::text, 9, '0'), (enum_range(NULL::account_type))[1 + n % 5],
    (CASE n % 20 WHEN 17 THEN 'PENDING' WHEN 18 THEN 'FROZEN' WHEN 19 THEN 'CLOSED' ELSE 'ACTIVE' END)::account_status,
    CASE n % 10 WHEN 0 THEN 'USD' ELSE 'EUR' END, round((random() * 10000)::numeric, 2),
    timestamptz '2020-01-01T00:00Z' + n * interval '1 hour', timestamptz '2024-01-01T00:00Z' + random() * interval '300 days'
  FROM generate_series(1, ${ACCOUNTS}) AS n`;

const INSERT_TRANSACTIONS = `
  INSERT INTO transactions (tenant_id, id, account_id, booked_at, direction, amount, currency, category, external_id)
  SELECT account.tenant_id, md5('movement ' || n)::uuid, account.id,
    timestamptz '2023-01-01T00:00Z' + random() * interval '365 days',
    (CASE n % 3 WHEN 0 THEN 'CREDIT' ELSE 'DEBIT' END)::transaction_direction, round((1 + random() * 499)::numeric, 2),
    account.currency, CASE WHEN n % 10 > 0 THEN 'category ' || n % 7 END, 'x' || n
  FROM (SELECT n, 1 + floor(${ACCOUNTS} * random())::integer AS place FROM generate_series(1, ${TRANSACTIONS}) AS n) numbered
    JOIN (SELECT row_number() OVER (ORDER BY id) AS place, * FROM bank_accounts) account USING (place)
  ORDER BY 1, 2`;

const INSERT_KEYS = `
  INSERT INTO idempotency_keys (tenant_id, key, request_hash, transaction_ids)
  SELECT ${tenantOf(`1 + n % ${TENANTS}`)}, 'key ' || n, '\\x00', '{}' FROM generate_series(1, ${IDEMPOTENCY_KEYS}) AS n`;
