-- Rows that logical replication applies are seen too: it fires no triggers of statements, so those of rows tell of them.
DO $do$
DECLARE
  target record;
BEGIN
  FOR target IN
    SELECT * FROM (VALUES
      ('bank_accounts', 'tenant_id', 1 + 4),
      ('transactions', 'tenant_id', 2 + 4 + 8),
      ('tenants', 'id', 1 + 2 + 4 + 8 + 16)) AS target (name, tenant, mask)
  LOOP
    EXECUTE format($$
      CREATE FUNCTION cache_outbox_%1$s_applied() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, %4$I, pg_temp AS $body$
      BEGIN
        INSERT INTO cache_outbox (xid, tenant_id, dependencies)
        SELECT pg_current_xact_id()::text::bigint, tenant, %3$s FROM (VALUES (OLD.%2$I), (NEW.%2$I)) changed (tenant)
         WHERE tenant IS NOT NULL
        ON CONFLICT DO NOTHING;
        RETURN NULL;
      END $body$;
      CREATE TRIGGER cache_outbox_applied AFTER INSERT OR UPDATE OR DELETE ON %1$I
        FOR EACH ROW WHEN (is_applied_row()) EXECUTE FUNCTION cache_outbox_%1$s_applied();
      ALTER TABLE %1$I ENABLE REPLICA TRIGGER cache_outbox_applied;
      $$, target.name, target.tenant, target.mask, current_schema());
  END LOOP;
END $do$;

-- Whether the outbox tells of every change: its triggers are there and fire for whoever writes. Followers ask at each poll and trust
-- nothing kept while they are not; `DISABLE TRIGGER ALL`, then `ENABLE TRIGGER ALL`, leaves triggers that sleep while a session replays.
DO $do$
BEGIN
  EXECUTE format($function$
    CREATE FUNCTION cache_outbox_is_complete() RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, %I, pg_temp AS $body$
      SELECT count(*) = 15 FROM pg_trigger
       WHERE tgrelid IN ('tenants'::regclass, 'bank_accounts'::regclass, 'transactions'::regclass)
         AND (tgname IN ('cache_outbox_insert', 'cache_outbox_update', 'cache_outbox_delete', 'cache_outbox_truncate') AND tgenabled = 'A'
           OR tgname = 'cache_outbox_applied' AND tgenabled IN ('R', 'A'))
    $body$;
  $function$, current_schema());
END $do$;

-- Functions that run with their owner's rights find their tables by a path that a caller's temporary tables come last in.
DO $$
DECLARE
  definer regprocedure;
BEGIN
  FOR definer IN SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prosecdef LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', definer, current_schema());
  END LOOP;
END $$;
