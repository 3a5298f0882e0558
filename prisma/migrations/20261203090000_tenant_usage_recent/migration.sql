-- Which tenants were active last: after a start their dashboards are computed before somebody asks. Ids alone, for the service.
DO $do$
BEGIN
  EXECUTE format($function$
    CREATE FUNCTION tenant_usage_recent(within interval, tenants integer) RETURNS SETOF uuid
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, %1$I, pg_temp AS $body$
    DECLARE
      maintenance text := current_setting('app.maintenance', true);
    BEGIN
      PERFORM set_config('app.maintenance', 'on', true);
      -- A span of five minutes counts until the time within ends after it. Equal ones by what they asked for most.
      RETURN QUERY
        SELECT used.tenant_id FROM tenant_usage used
        WHERE used.bucket > now() - within - interval '5 minutes' AND used.requests > 0
        GROUP BY used.tenant_id
        ORDER BY max(used.bucket) DESC, sum(used.requests) DESC, used.tenant_id
        LIMIT greatest(least(tenant_usage_recent.tenants, 10000), 0);
      PERFORM set_config('app.maintenance', coalesce(maintenance, ''), true);
    END $body$
    $function$, current_schema());

  REVOKE EXECUTE ON FUNCTION tenant_usage_recent(interval, integer) FROM PUBLIC;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_app') THEN
    GRANT EXECUTE ON FUNCTION tenant_usage_recent(interval, integer) TO tenantry_app;
  END IF;
END $do$;

SELECT settle_ownership();
