-- The least retention is held by instants. Intervals are compared as if a month had 30 days, and
-- subtracted by the calendar: '-1200 months 36030 days' was 30 days, and lies in the future. In
-- hours, since a day of the session's time zone may have 23.
DO $do$
DECLARE
  cleaned record;
BEGIN
  FOR cleaned IN
    SELECT * FROM (VALUES
      ('audit_log', 'at', 'tenant_id, at, id', '30 days', '720 hours'),
      ('idempotency_keys', 'created_at', 'tenant_id, key', '1 hour', '1 hour'),
      ('tenant_usage', 'bucket', 'tenant_id, bucket', '1 day', '24 hours')) AS cleaned (name, age, key, least, hours)
  LOOP
    EXECUTE format($function$
      CREATE OR REPLACE FUNCTION %1$I(retention interval, max_rows integer) RETURNS bigint
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, %2$I, pg_temp AS $body$
      DECLARE
        maintenance text := current_setting('app.maintenance', true);
        running CONSTANT timestamptz := clock_timestamp();
        kept_from CONSTANT timestamptz := running - retention;
        removed_rows bigint;
      BEGIN
        IF kept_from IS NULL OR kept_from > running - interval %3$L THEN
          RAISE EXCEPTION 'rows of %4$s are kept for %5$s at least, but got: %%', retention USING ERRCODE = 'invalid_parameter_value';
        END IF;
        IF NOT pg_try_advisory_xact_lock(hashtextextended('tenantry %1$s', 0)) THEN RETURN 0; END IF;
        PERFORM set_config('app.maintenance', 'on', true);
        DELETE FROM %4$I WHERE (%6$s) IN (
          SELECT %6$s FROM %4$I WHERE %7$I < kept_from ORDER BY %7$I LIMIT least(max_rows, 10000));
        GET DIAGNOSTICS removed_rows = ROW_COUNT;
        PERFORM set_config('app.maintenance', coalesce(maintenance, ''), true);
        RETURN removed_rows;
      END $body$
      $function$, cleaned.name || '_clean', current_schema(), cleaned.hours, cleaned.name, cleaned.least, cleaned.key, cleaned.age);
  END LOOP;
END $do$;

SELECT settle_ownership();
