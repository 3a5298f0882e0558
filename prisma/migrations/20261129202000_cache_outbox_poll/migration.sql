-- What follows the outbox no longer depends on settings of its session, which a pooler may drop or share: a poll sees the rows of all
-- tenants by itself, and says whether it does, whether all triggers fire, and in which session it ran: the database is asked for once in a session.

-- A copy of a cluster's files has its identifier and its databases, but another start. So has the server after a restart, a failover or
-- a restored backup, when writes may be lost.
CREATE FUNCTION cache_database_identity() RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT concat_ws('/', system_identifier, (SELECT oid FROM pg_database WHERE datname = current_database()),
                   extract(epoch FROM pg_postmaster_start_time()))
    FROM pg_control_system()
$$;

-- The rows that the statement's snapshot sees and the last poll's did not: those of transactions from `from_xid` on, which had not begun
-- then, and of `open_xids`, which had not ended. Both are looked up in the key, so that neither long transactions nor removed rows cost
-- anything. A row of a later transaction than the snapshot knows came with a dump of another server. `triggers` differs after a trigger was
-- made, dropped, disabled or enabled, whenever that was: nobody knows what was written meanwhile.
DO $do$
BEGIN
  EXECUTE format($function$
    CREATE FUNCTION cache_outbox_poll(from_xid bigint, open_xids bigint[])
      RETURNS TABLE (snapshot text, triggers text, removed text, is_complete boolean, is_visible boolean, session integer, changes json)
      LANGUAGE plpgsql STABLE SET search_path = pg_catalog, %I, pg_temp AS $body$
    #variable_conflict use_column
    DECLARE
      directory text := current_setting('app.directory', true);
    BEGIN
      PERFORM set_config('app.directory', 'on', true);
      RETURN QUERY
      SELECT pg_current_snapshot()::text,
        (SELECT md5(string_agg(concat_ws(' ', trigger.oid, trigger.xmin), ',' ORDER BY trigger.oid)) FROM pg_trigger trigger
          WHERE tgrelid IN ('tenants'::regclass, 'bank_accounts'::regclass, 'transactions'::regclass) AND tgname LIKE 'cache\_outbox\_%%'),
        (SELECT horizon.removed FROM cache_outbox_horizon horizon),
        cache_outbox_is_complete(),
        NOT row_security_active('cache_outbox')
          OR EXISTS (SELECT FROM pg_policy WHERE polrelid = 'cache_outbox'::regclass AND polcmd = 'r' AND polpermissive AND polroles = '{0}'
                        AND pg_get_expr(polqual, polrelid) = '(current_setting(''app.directory''::text, true) = ''on''::text)')
            AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = 'cache_outbox'::regclass AND NOT polpermissive AND polcmd IN ('r', '*')),
        pg_backend_pid(),
        (SELECT coalesce(json_agg(json_build_array(tenant_id, dependencies, write_id)), '[]') FROM (
           SELECT tenant_id, dependencies, write_id FROM cache_outbox
            WHERE xid >= from_xid AND xid < pg_snapshot_xmax(pg_current_snapshot())::text::bigint
           UNION ALL
           SELECT tenant_id, dependencies, write_id FROM cache_outbox WHERE xid = ANY (open_xids)) changes);
      PERFORM set_config('app.directory', coalesce(directory, ''), true);
    END $body$;
  $function$, current_schema());
END $do$;

REVOKE EXECUTE ON FUNCTION cache_outbox_poll(bigint, bigint[]) FROM PUBLIC;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_app') THEN
    GRANT EXECUTE ON FUNCTION cache_outbox_poll(bigint, bigint[]) TO tenantry_app;
  END IF;
END $$;
