// The data set, made by the database itself. Everything follows from the row's number, so that a
// run that was broken off goes on where it stopped, and equal sizes mean equal data.

/** What the data set is and how far it is made. */
export const CREATE_STATE = `CREATE TABLE IF NOT EXISTS bench_data_set (
  is_one boolean PRIMARY KEY DEFAULT true CHECK (is_one),
  tenants integer NOT NULL, accounts integer NOT NULL, transactions bigint NOT NULL, last_day date NOT NULL)`;

/** Which account has which number, the tenants' accounts together. */
export const CREATE_NUMBERS = `CREATE TABLE IF NOT EXISTS bench_account_numbers (
  number integer PRIMARY KEY, tenant_id uuid NOT NULL, account_id uuid NOT NULL, currency text NOT NULL)`;

/** $1 tenants there are, $2 tenants there shall be. */
export const INSERT_TENANTS = `INSERT INTO tenants (slug, name, time_zone)
  SELECT 'bench-' || n, 'Bench tenant ' || n, (ARRAY['Europe/Berlin', 'UTC', 'America/New_York', 'Asia/Kolkata'])[1 + n % 4]
  FROM generate_series($1::int + 1, $2::int) AS n`;

/**
 * $1 accounts there are, $2 accounts there shall be, $3 tenants, $4 those that each tenant has at
 * least. What is above that is spread by Zipf's law: the second tenant gets half as many as the
 * first.
 */
export const INSERT_ACCOUNTS = `WITH shares AS (
    SELECT n, sum(1.0 / n) OVER (ORDER BY n) / sum(1.0 / n) OVER () AS upto FROM generate_series(1, $3::int) AS n
  ), numbered AS MATERIALIZED (
    SELECT k, CASE WHEN k <= $3::int * $4::int THEN 1 + (k - 1) % $3::int
      ELSE 1 + width_bucket(abs(hashint8extended(k, 1) % 1000000) / 1000000.0, (SELECT array_agg(upto ORDER BY n) FROM shares)) END AS tenant
    FROM generate_series($1::int + 1, $2::int) AS k
  ), made AS (
    INSERT INTO bank_accounts (tenant_id, id, bank_name, account_number, account_type, status, currency, balance, created_at)
    SELECT t.id, uuid_v7(), (ARRAY['Northbank', 'First Union', 'Sparkasse', 'Credit Commun', 'Meridian', 'Harbor Trust'])[1 + k % 6],
      'B' || lpad(k::text, 12, '0'),
      (ARRAY['CHECKING', 'CHECKING', 'SAVINGS', 'CREDIT', 'LOAN', 'INVESTMENT'])[1 + abs(hashint8extended(k, 2) % 6)]::account_type,
      (CASE WHEN k <= $3::int * 2 OR k % 10 > 0 THEN 'ACTIVE' ELSE (ARRAY['PENDING', 'FROZEN', 'CLOSED'])[1 + k % 3] END)::account_status,
      'EUR',
      (abs(hashint8extended(k, 3) % 100000000) / 100.0)::numeric(19,4), timestamptz '2024-01-01' + k * interval '17 seconds'
    FROM numbered JOIN tenants t ON t.slug = 'bench-' || tenant
    RETURNING tenant_id, id, currency, account_number
  )
  INSERT INTO bench_account_numbers SELECT substr(account_number, 2)::int, tenant_id, id, currency FROM made`;

/** Which of the data set's transactions are to be made: those after `from`, up to `to`. */
export interface Fill {
  readonly from: number;
  readonly to: number;
  /** How many there shall be in the end: it says when each is booked. */
  readonly total: number;
  readonly accounts: number;
  /** The day after the last one with transactions. They lie within two years before it. */
  readonly endDay: string;
  readonly data: DataKind;
}

/**
 * `life`: transactions and totals are written in the order of time. `bulk`: the same transactions
 * come by one COPY, through all triggers. `spread`: without any order, for a data set that grows.
 */
export type DataKind = 'life' | 'bulk' | 'spread';

/** What `selectTransactions` selects. */
export const COLUMNS =
  'tenant_id, account_id, booked_at, direction, amount, currency, balance_after, category, counterparty_bank, description';

export function selectTransactions({ from, to, total, accounts, endDay, data }: Fill): string {
  const age =
    data === 'spread'
      ? "abs(hashint8extended(k, 4) % 63072000) * interval '1 second'"
      : `(${total} + 1 - k) * (interval '730 days' / ${total})`;
  return `SELECT a.tenant_id, a.account_id, '${endDay}'::date - (${age}),
    (CASE WHEN hashint8extended(k, 5) % 3 = 0 THEN 'CREDIT' ELSE 'DEBIT' END)::transaction_direction,
    (1 + abs(hashint8extended(k, 6) % 500000) / 100.0)::numeric(19,4), a.currency,
    (abs(hashint8extended(k, 7) % 10000000) / 100.0)::numeric(19,4),
    (ARRAY['groceries', 'rent', 'salary', 'travel', 'utilities', 'health', 'leisure', NULL])[1 + abs(hashint8extended(k, 8) % 8)],
    (ARRAY['Northbank', 'First Union', 'Sparkasse', 'Credit Commun', 'Meridian', 'Harbor Trust'])[1 + abs(hashint8extended(k, 9) % 6)],
    'payment ' || k
  FROM generate_series(${from}::bigint + 1, ${to}::bigint) AS k
  JOIN bench_account_numbers a ON a.number = 1 + abs(hashint8extended(k, 10) % ${accounts})`;
}

/**
 * The days' totals of all tenants, day by day, as they come about in life. A tenant's own lie on as
 * many pages as there are days then.
 */
export const INSERT_DAYS_IN_ORDER = `INSERT INTO daily_totals (tenant_id, day, currency, category, slot, transaction_count, inflow, outflow)
  SELECT r.tenant_id, (r.booked_at AT TIME ZONE t.time_zone)::date, r.currency, coalesce(r.category, ''), 0, count(*),
    coalesce(sum(r.amount) FILTER (WHERE r.direction = 'CREDIT'), 0), coalesce(sum(r.amount) FILTER (WHERE r.direction = 'DEBIT'), 0)
  FROM transactions r JOIN tenants t ON t.id = r.tenant_id
  GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 3, 4
  ON CONFLICT (tenant_id, day, currency, category, slot) DO UPDATE
    SET transaction_count = excluded.transaction_count, inflow = excluded.inflow, outflow = excluded.outflow`;
