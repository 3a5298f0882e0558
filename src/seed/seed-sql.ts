// Rows are generated where they are stored: PostgreSQL makes a row in less time than Node.js takes
// to send one. What looks random is a hash of the row's number and the tenant's salt; PostgreSQL's
// extended hash functions give the same values in every version, since the rows of hash-partitioned
// tables depend on them.

/** Of all accounts the newest few are pending, and have no transactions. */
const PENDING_SHARE = 0.04;
/** Accounts are opened over so many days before the first transaction. */
const OPENING_DAYS = 1_500;
/**
 * Transactions lie between 3 o'clock, where no clock is put forward or back any more, and midnight;
 * most around half past one.
 */
const FIRST_MS = 3 * 3_600_000;
const LAST_MS = 24 * 3_600_000;

/** Transactions that are generated at once; those of one account always are. */
const CHUNK_TRANSACTIONS = 100_000;

const TYPES = slots({ CHECKING: 10, SAVINGS: 4, CREDIT: 3, LOAN: 2, INVESTMENT: 1 });
const STATUSES = slots({ ACTIVE: 17, FROZEN: 1, CLOSED: 2 });

/**
 * The day the transactions end on, and how much of it is over at the tenant's, so that nothing lies
 * in the future. $1 time zone, $2 the day if it is given.
 */
export const LAST_DAY = `
  SELECT to_char(day, 'YYYY-MM-DD') AS day, CASE WHEN day = now_there::date THEN extract(epoch FROM now_there::time) / 86400 ELSE 1 END::float8 AS over
    FROM (SELECT now() AT TIME ZONE $1 AS now_there) AS clock, coalesce($2::date, now_there::date) AS day`;

/**
 * The tenants are a second apart, so that their ids are in their order. $1 salt, $2 slug, $3 name,
 * $4 time zone, $5 last day if it is given, $6 days, $7 position. Gives the id.
 */
export const INSERT_TENANT = `
  INSERT INTO tenants (id, slug, name, time_zone, created_at)
  SELECT ${seededId('created_at', 'hashtextextended($2, 0)', 0)}, $2, $3, $4, created_at
    FROM (SELECT (coalesce($5::date, (now() AT TIME ZONE 'UTC')::date) - $6::int - ${OPENING_DAYS})::timestamp AT TIME ZONE 'UTC'
                 + $7::int * interval '1 second' AS created_at) AS moment
  RETURNING id`;

/**
 * A tenant's accounts, the busiest first: the number of transactions falls by Zipf's law, and adds
 * up to $3. $1 salt, $2 accounts, $3 transactions, $4 last day, $5 days, $6 time zone, $7 banks, $8
 * ten currencies to draw from, $9 to $11 currencies, what 1 EUR is in them and their decimals.
 */
export const PLAN_ACCOUNTS = `
  CREATE TEMP TABLE seed_accounts ON COMMIT DROP AS
  SELECT j, ${seededId('created_at', 'j', 0)} AS id, bank_name, '10' || lpad(j::text, 8, '0') AS account_number, account_type,
         CASE WHEN j > settled THEN 'PENDING' WHEN j = 1 THEN 'ACTIVE' ELSE ${pick(STATUSES, 'j', 2)} END::account_status AS status,
         currency, per_euro, decimals, created_at,
         ${transactionsUpTo('j')} - ${transactionsUpTo('j - 1')} AS transactions, ${transactionsUpTo('j - 1')} AS transactions_before,
         round((per_euro * ${draw('j', 3)} * CASE account_type WHEN 'CREDIT' THEN 0 WHEN 'LOAN' THEN -20000 ELSE 5000 END)::numeric,
               decimals) AS opening
    FROM (SELECT j::bigint AS j, $2::int - floor($2::int * ${PENDING_SHARE}) AS settled, ${pick('$7::text[]', 'j', 4)} AS bank_name,
                 ${pick(TYPES, 'j', 5)}::account_type AS account_type, ${pick('$8::text[]', 'j', 6)} AS currency,
                 ($4::date - $5::int - floor(${OPENING_DAYS} * ${draw('j', 7)})::int)::timestamp AT TIME ZONE $6 AS created_at
            FROM generate_series(1, $2::int) AS j) AS drawn
    JOIN unnest($9::text[], $10::float8[], $11::int[]) AS rates (currency, per_euro, decimals) USING (currency)`;

/** Ranges of accounts that are generated together. */
export const CHUNKS = `
  SELECT min(j)::int AS "fromAccount", max(j)::int AS "toAccount", sum(transactions)::int AS transactions
    FROM (SELECT j, transactions, (sum(transactions) OVER (ORDER BY j) - transactions) / ${CHUNK_TRANSACTIONS} AS place FROM seed_accounts) AS placed
   GROUP BY floor(place) ORDER BY 1`;

export const CREATE_TRANSACTIONS = `
  CREATE TEMP TABLE seed_transactions (j bigint, n int, booked_at timestamptz(3), kind int, signed numeric, running numeric) ON COMMIT DROP`;

