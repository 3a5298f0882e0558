-- The third defence of tenant isolation: whatever SQL is sent, rows of another tenant do not exist for it.
-- The tenant is the setting app.tenant_id, sent in the same round trip as the statement; without it there are no rows.
-- FORCE holds the tables' owner to the policy too; superusers and roles with BYPASSRLS are not held, so that the
-- service takes the role below when it is given such a login in development, and refuses to start in production.

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE bank_accounts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE transactions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE daily_totals ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE account_totals ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

-- Written out in each policy and not as a function, so that the planner reads it as a constant of the scan.
CREATE POLICY tenant_isolation ON bank_accounts
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY tenant_isolation ON transactions
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY tenant_isolation ON idempotency_keys
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY tenant_isolation ON daily_totals
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY tenant_isolation ON account_totals
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

-- A tenant sees itself. Finding a tenant by the slug of a verified token, and the operators' commands that walk over
-- all tenants, declare with app.directory = 'on' that they read the directory of tenants: names, never business data.
CREATE POLICY tenant_isolation ON tenants
  USING (id = nullif(current_setting('app.tenant_id', true), '')::uuid
         OR current_setting('app.directory', true) = 'on');

-- The role of the service. Roles belong to the whole server: it may be there already (the shadow database, a second
-- database), and the migrating role may not be allowed to create it; then the service's own login must be one that
-- is held to the policies, and the operator grants it these rights.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_app') THEN
    BEGIN
      CREATE ROLE tenantry_app NOLOGIN NOSUPERUSER NOBYPASSRLS;
    EXCEPTION
      WHEN insufficient_privilege THEN RAISE NOTICE 'role tenantry_app not created: %', SQLERRM;
      WHEN duplicate_object OR unique_violation THEN NULL; -- created by another migration at this moment
    END;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_app') THEN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO tenantry_app', current_schema());
    GRANT SELECT, INSERT, UPDATE, DELETE ON tenants, bank_accounts, transactions, idempotency_keys TO tenantry_app;
    GRANT SELECT ON daily_totals, account_totals TO tenantry_app;
    -- The service refuses a database that lacks a migration; a shadow database has no such list.
    IF to_regclass('_prisma_migrations') IS NOT NULL THEN
      GRANT SELECT ON _prisma_migrations TO tenantry_app;
    END IF;
  END IF;
END $$;
