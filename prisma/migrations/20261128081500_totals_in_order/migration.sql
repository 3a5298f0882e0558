-- Rows of neighbouring days are read together, and now lie together after a rebuild: in the order of the primary key a
-- dashboard reads its 240 rows from a few pages instead of 220, which halves what they cost (docs/data-model.md).
CREATE OR REPLACE FUNCTION statistics_recompute(tenant uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(statistics_lock_key(tenant));
  DELETE FROM daily_totals WHERE tenant_id = tenant;
  INSERT INTO daily_totals (tenant_id, day, currency, category, slot, transaction_count, inflow, outflow)
  SELECT r.tenant_id, (r.booked_at AT TIME ZONE t.time_zone)::date, r.currency, coalesce(r.category, ''), 0, count(*),
         coalesce(sum(r.amount) FILTER (WHERE r.direction = 'CREDIT'), 0),
         coalesce(sum(r.amount) FILTER (WHERE r.direction = 'DEBIT'), 0)
    FROM transactions r JOIN tenants t ON t.id = r.tenant_id
   WHERE r.tenant_id = tenant
   GROUP BY 1, 2, 3, 4
   ORDER BY 1, 2, 3, 4;
  DELETE FROM account_totals WHERE tenant_id = tenant;
  INSERT INTO account_totals (tenant_id, account_type, status, bank_name, currency, slot, account_count, balance)
  SELECT tenant_id, account_type, status, bank_name, currency, 0, count(*), sum(balance)
    FROM bank_accounts WHERE tenant_id = tenant
   GROUP BY 1, 2, 3, 4, 5
   ORDER BY 1, 2, 3, 4, 5;
END $$;

-- Called for every statement that writes. Names that say their schema take the place of a search path to be set and reset
-- around each call, and let PostgreSQL put the key's formula in the place of its call: 0.05 ms of a write's 1.05 ms.
CREATE OR REPLACE FUNCTION statistics_lock_key(tenant uuid) RETURNS bigint LANGUAGE sql IMMUTABLE
  AS $$ SELECT pg_catalog.hashtextextended('tenantry statistics ' OPERATOR(pg_catalog.||) tenant::pg_catalog.text, 0) $$;

CREATE OR REPLACE FUNCTION statistics_slot(tenant uuid) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  FOR slot IN 0..15 LOOP
    IF pg_catalog.pg_try_advisory_xact_lock(
         pg_catalog.hashtextextended(pg_catalog.concat('tenantry statistics slot ', slot, ' ', tenant), 0)) THEN
      RETURN slot;
    END IF;
  END LOOP;
  RETURN 16 OPERATOR(pg_catalog.+) pg_catalog.pg_backend_pid();
END $$;
