-- CreateTable
CREATE TABLE "audit_log" (
    "tenant_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "id" UUID NOT NULL,
    "subject" TEXT,
    "role" TEXT,
    "action" TEXT NOT NULL,
    "key" TEXT,
    "request_id" TEXT,
    "outcome" TEXT NOT NULL,
    "codes" TEXT[],
    "times" INTEGER NOT NULL,

    CONSTRAINT "audit_log_pkey" PRIMARY KEY ("tenant_id","at","id")
);

-- CreateIndex
CREATE INDEX "audit_log_at_idx" ON "audit_log"("at");

-- CreateIndex
CREATE INDEX "idempotency_keys_created_idx" ON "idempotency_keys"("created_at");

-- Who did what. No relation to the tenants: the lines of a tenant outlive it. What belongs to no tenant has the id of zeros, under
-- which no tenant can be, so that the policy is that of every table.
ALTER TABLE audit_log
  ALTER COLUMN codes SET NOT NULL,
  ADD CONSTRAINT audit_log_outcome_check CHECK (outcome IN ('DONE', 'REFUSED', 'FAILED', 'UNKNOWN')),
  ADD CONSTRAINT audit_log_times_check CHECK (times > 0),
  ADD CONSTRAINT audit_log_length_check CHECK (greatest(length(subject), length(role), length(action), length(key), length(request_id)) <= 200);
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON audit_log
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

-- Rows go by their age, over all tenants, in pieces, and by these functions alone: the service may neither change nor remove a line.
-- The least retention keeps whoever has the service's login from covering their tracks. One caller works, the others return at once.
DO $do$
DECLARE
  owner name := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'transactions'::regclass);
  cleaned record;
BEGIN
  FOR cleaned IN
    SELECT * FROM (VALUES
      ('audit_log', 'at', 'tenant_id, at, id', '30 days'),
      ('idempotency_keys', 'created_at', 'tenant_id, key', '1 hour')) AS cleaned (name, age, key, least)
  LOOP
    EXECUTE format('CREATE POLICY maintained ON %I TO %I USING (current_setting(''app.maintenance'', true) = ''on'')', cleaned.name, owner);
    EXECUTE format($function$
      CREATE FUNCTION %1$I(retention interval, max_rows integer) RETURNS bigint
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, %2$I, pg_temp AS $body$
      DECLARE
        maintenance text := current_setting('app.maintenance', true);
        removed_rows bigint;
      BEGIN
        IF retention IS NULL OR retention < interval %3$L THEN
          RAISE EXCEPTION 'rows of %4$s are kept for %5$s at least, but got: %%', retention USING ERRCODE = 'invalid_parameter_value';
        END IF;
        IF NOT pg_try_advisory_xact_lock(hashtextextended('tenantry %1$s', 0)) THEN RETURN 0; END IF;
        PERFORM set_config('app.maintenance', 'on', true);
        DELETE FROM %4$I WHERE (%6$s) IN (
          SELECT %6$s FROM %4$I WHERE %7$I < clock_timestamp() - retention ORDER BY %7$I LIMIT least(max_rows, 10000));
        GET DIAGNOSTICS removed_rows = ROW_COUNT;
        PERFORM set_config('app.maintenance', coalesce(maintenance, ''), true);
        RETURN removed_rows;
      END $body$
      $function$, cleaned.name || '_clean', current_schema(), cleaned.least, cleaned.name, cleaned.least, cleaned.key, cleaned.age);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %I(interval, integer) FROM PUBLIC', cleaned.name || '_clean');
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_app') THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %I(interval, integer) TO tenantry_app', cleaned.name || '_clean');
    END IF;
  END LOOP;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_app') THEN
    REVOKE ALL ON audit_log FROM tenantry_app;
    GRANT SELECT, INSERT ON audit_log TO tenantry_app;
  END IF;
END $do$;

SELECT settle_ownership();
