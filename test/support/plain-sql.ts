import type pg from 'pg';
import type {
  AccountFieldsFragment,
  DashboardQuery,
  StatisticsPeriod,
  StatisticsQuery,
  TransactionFieldsFragment,
} from '../generated/graphql.ts';

/**
 * What the API must answer, by plain SQL over the rows of accounts and transactions, as the
 * superuser: no kept totals, no tenant setting, no code of the service.
 */
export type PlainDashboard = Omit<DashboardQuery['dashboard'], 'generatedAt'>;
export type PlainStatistics = Omit<StatisticsQuery['statistics'], 'generatedAt'>;
export type PlainTransaction = TransactionFieldsFragment & { account: { id: string; accountNumber: string } };

type Client = Pick<pg.ClientBase, 'query'>;

const UTC_TEXT = 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"';
const FLOW = `json_build_object('currency', currency, 'transactionCount', count(*),
  'inflow', coalesce(sum(amount) FILTER (WHERE direction = 'CREDIT'), 0.0000)::text,
  'outflow', coalesce(sum(amount) FILTER (WHERE direction = 'DEBIT'), 0.0000)::text,
  'net', sum(CASE direction WHEN 'CREDIT' THEN amount ELSE -amount END)::text) AS flow, currency`;
const FLOWS = `coalesce(json_agg(flow ORDER BY currency COLLATE "C"), '[]')`;

/** The accounts that satisfy a condition, in an order, as SQL writes both. */
export async function plainAccounts(
  client: Client,
  tenantId: string,
  { where = 'true', orderBy = 'created_at, id' }: { where?: string; orderBy?: string } = {},
): Promise<AccountFieldsFragment[]> {
  return select(
    client,
    `SELECT id, bank_name AS "bankName", account_number AS "accountNumber", account_type AS "accountType", status,
       status = 'ACTIVE' AS "isActive", currency, balance::text, version,
       to_char(created_at AT TIME ZONE 'UTC', '${UTC_TEXT}') AS "createdAt",
       to_char(updated_at AT TIME ZONE 'UTC', '${UTC_TEXT}') AS "updatedAt"
     FROM (
       -- A window's order sees the columns alone; ORDER BY would take the text of the same name.
       SELECT *, row_number() OVER (ORDER BY ${orderBy}) AS place FROM bank_accounts WHERE tenant_id = $1 AND (${where})
     ) ordered ORDER BY place`,
    [tenantId],
  );
}

/** The transactions that satisfy a condition, newest first. */
export async function plainTransactions(
  client: Client,
  tenantId: string,
  { where = 'true', limit = null }: { where?: string; limit?: number | null } = {},
): Promise<PlainTransaction[]> {
  return select(
    client,
    `SELECT id, to_char(booked_at AT TIME ZONE 'UTC', '${UTC_TEXT}') AS "bookedAt", direction, amount::text, currency,
       balance_after::text AS "balanceAfter", category, counterparty_bank AS "counterpartyBank", description,
       (SELECT json_build_object('id', a.id, 'accountNumber', a.account_number) FROM bank_accounts a
         WHERE a.tenant_id = $1 AND a.id = transactions.account_id) AS account
     FROM transactions WHERE tenant_id = $1 AND (${where}) ORDER BY booked_at DESC, id DESC LIMIT $2`,
    [tenantId, limit],
  );
}

/** The tenant's calendar day at this moment. */
export async function plainToday(client: Client, tenantId: string): Promise<string> {
  const [row] = await select<{ today: string }>(
    client,
    'SELECT (now() AT TIME ZONE time_zone)::date::text AS today FROM tenants WHERE id = $1',
    [tenantId],
  );
  return (row as { today: string }).today;
}

