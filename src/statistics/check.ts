import type pg from 'pg';

/** A total that is not what the rows say. */
export interface StatisticsDifference {
  readonly kind: 'daily total' | 'account total';
  /** Day, currency and category; or account type, status, bank and currency. */
  readonly key: string;
  readonly kept: string;
  readonly actual: string;
}

/**
 * Recomputes a tenant's totals from its rows. Writers of the tenant wait meanwhile, readers do not.
 */
export async function rebuildStatistics(client: pg.ClientBase, tenantId: string): Promise<void> {
  await inTenant(client, tenantId, () => client.query('SELECT statistics_rebuild($1)', [tenantId]));
}

/**
 * Compares a tenant's kept totals with its rows and with the sums of the folded ones, as they are
 * at one moment. Writers are not held up.
 */
export async function checkStatistics(client: pg.ClientBase, tenantId: string): Promise<StatisticsDifference[]> {
  return inTenant(client, tenantId, async () => {
    const { rows } = await client.query<StatisticsDifference>(DIFFERENCES, [tenantId]);
    return rows;
  });
}

/** One statement, so that rows and totals are seen by one snapshot. */
const DIFFERENCES = `
WITH kept_days AS (
  SELECT concat_ws(' ', day, currency, nullif(category, '')) AS key,
         concat_ws(' ', sum(transaction_count), sum(inflow), sum(outflow)) AS value
    FROM daily_totals WHERE tenant_id = $1 GROUP BY day, currency, category
  HAVING sum(transaction_count) <> 0 OR sum(inflow) <> 0 OR sum(outflow) <> 0
), actual_days AS (
  SELECT concat_ws(' ', day, currency, category) AS key,
         concat_ws(' ', sum(transaction_count), sum(inflow), sum(outflow)) AS value
    FROM (SELECT (booked_at AT TIME ZONE time_zone)::date AS day, currency, category, count(*) AS transaction_count,
                 coalesce(sum(amount) FILTER (WHERE direction = 'CREDIT'), 0.0000) AS inflow,
                 coalesce(sum(amount) FILTER (WHERE direction = 'DEBIT'), 0.0000) AS outflow
            FROM transactions JOIN tenants ON tenants.id = tenant_id
           WHERE tenant_id = $1 GROUP BY 1, 2, 3
           UNION ALL
          SELECT day, currency, nullif(category, ''), transaction_count, inflow, outflow
            FROM folded_totals WHERE tenant_id = $1) counted
   GROUP BY day, currency, category
), kept_accounts AS (
  SELECT concat_ws(' ', account_type, status, bank_name, currency) AS key,
         concat_ws(' ', sum(account_count), sum(balance)) AS value
    FROM account_totals WHERE tenant_id = $1 GROUP BY account_type, status, bank_name, currency
  HAVING sum(account_count) <> 0 OR sum(balance) <> 0
), actual_accounts AS (
  SELECT concat_ws(' ', account_type, status, bank_name, currency) AS key, concat_ws(' ', count(*), sum(balance)) AS value
    FROM bank_accounts WHERE tenant_id = $1 GROUP BY account_type, status, bank_name, currency
)
SELECT 'daily total' AS kind, key, coalesce(kept.value, 'nothing') AS kept, coalesce(actual.value, 'nothing') AS actual
  FROM kept_days kept FULL JOIN actual_days actual USING (key) WHERE kept.value IS DISTINCT FROM actual.value
UNION ALL
SELECT 'account total', key, coalesce(kept.value, 'nothing'), coalesce(actual.value, 'nothing')
  FROM kept_accounts kept FULL JOIN actual_accounts actual USING (key) WHERE kept.value IS DISTINCT FROM actual.value
ORDER BY 1, 2`;

async function inTenant<Result>(client: pg.ClientBase, tenantId: string, work: () => Promise<Result>): Promise<Result> {
  await client.query('BEGIN');
  try {
    await client.query("SELECT set_config('app.tenant_id', $1, true)", [tenantId]);
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}