/**
 * The transactions of the accounts $2 to $3, with what they add up to so far in each account. $1
 * salt, $4 last day, $5 days, $6 time zone, $7 how much of the last day is over, $8 a hundred kinds
 * to draw from, $9 typical amounts by kind, $10 signs by kind.
 */
export const GENERATE_TRANSACTIONS = `
  INSERT INTO seed_transactions
  SELECT j, n, booked_at, kind, signed, sum(signed) OVER (PARTITION BY j ORDER BY booked_at, n)
    FROM (SELECT j, n, kind,
                 ($10::int[])[kind] * greatest(round((per_euro * ($9::float8[])[kind] * exp(1.4 * scatter))::numeric, decimals), 1) AS signed,
                 (($4::date - days_back)::timestamp + floor((${FIRST_MS} + ${LAST_MS - FIRST_MS} * day_part)
                   * CASE days_back WHEN 0 THEN $7::float8 ELSE 1 END) * interval '1 millisecond') AT TIME ZONE $6 AS booked_at
            FROM (SELECT j, n, per_euro, decimals, ${pick('$8::int[]', 'n', 3)} AS kind, floor($5::int * ${draw('n', 4)})::int AS days_back,
                         (${draw('n', 5)} + ${draw('n', 6)}) / 2 AS day_part, ${draw('n', 0)} + ${draw('n', 1)} + ${draw('n', 2)} - 1.5 AS scatter
                    FROM (SELECT j, transactions_before + k AS n, per_euro, decimals
                            FROM seed_accounts, generate_series(1, transactions) AS k WHERE j BETWEEN $2 AND $3) AS numbered
                  OFFSET 0) AS drawn
          OFFSET 0) AS priced`;

/**
 * The accounts $2 to $3 of the tenant $4 and their transactions. An account that is not for credit
 * begins with as much as keeps it from ever falling below zero. $1 salt, $5 categories by kind, $6
 * directions by kind, $7 descriptions by kind, $8 banks.
 */
export const INSERT_ROWS = `
  WITH accounts AS MATERIALIZED (
    SELECT a.*, opening - CASE WHEN account_type IN ('CREDIT', 'LOAN') THEN 0 ELSE least(coalesce(lowest, 0), 0) END AS first_balance,
           coalesce(total, 0) AS total, coalesce(newest, created_at) AS updated_at
      FROM seed_accounts a
      LEFT JOIN (SELECT j, min(running) AS lowest, sum(signed) AS total, max(booked_at) AS newest
                   FROM seed_transactions GROUP BY j) AS summed USING (j)
     WHERE j BETWEEN $2 AND $3
  ), opened AS (
    INSERT INTO bank_accounts
      (tenant_id, id, bank_name, account_number, account_type, status, currency, balance, version, created_at, updated_at)
    SELECT $4, id, bank_name, account_number, account_type, status, currency, first_balance + total, transactions + 1, created_at, updated_at
      FROM accounts
  )
  INSERT INTO transactions
    (tenant_id, id, account_id, booked_at, direction, amount, currency, balance_after, category, counterparty_bank, description)
  SELECT $4, ${seededId('booked_at', 'n', 10)}, id, booked_at, ($6::text[])[kind]::transaction_direction, abs(signed), currency,
         first_balance + running, ($5::text[])[kind],
         CASE WHEN ($5::text[])[kind] = 'TRANSFER' THEN ${pick('$8::text[]', 'n', 7)} END, ($7::text[])[kind]
    FROM seed_transactions JOIN accounts USING (j)
   ORDER BY booked_at`;

/**
 * A number from 0 to below 1: always the same for the same row and column. `$1` is the tenant's
 * salt.
 * @param row a number below 2^32: the hash folds the upper half of larger ones into the lower
 */
function draw(row: string, column: number): string {
  return `((hashint8extended(${row}, $1::bigint + ${column}) & 4294967295) / 4294967296::float8)`;
}

/**
 * Transactions of the accounts up to this one. `$3` is those of the tenant, `settled` its accounts
 * that have some.
 */
function transactionsUpTo(account: string): string {
  return `floor($3::int * ln(least(${account}, settled) + 1) / ln(settled + 1))::int`;
}

/** One element of an SQL array. */
function pick(array: string, row: string, column: number): string {
  return `(${array})[1 + floor(cardinality(${array}) * ${draw(row, column)})::int]`;
}

/** An SQL array that has each text as often as it is to be drawn. */
function slots(counts: Readonly<Record<string, number>>): string {
  const texts = Object.entries(counts).flatMap(([text, count]) => Array<string>(count).fill(`'${text}'`));
  return `ARRAY[${texts.join(', ')}]`;
}

/** An id that tells its time, as version 7 does, and is always the same for the same row. */
function seededId(instant: string, row: string, column: number): string {
  const hash = (offset: number) => `hashint8extended(${row}, $1::bigint + ${column + offset})`;
  return `(lpad(to_hex((extract(epoch FROM ${instant}) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(${hash(0)} & 4095), 3, '0')
           || to_hex(8 + ((${hash(0)} >> 12) & 3)) || lpad(to_hex(${hash(1)} & 1152921504606846975), 15, '0'))::uuid`;
}
