-- Of each table the service's role has what the service does with it, and no more.
-- src/database/service-rights.ts is the list, which "npm run db:grant" gives to roles that are
-- made later; test/database/rights.test.ts holds both together.

-- Everybody may make temporary tables in a new database, and before PostgreSQL 15 everything else
-- in the schema `public`. The migrating role keeps its right: the import and the seed stage rows.
-- Only the owner of the database, or of the schema, may take these rights away.
DO $$
DECLARE
  change text;
BEGIN
  FOREACH change IN ARRAY ARRAY[
    format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), current_user),
    format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()),
    format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', current_schema())
  ] LOOP
    BEGIN
      EXECUTE change;
    EXCEPTION
      WHEN insufficient_privilege THEN RAISE NOTICE '%: %', change, SQLERRM;
    END;
  END LOOP;
END $$;

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_app') THEN RETURN; END IF;
  REVOKE ALL ON tenants, bank_accounts, transactions, idempotency_keys, daily_totals, account_totals, cache_outbox, cache_outbox_horizon,
    cache_trust FROM tenantry_app;
  GRANT SELECT ON tenants, daily_totals, account_totals, cache_outbox, cache_outbox_horizon TO tenantry_app;
  GRANT SELECT, INSERT, UPDATE (bank_name, account_type, status, balance, version, updated_at) ON bank_accounts TO tenantry_app;
  GRANT SELECT, INSERT ON transactions TO tenantry_app;
  GRANT SELECT, INSERT, UPDATE (transaction_ids, created_at) ON idempotency_keys TO tenantry_app;
  GRANT SELECT, INSERT, UPDATE, DELETE ON cache_trust TO tenantry_app;
  -- Totals are made anew by operators: it holds up the writers of other tenants.
  REVOKE EXECUTE ON FUNCTION statistics_rebuild(uuid) FROM tenantry_app;
  GRANT EXECUTE ON FUNCTION uuid_v7(), is_applied_row(), cache_outbox_add(uuid, integer), cache_outbox_clean(interval),
    cache_outbox_poll(bigint, bigint[]), cache_outbox_is_complete(), cache_database_identity() TO tenantry_app;
END $$;