export async function plainDashboard(
  client: Client,
  tenantId: string,
  { date, days }: { date: string; days: number },
): Promise<PlainDashboard> {
  const [row] = await select<Omit<PlainDashboard, 'date'>>(
    client,
    `WITH account AS (SELECT * FROM bank_accounts WHERE tenant_id = $1),
       day AS (SELECT generate_series($2::date - ($3::integer - 1), $2::date, '1 day')::date AS day),
       booked AS (
         SELECT transactions.*, (booked_at AT TIME ZONE time_zone)::date AS day
         FROM transactions JOIN tenants ON tenants.id = tenant_id WHERE tenant_id = $1),
       shown AS (SELECT * FROM booked JOIN day USING (day))
     SELECT
       (SELECT json_build_object('totalAccounts', count(*), 'activeAccounts', count(*) FILTER (WHERE status = 'ACTIVE'),
          'balances', ${balancesOf('true')}) FROM account) AS overview,
       ${groupsBy('account_type', 'account_type')} AS "accountsByType",
       ${groupsBy('status', 'status')} AS "accountsByStatus",
       ${groupsBy('bank_name', 'bank_name COLLATE "C"')} AS "accountsByBank",
       json_build_object(
         'totals', (SELECT ${FLOWS} FROM (SELECT ${FLOW} FROM shown GROUP BY currency) flows),
         'series', (SELECT json_agg(json_build_object('date', day, 'flows',
            (SELECT ${FLOWS} FROM (SELECT ${FLOW} FROM shown WHERE shown.day = day.day GROUP BY currency) flows)) ORDER BY day) FROM day)
       ) AS activity`,
    [tenantId, date, days],
  );
  return { date, ...(row as Omit<PlainDashboard, 'date'>) };
}

export async function plainStatistics(
  client: Client,
  tenantId: string,
  { period, from, to }: { period: StatisticsPeriod; from: string; to: string },
): Promise<PlainStatistics> {
  const unit = { DAILY: 'day', WEEKLY: 'week', MONTHLY: 'month', QUARTERLY: 'quarter', YEARLY: 'year' }[period];
  const step = unit === 'quarter' ? '3 months' : `1 ${unit}`;
  const [row] = await select<Pick<PlainStatistics, 'totals' | 'buckets' | 'byCategory'>>(
    client,
    `WITH booked AS (
         SELECT * FROM (
           SELECT transactions.*, (booked_at AT TIME ZONE time_zone)::date AS day
           FROM transactions JOIN tenants ON tenants.id = tenant_id WHERE tenant_id = $1) local
         WHERE day BETWEEN $2::date AND $3::date),
       bucket AS (
         SELECT greatest(first::date, $2::date) AS start, least((first + interval '${step}')::date - 1, $3::date) AS "end"
         FROM generate_series(date_trunc('${unit}', $2::date::timestamp), $3::date::timestamp, interval '${step}') first),
       bucket_day AS (SELECT start, generate_series(start, "end", '1 day')::date AS day FROM bucket)
     SELECT
       (SELECT ${FLOWS} FROM (SELECT ${FLOW} FROM booked GROUP BY currency) flows) AS totals,
       (SELECT json_agg(json_build_object('start', start, 'end', "end", 'flows', coalesce(flows, '[]')) ORDER BY start)
        FROM bucket LEFT JOIN (
          SELECT start, ${FLOWS} AS flows FROM (
            SELECT start, ${FLOW} FROM booked JOIN bucket_day USING (day) GROUP BY start, currency) one GROUP BY start
        ) filled USING (start)) AS buckets,
       (SELECT coalesce(json_agg(json_build_object('category', category, 'flows', flows) ORDER BY category COLLATE "C"), '[]') FROM (
          SELECT category, ${FLOWS} AS flows FROM (SELECT ${FLOW}, category FROM booked GROUP BY category, currency) one
          GROUP BY category) categories) AS "byCategory"`,
    [tenantId, from, to],
  );
  return { period, from, to, ...(row as Pick<PlainStatistics, 'totals' | 'buckets' | 'byCategory'>) };
}

function groupsBy(column: string, order: string): string {
  return `(SELECT coalesce(json_agg(json_build_object('key', ${column}, 'count', count, 'balances', balances) ORDER BY ${order}), '[]') FROM (
    SELECT ${column}, count(*) AS count, ${balancesOf(`other.${column} = account.${column}`)} AS balances
    FROM account GROUP BY ${column}) groups)`;
}

function balancesOf(condition: string): string {
  return `(SELECT coalesce(json_agg(json_build_object('currency', currency, 'amount', amount) ORDER BY currency COLLATE "C"), '[]') FROM (
    SELECT currency, sum(balance)::text AS amount FROM account other WHERE ${condition} GROUP BY currency) sums)`;
}

async function select<Row extends object>(client: Client, sql: string, values: unknown[]): Promise<Row[]> {
  return (await client.query<Row>(sql, values)).rows;
}
