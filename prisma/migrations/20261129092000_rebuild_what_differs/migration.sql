-- A rebuild wrote all totals of the tenant anew, into whatever pages had room: 240 rows of a dashboard lay on 9 pages before and
-- on 232 after it, which doubled the time of its statement. From here on it changes the rows that are wrong, and leaves the others
-- where they are. Totals that lie scattered already: CLUSTER daily_totals USING daily_totals_pkey (docs/data-model.md).
CREATE OR REPLACE FUNCTION statistics_recompute(tenant uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(statistics_lock_key(tenant));
  WITH sums AS MATERIALIZED (
    SELECT (r.booked_at AT TIME ZONE t.time_zone)::date AS day, r.currency, coalesce(r.category, '') AS category,
           count(*) AS transaction_count,
           coalesce(sum(r.amount) FILTER (WHERE r.direction = 'CREDIT'), 0) AS inflow,
           coalesce(sum(r.amount) FILTER (WHERE r.direction = 'DEBIT'), 0) AS outflow
      FROM transactions r JOIN tenants t ON t.id = r.tenant_id
     WHERE r.tenant_id = tenant
     GROUP BY 1, 2, 3
  ), removed AS (
    DELETE FROM daily_totals kept
     WHERE kept.tenant_id = tenant AND NOT EXISTS (
       SELECT FROM sums
        WHERE sums.day = kept.day AND sums.currency = kept.currency AND sums.category = kept.category AND kept.slot = 0)
  )
  INSERT INTO daily_totals AS kept (tenant_id, day, currency, category, slot, transaction_count, inflow, outflow)
  SELECT tenant, day, currency, category, 0, transaction_count, inflow, outflow FROM sums ORDER BY day, currency, category
  ON CONFLICT (tenant_id, day, currency, category, slot) DO UPDATE
    SET transaction_count = excluded.transaction_count, inflow = excluded.inflow, outflow = excluded.outflow
    WHERE (kept.transaction_count, kept.inflow, kept.outflow)
          IS DISTINCT FROM (excluded.transaction_count, excluded.inflow, excluded.outflow);
  WITH sums AS MATERIALIZED (
    SELECT account_type, status, bank_name, currency, count(*) AS account_count, sum(balance) AS balance
      FROM bank_accounts WHERE tenant_id = tenant
     GROUP BY 1, 2, 3, 4
  ), removed AS (
    DELETE FROM account_totals kept
     WHERE kept.tenant_id = tenant AND NOT EXISTS (
       SELECT FROM sums
        WHERE sums.account_type = kept.account_type AND sums.status = kept.status AND sums.bank_name = kept.bank_name
          AND sums.currency = kept.currency AND kept.slot = 0)
  )
  INSERT INTO account_totals AS kept (tenant_id, account_type, status, bank_name, currency, slot, account_count, balance)
  SELECT tenant, account_type, status, bank_name, currency, 0, account_count, balance FROM sums ORDER BY 2, 3, 4, 5
  ON CONFLICT (tenant_id, account_type, status, bank_name, currency, slot) DO UPDATE
    SET account_count = excluded.account_count, balance = excluded.balance
    WHERE (kept.account_count, kept.balance) IS DISTINCT FROM (excluded.account_count, excluded.balance);
END $$;
