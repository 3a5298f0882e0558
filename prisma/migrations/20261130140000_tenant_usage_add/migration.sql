-- What many tenants cost is added by one statement, which no single tenant's row-level security allows; the service writes the
-- table in no other way.
DO $do$
BEGIN
  -- An array of { tenantId, bucket, requests, hits, points, databaseMs, rows, bytesKept, errors: { <code>: number } }. Deleted tenants are left out.
  -- A process whose clock is ahead does not write into buckets that nobody would remove. In the order of the key, so that processes
  -- that add to the same rows wait for each other and never in a circle.
  EXECUTE format($function$
    CREATE FUNCTION tenant_usage_add(counted jsonb) RETURNS void
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, %1$I, pg_temp AS $body$
    DECLARE
      maintenance text := current_setting('app.maintenance', true);
      directory text := current_setting('app.directory', true);
      running CONSTANT timestamptz := clock_timestamp();
    BEGIN
      PERFORM set_config('app.maintenance', 'on', true), set_config('app.directory', 'on', true);
      WITH given AS MATERIALIZED (
        SELECT tenant.id, date_bin('5 minutes', least(counts.bucket, running), timestamptz 'epoch') AS span, counts.*
          FROM jsonb_to_recordset(counted) counts ("tenantId" uuid, bucket timestamptz, requests bigint, hits bigint, points bigint,
            "databaseMs" float8, rows bigint, "bytesKept" bigint, errors jsonb)
          JOIN tenants tenant ON tenant.id = counts."tenantId"
      ), codes AS (
        SELECT coded.id, coded.span, jsonb_object_agg(coded.code, coded.answers) AS errors FROM (
          SELECT given.id, given.span, error.key AS code, sum(error.value::bigint) AS answers
          FROM given CROSS JOIN LATERAL jsonb_each_text(given.errors) error GROUP BY 1, 2, 3) coded GROUP BY 1, 2
      ), sums AS (
        SELECT given.id, given.span, sum(given.requests) AS requests, sum(given.hits) AS hits, sum(given.points) AS points,
               sum(given."databaseMs") AS database_ms, sum(given.rows) AS rows, sum(given."bytesKept") AS bytes_kept
          FROM given GROUP BY 1, 2
      )
      INSERT INTO tenant_usage AS kept (tenant_id, bucket, requests, hits, points, database_ms, rows, bytes_kept, errors)
      SELECT sums.*, coalesce(codes.errors, '{}') FROM sums LEFT JOIN codes USING (id, span) ORDER BY sums.id, sums.span
      ON CONFLICT (tenant_id, bucket) DO UPDATE SET requests = kept.requests + excluded.requests, hits = kept.hits + excluded.hits,
        points = kept.points + excluded.points, database_ms = kept.database_ms + excluded.database_ms,
        rows = kept.rows + excluded.rows, bytes_kept = kept.bytes_kept + excluded.bytes_kept,
        errors = (SELECT coalesce(jsonb_object_agg(added.code, added.answers), '{}') FROM (
          SELECT each.key AS code, sum(each.value::bigint) AS answers
          FROM (SELECT * FROM jsonb_each_text(kept.errors) UNION ALL SELECT * FROM jsonb_each_text(excluded.errors)) each
          GROUP BY 1) added);
      PERFORM set_config('app.maintenance', coalesce(maintenance, ''), true), set_config('app.directory', coalesce(directory, ''), true);
    END $body$
    $function$, current_schema());

  REVOKE EXECUTE ON FUNCTION tenant_usage_add(jsonb) FROM PUBLIC;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_app') THEN
    REVOKE ALL ON tenant_usage FROM tenantry_app;
    GRANT SELECT ON tenant_usage TO tenantry_app;
    GRANT EXECUTE ON FUNCTION tenant_usage_add(jsonb) TO tenantry_app;
  END IF;
END $do$;

SELECT settle_ownership();
