-- AlterTable
ALTER TABLE "tenants" ADD COLUMN     "points_per_minute" INTEGER;

-- CreateTable
CREATE TABLE "tenant_usage" (
    "tenant_id" UUID NOT NULL,
    "bucket" TIMESTAMPTZ(0) NOT NULL,
    "requests" BIGINT NOT NULL,
    "hits" BIGINT NOT NULL,
    "points" BIGINT NOT NULL,
    "database_ms" DOUBLE PRECISION NOT NULL,
    "rows" BIGINT NOT NULL,
    "bytes_kept" BIGINT NOT NULL,
    "errors" JSONB NOT NULL,

    CONSTRAINT "tenant_usage_pkey" PRIMARY KEY ("tenant_id","bucket")
);

-- CreateIndex
CREATE INDEX "tenant_usage_bucket_idx" ON "tenant_usage"("bucket");

ALTER TABLE tenants ADD CONSTRAINT tenants_points_per_minute_check CHECK (points_per_minute > 0);

-- What each tenant cost, in buckets of five minutes: every process adds to the row that is there. `errors` has the number of
-- answers by code. Rows of the running buckets are changed often and small.
ALTER TABLE tenant_usage SET (fillfactor = 70);
ALTER TABLE tenant_usage ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON tenant_usage
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

DO $do$
DECLARE
  owner name := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'transactions'::regclass);
  made text;
BEGIN
  EXECUTE format('CREATE POLICY maintained ON tenant_usage TO %I USING (current_setting(''app.maintenance'', true) = ''on'')', owner);

  -- The sums of the tenants whose rows the caller sees: of the buckets that began within the last hour, and the last day.
  EXECUTE format($function$
    CREATE FUNCTION tenant_usage_sums() RETURNS TABLE (tenant_id uuid, spans jsonb)
      LANGUAGE sql STABLE SET search_path = pg_catalog, %1$I, pg_temp AS $body$
      WITH asked AS (
        SELECT * FROM (VALUES ('hour', now() - interval '1 hour'), ('day', now() - interval '1 day')) AS asked (span, since)
      ), seen AS MATERIALIZED (
        SELECT asked.span, used.* FROM tenant_usage used JOIN asked ON used.bucket > asked.since
      ), codes AS (
        SELECT coded.tenant_id, coded.span, jsonb_object_agg(coded.code, coded.answers) AS errors FROM (
          SELECT seen.tenant_id, seen.span, error.key AS code, sum(error.value::bigint) AS answers
          FROM seen CROSS JOIN LATERAL jsonb_each_text(seen.errors) error GROUP BY 1, 2, 3) coded GROUP BY 1, 2
      ), sums AS (
        SELECT seen.tenant_id, seen.span, jsonb_build_object('requests', sum(seen.requests), 'hits', sum(seen.hits),
          'points', sum(seen.points), 'databaseMs', sum(seen.database_ms), 'rows', sum(seen.rows),
          'bytesKept', sum(seen.bytes_kept)) AS figures FROM seen GROUP BY 1, 2
      )
      SELECT sums.tenant_id, jsonb_object_agg(sums.span, sums.figures || jsonb_build_object('errors', coalesce(codes.errors, '{}')))
      FROM sums LEFT JOIN codes USING (tenant_id, span) GROUP BY 1
    $body$
    $function$, current_schema());

  -- The same of all tenants, for operators: names and figures, no business data.
  EXECUTE format($function$
    CREATE FUNCTION tenant_usage_of_all() RETURNS TABLE (id uuid, slug text, spans jsonb)
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, %1$I, pg_temp AS $body$
    DECLARE
      maintenance text := current_setting('app.maintenance', true);
      directory text := current_setting('app.directory', true);
    BEGIN
      PERFORM set_config('app.maintenance', 'on', true), set_config('app.directory', 'on', true);
      RETURN QUERY SELECT tenant.id, tenant.slug, sums.spans FROM tenant_usage_sums() sums JOIN tenants tenant ON tenant.id = sums.tenant_id;
      PERFORM set_config('app.maintenance', coalesce(maintenance, ''), true), set_config('app.directory', coalesce(directory, ''), true);
    END $body$
    $function$, current_schema());

  EXECUTE format($function$
    CREATE FUNCTION tenant_usage_clean(retention interval, max_rows integer) RETURNS bigint
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, %1$I, pg_temp AS $body$
    DECLARE
      maintenance text := current_setting('app.maintenance', true);
      removed_rows bigint;
    BEGIN
      IF retention IS NULL OR retention < interval '1 day' THEN
        RAISE EXCEPTION 'rows of tenant_usage are kept for 1 day at least, but got: %%', retention USING ERRCODE = 'invalid_parameter_value';
      END IF;
      IF NOT pg_try_advisory_xact_lock(hashtextextended('tenantry tenant_usage_clean', 0)) THEN RETURN 0; END IF;
      PERFORM set_config('app.maintenance', 'on', true);
      DELETE FROM tenant_usage WHERE (tenant_id, bucket) IN (
        SELECT tenant_id, bucket FROM tenant_usage WHERE bucket < clock_timestamp() - retention ORDER BY bucket LIMIT least(max_rows, 10000));
      GET DIAGNOSTICS removed_rows = ROW_COUNT;
      PERFORM set_config('app.maintenance', coalesce(maintenance, ''), true);
      RETURN removed_rows;
    END $body$
    $function$, current_schema());

  FOREACH made IN ARRAY ARRAY['tenant_usage_sums()', 'tenant_usage_of_all()', 'tenant_usage_clean(interval, integer)'] LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', made);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_app') THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO tenantry_app', made);
    END IF;
  END LOOP;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_app') THEN
    REVOKE ALL ON tenant_usage FROM tenantry_app;
    GRANT SELECT, INSERT, UPDATE (requests, hits, points, database_ms, rows, bytes_kept, errors) ON tenant_usage TO tenantry_app;
  END IF;
END $do$;

SELECT settle_ownership();
