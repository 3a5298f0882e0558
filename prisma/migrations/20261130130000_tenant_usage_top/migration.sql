-- Operators list the tenants that cost most: ordered and limited here, where all others' rows need not be summed up in full.
DROP FUNCTION tenant_usage_of_all();
DROP FUNCTION tenant_usage_sums();

DO $do$
DECLARE
  made text;
BEGIN
  -- The sums of those tenants whose rows the caller sees: of the buckets that began within the last hour, and the last day.
  EXECUTE format($function$
    CREATE FUNCTION tenant_usage_sums(tenants uuid[]) RETURNS TABLE (tenant_id uuid, spans jsonb)
      LANGUAGE sql STABLE SET search_path = pg_catalog, %1$I, pg_temp AS $body$
      WITH asked AS (
        SELECT * FROM (VALUES ('hour', now() - interval '1 hour'), ('day', now() - interval '1 day')) AS asked (span, since)
      ), seen AS MATERIALIZED (
        SELECT asked.span, used.* FROM tenant_usage used JOIN asked ON used.bucket > asked.since
         WHERE used.tenant_id = ANY (tenants) AND used.bucket > now() - interval '1 day'
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

  -- The same of the tenants with the highest figure of the last day, in this order, equal ones by slug. For operators: names and
  -- figures, no business data.
  EXECUTE format($function$
    CREATE FUNCTION tenant_usage_top(figure text, tenants integer) RETURNS TABLE (id uuid, slug text, spans jsonb)
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, %1$I, pg_temp AS $body$
    DECLARE
      maintenance text := current_setting('app.maintenance', true);
      directory text := current_setting('app.directory', true);
    BEGIN
      IF figure IS NULL OR figure NOT IN ('REQUESTS', 'HITS', 'POINTS', 'DATABASE_MS', 'ROWS', 'BYTES_KEPT', 'ERRORS') THEN
        RAISE EXCEPTION 'tenants are listed by one of REQUESTS, HITS, POINTS, DATABASE_MS, ROWS, BYTES_KEPT, ERRORS, but got: %%', figure
          USING ERRCODE = 'invalid_parameter_value';
      END IF;
      PERFORM set_config('app.maintenance', 'on', true), set_config('app.directory', 'on', true);
      RETURN QUERY
        WITH summed AS (
          SELECT used.tenant_id, sum(CASE figure
              WHEN 'REQUESTS' THEN used.requests WHEN 'HITS' THEN used.hits WHEN 'POINTS' THEN used.points
              WHEN 'DATABASE_MS' THEN used.database_ms WHEN 'ROWS' THEN used.rows WHEN 'BYTES_KEPT' THEN used.bytes_kept
              ELSE CASE WHEN used.errors <> '{}' THEN (SELECT coalesce(sum(error.value::bigint), 0) FROM jsonb_each_text(used.errors) error) ELSE 0 END END) AS total
          FROM tenant_usage used WHERE used.bucket > now() - interval '1 day' GROUP BY 1
        ), listed AS MATERIALIZED (
          SELECT tenant.id, tenant.slug, summed.total FROM summed JOIN tenants tenant ON tenant.id = summed.tenant_id
          ORDER BY summed.total DESC, tenant.slug COLLATE "C" LIMIT greatest(least(tenant_usage_top.tenants, 100), 0)
        )
        SELECT listed.id, listed.slug, sums.spans
        FROM listed JOIN tenant_usage_sums(ARRAY(SELECT each.id FROM listed each)) sums ON sums.tenant_id = listed.id
        ORDER BY listed.total DESC, listed.slug COLLATE "C";
      PERFORM set_config('app.maintenance', coalesce(maintenance, ''), true), set_config('app.directory', coalesce(directory, ''), true);
    END $body$
    $function$, current_schema());

  FOREACH made IN ARRAY ARRAY['tenant_usage_sums(uuid[])', 'tenant_usage_top(text, integer)'] LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', made);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_app') THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO tenantry_app', made);
    END IF;
  END LOOP;
END $do$;

-- One row that cannot be added up would keep operators from seeing all tenants.
ALTER TABLE tenant_usage ADD CONSTRAINT tenant_usage_errors_check CHECK (
  jsonb_typeof(errors) = 'object'
  AND NOT jsonb_path_exists(errors, 'strict $.* ? (!(@.type() == "number") || @ < 0 || @ > 1000000000000000 || @.floor() != @)')
);

SELECT settle_ownership();
