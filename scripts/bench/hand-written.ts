// What a person would write who gives up everything but speed: one prepared statement that makes
// the whole answer. $1 is the tenant's id; $2, where there is one, the dashboard's date; the
// parameters of the write are told with it.

const FLOW = `currency, sum(count)::int AS "transactionCount", sum(inflow)::text AS inflow, sum(outflow)::text AS outflow,
  (sum(inflow) - sum(outflow))::text AS net`;

/** Days of activity from the rows of a table of flows (day, currency, count, inflow, outflow). */
const ACTIVITY = `(SELECT row_to_json(activity) FROM (SELECT
    (SELECT coalesce(json_agg(total), '[]') FROM (SELECT ${FLOW} FROM flows GROUP BY currency ORDER BY currency) total) AS totals,
    (SELECT json_agg(entry) FROM (
      SELECT to_char(day, 'YYYY-MM-DD') AS date, coalesce(json_agg(flow ORDER BY flow.currency) FILTER (WHERE flow.currency IS NOT NULL), '[]') AS flows
      FROM generate_series($2::date - 29, $2::date, interval '1 day') AS day
      LEFT JOIN LATERAL (SELECT ${FLOW} FROM flows WHERE flows.day = day.day::date GROUP BY currency) flow ON true
      GROUP BY day ORDER BY day) entry) AS series
  ) activity)`;

const BALANCES = (condition: string) => `(SELECT coalesce(json_agg(money), '[]') FROM (
    SELECT currency, sum(balance)::text AS amount FROM kinds WHERE ${condition} GROUP BY currency ORDER BY currency) money)`;

const DASHBOARD_ANSWER = `SELECT json_build_object('data', json_build_object('dashboard', row_to_json(dashboard)))::text AS body FROM (SELECT
    to_char($2::date, 'YYYY-MM-DD') AS date,
    ${ACTIVITY} AS activity,
    (SELECT row_to_json(overview) FROM (SELECT
      (SELECT coalesce(sum(count), 0)::int FROM kinds) AS "totalAccounts",
      (SELECT coalesce(sum(count), 0)::int FROM kinds WHERE status = 'ACTIVE') AS "activeAccounts",
      ${BALANCES('true')} AS balances) overview) AS overview,
    (SELECT coalesce(json_agg(kind), '[]') FROM (SELECT account_type AS key, sum(count)::int AS count,
      ${BALANCES('kinds.account_type = grouped.account_type')} AS balances
      FROM kinds grouped GROUP BY account_type ORDER BY account_type) kind) AS "accountsByType"
  ) dashboard`;

/** The dashboard by adding up the tenant's accounts and the movements of 30 days. */
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

/** The nested list: accounts, their tenant, their latest movements. */
export const NESTED_LIST_IN_ONE = `SELECT json_build_object('data', json_build_object('accounts', json_build_object('nodes', (
    SELECT coalesce(json_agg(node), '[]') FROM (
      SELECT a.id, a.bank_name AS "bankName", a.account_number AS "accountNumber", a.balance::text, a.currency,
        (SELECT row_to_json(tenant) FROM (SELECT t.id, t.name) tenant) AS tenant,
        (SELECT coalesce(json_agg(recent), '[]') FROM (
          SELECT to_char(booked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "bookedAt", direction, amount::text, category
          FROM transactions r WHERE r.tenant_id = a.tenant_id AND r.account_id = a.id
          ORDER BY r.booked_at DESC, r.id DESC LIMIT 5) recent) AS "recentTransactions"
      FROM (SELECT * FROM bank_accounts WHERE tenant_id = $1::uuid ORDER BY created_at, id LIMIT 50) a
      CROSS JOIN (SELECT id, name FROM tenants WHERE id = $1::uuid) t
      ORDER BY a.created_at, a.id) node))))::text AS body`;

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
