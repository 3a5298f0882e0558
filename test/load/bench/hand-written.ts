// What a person would write who gives up everything but speed: one prepared statement that makes
// the whole answer. $1 is the tenant's id; $2, where there is one, the dashboard's date; the
// parameters of the write are told with it.

// The JSON is put together as strings, which costs less than PostgreSQL's functions for it.

/** Of a row with currency, count, inflow and outflow. */
const FLOW = `concat('{"currency":"', currency, '","transactionCount":', count, ',"inflow":"', inflow, '","outflow":"', outflow,
      '","net":"', inflow - outflow, '"}')`;
/** Of a row with currency and balance. */
const BALANCE = `concat('{"currency":"', currency, '","amount":"', balance, '"}')`;

const DASHBOARD_ANSWER = `SELECT concat('{"data":{"dashboard":{"date":"', $2::date, '","activity":{"totals":[',
    (SELECT string_agg(${FLOW}, ',' ORDER BY currency) FROM (
      SELECT currency, sum(count) AS count, sum(inflow) AS inflow, sum(outflow) AS outflow FROM flows GROUP BY currency) total),
    '],"series":[',
    (SELECT string_agg(concat('{"date":"', days.day, '","flows":[', flows, ']}'), ',' ORDER BY days.day)
      FROM (SELECT $2::date - ago AS day FROM generate_series(0, 29) AS ago) days
      LEFT JOIN (SELECT day, string_agg(${FLOW}, ',' ORDER BY currency) AS flows FROM flows GROUP BY day) made USING (day)),
    ']},"overview":{"totalAccounts":', (SELECT coalesce(sum(count), 0) FROM kinds),
    ',"activeAccounts":', (SELECT coalesce(sum(count), 0) FROM kinds WHERE status = 'ACTIVE'),
    ',"balances":[', (SELECT string_agg(${BALANCE}, ',' ORDER BY currency) FROM (
      SELECT currency, sum(balance) AS balance FROM kinds GROUP BY currency) money),
    ']},"accountsByType":[', (SELECT string_agg(kind, ',' ORDER BY account_type) FROM (
      SELECT account_type, concat('{"key":"', account_type, '","count":', sum(count),
        ',"balances":[', string_agg(${BALANCE}, ',' ORDER BY currency), ']}') AS kind
      FROM (SELECT account_type, currency, sum(count) AS count, sum(balance) AS balance FROM kinds GROUP BY 1, 2) money
      GROUP BY account_type) kinds_of_accounts),
    ']}}}') AS body`;

/** The dashboard by adding up the tenant's accounts and the transactions of 30 days. */
export const DASHBOARD_BY_AGGREGATING = `WITH flows AS MATERIALIZED (
    SELECT (booked_at AT TIME ZONE t.time_zone)::date AS day, r.currency, count(*) AS count,
      coalesce(sum(amount) FILTER (WHERE direction = 'CREDIT'), 0.0000) AS inflow,
      coalesce(sum(amount) FILTER (WHERE direction = 'DEBIT'), 0.0000) AS outflow
    FROM tenants t JOIN transactions r ON r.tenant_id = t.id
      AND r.booked_at >= ($2::date - 29)::timestamp AT TIME ZONE t.time_zone AND r.booked_at < ($2::date + 1)::timestamp AT TIME ZONE t.time_zone
    WHERE t.id = $1::uuid AND r.tenant_id = $1::uuid GROUP BY 1, 2
  ), kinds AS MATERIALIZED (
    SELECT account_type, status, currency, count(*) AS count, sum(balance) AS balance
    FROM bank_accounts WHERE tenant_id = $1::uuid GROUP BY 1, 2, 3
  ) ${DASHBOARD_ANSWER}`;

/** The same from the totals that the triggers keep. */
export const DASHBOARD_FROM_TOTALS = `WITH flows AS MATERIALIZED (
    SELECT day, currency, sum(transaction_count) AS count, sum(inflow) AS inflow, sum(outflow) AS outflow
    FROM daily_totals WHERE tenant_id = $1::uuid AND day > $2::date - 30 AND day <= $2::date
    GROUP BY 1, 2 HAVING sum(transaction_count) <> 0
  ), kinds AS MATERIALIZED (
    SELECT account_type, status, currency, sum(account_count) AS count, sum(balance) AS balance
    FROM account_totals WHERE tenant_id = $1::uuid GROUP BY 1, 2, 3 HAVING sum(account_count) <> 0
  ) ${DASHBOARD_ANSWER}`;

/**
 * The nested list: accounts, their tenant, their latest transactions. Names are escaped as JSON has
 * it.
 */
export const NESTED_LIST_IN_ONE = `SELECT concat('{"data":{"accounts":{"nodes":[', string_agg(concat('{"id":"', a.id, '","bankName":', to_json(a.bank_name),
      ',"accountNumber":', to_json(a.account_number), ',"balance":"', a.balance, '","currency":"', a.currency,
      '","tenant":{"id":"', t.id, '","name":', to_json(t.name), '},"recentTransactions":[', recent.list, ']}'), ',' ORDER BY a.created_at, a.id),
    ']}}}') AS body
  FROM (SELECT * FROM bank_accounts WHERE tenant_id = $1::uuid ORDER BY created_at, id LIMIT 50) a
  CROSS JOIN (SELECT id, name FROM tenants WHERE id = $1::uuid) t
  CROSS JOIN LATERAL (SELECT string_agg(concat('{"bookedAt":"', to_char(booked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      '","direction":"', direction, '","amount":"', amount, '","category":', coalesce(to_json(category)::text, 'null'), '}'), ',') AS list
    FROM (SELECT booked_at, direction, amount, category FROM transactions WHERE tenant_id = $1::uuid AND account_id = a.id
      ORDER BY booked_at DESC, id DESC LIMIT 5) latest) recent`;

/**
 * The write, as one transaction: no rule is checked, no account locked ahead, no second request of
 * the same key answered. $2 the account, $3 the amount, $4 when it is booked, $5 the category, $6
 * the idempotency key.
 */
export const RECORD_TRANSACTION_IN_ONE = `WITH moved AS (
    UPDATE bank_accounts SET balance = balance + $3::numeric, version = version + 1, updated_at = statement_timestamp()
    WHERE tenant_id = $1::uuid AND id = $2::uuid RETURNING balance, currency
  ), recorded AS (
    INSERT INTO transactions (tenant_id, account_id, direction, amount, currency, balance_after, booked_at, category)
    SELECT $1::uuid, $2::uuid, 'CREDIT', $3::numeric, currency, balance, $4::timestamptz, $5 FROM moved
    RETURNING id, balance_after
  ), remembered AS (
    INSERT INTO idempotency_keys (tenant_id, key, request_hash, transaction_ids)
    SELECT $1::uuid, $6, '', ARRAY[id] FROM recorded
  )
  SELECT concat('{"data":{"recordTransactions":{"transactions":[{"balanceAfter":"', balance_after, '"}],"userErrors":[]}}}') AS body
  FROM recorded`;
