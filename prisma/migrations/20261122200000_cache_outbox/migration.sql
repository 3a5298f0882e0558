-- CreateTable
CREATE TABLE "cache_outbox" (
    "xid" BIGINT NOT NULL,
    "tenant_id" UUID NOT NULL,
    "dependencies" SMALLINT NOT NULL,
    "write_id" UUID,

    CONSTRAINT "cache_outbox_pkey" PRIMARY KEY ("xid","tenant_id","dependencies")
);

-- CreateTable
CREATE TABLE "cache_outbox_horizon" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "removed" TEXT,
    "next" TEXT,
    "next_at" TIMESTAMPTZ(3),

    CONSTRAINT "cache_outbox_horizon_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "cache_trust" (
    "server_id" TEXT NOT NULL,
    "holder" UUID NOT NULL,
    "renewed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "cache_trust_pkey" PRIMARY KEY ("server_id")
);

-- What was changed, for whoever keeps answers: written in the writer's own transaction by the triggers below, whoever
-- writes, read by src/cache/outbox. docs/cache.md explains the protocol. `dependencies` is a set of bits, which
-- src/cache/outbox/dependency-bits.ts names: accounts 1, transactions 2, dashboard 4, statistics 8, tenant 16.

INSERT INTO cache_outbox_horizon (id) VALUES (1);

-- Rows live for a minute at most: vacuum by their number, not by the table's size.
ALTER TABLE cache_outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000);

-- Followers read the rows of all tenants at once, which hold ids and no business data: the policy is that of the
-- directory of tenants, not that of a tenant's rows. Nobody is granted INSERT: rows come from the functions below.
ALTER TABLE cache_outbox ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY written_by_triggers ON cache_outbox FOR INSERT WITH CHECK (true);
CREATE POLICY followed ON cache_outbox FOR SELECT USING (current_setting('app.directory', true) = 'on');
CREATE POLICY cleaned ON cache_outbox FOR DELETE USING (current_setting('app.directory', true) = 'on');

-- One function for each event, since each sees other transition tables. The mask is the trigger's argument. A tenant's
-- row carries its id in another column than the rows it owns. A transaction writes a row once, however many of its
-- statements change the same things. The triggers fire for replaying sessions (session_replication_role) too.
DO $do$
DECLARE
  source record;
  target record;
BEGIN
  FOR source IN
    SELECT * FROM (VALUES
      ('insert', 'new_rows', 'NEW TABLE AS new_rows'),
      ('delete', 'old_rows', 'OLD TABLE AS old_rows'),
      ('update', '(SELECT * FROM new_rows UNION ALL SELECT * FROM old_rows)',
                 'NEW TABLE AS new_rows OLD TABLE AS old_rows')) AS source (event, changes, transition)
  LOOP
    FOR target IN
      SELECT * FROM (VALUES
        ('rows', 'tenant_id', ARRAY['bank_accounts', 'transactions'], ARRAY[1 + 4, 2 + 4 + 8]),
        ('tenants', 'id', ARRAY['tenants'], ARRAY[1 + 2 + 4 + 8 + 16])) AS target (kind, tenant, tables, masks)
    LOOP
      EXECUTE format($function$
        CREATE FUNCTION cache_outbox_%2$s_%1$s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
        BEGIN
          INSERT INTO cache_outbox (xid, tenant_id, dependencies, write_id)
          SELECT pg_current_xact_id()::text::bigint, changed.tenant, TG_ARGV[0]::smallint,
                 nullif(current_setting('app.write_id', true), '')::uuid
            FROM (SELECT DISTINCT %3$s AS tenant FROM %4$s changes) changed
          ON CONFLICT DO NOTHING;
          RETURN NULL;
        END $body$;
        $function$, source.event, target.kind, target.tenant, source.changes);
      FOR position IN 1..array_length(target.tables, 1) LOOP
        EXECUTE format('CREATE TRIGGER cache_outbox_%1$s AFTER %1$s ON %2$I REFERENCING %3$s
                          FOR EACH STATEMENT EXECUTE FUNCTION cache_outbox_%4$s_%1$s(%5$s)',
          source.event, target.tables[position], source.transition, target.kind, target.masks[position]);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER cache_outbox_%s', target.tables[position], source.event);
      END LOOP;
    END LOOP;
  END LOOP;
END $do$;

-- TRUNCATE shows no rows and empties every tenant. Before it, since `tenants` may be emptied as well.
CREATE FUNCTION cache_outbox_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  directory text := current_setting('app.directory', true);
BEGIN
  PERFORM set_config('app.directory', 'on', true);
  INSERT INTO cache_outbox (xid, tenant_id, dependencies)
  SELECT pg_current_xact_id()::text::bigint, id, TG_ARGV[0]::smallint FROM tenants
  ON CONFLICT DO NOTHING;
  PERFORM set_config('app.directory', coalesce(directory, ''), true);
  RETURN NULL;
END $$;
CREATE TRIGGER cache_outbox_truncate BEFORE TRUNCATE ON bank_accounts
  FOR EACH STATEMENT EXECUTE FUNCTION cache_outbox_truncate(5);
CREATE TRIGGER cache_outbox_truncate BEFORE TRUNCATE ON transactions
  FOR EACH STATEMENT EXECUTE FUNCTION cache_outbox_truncate(14);
CREATE TRIGGER cache_outbox_truncate BEFORE TRUNCATE ON tenants
  FOR EACH STATEMENT EXECUTE FUNCTION cache_outbox_truncate(31);
ALTER TABLE bank_accounts ENABLE ALWAYS TRIGGER cache_outbox_truncate;
ALTER TABLE transactions ENABLE ALWAYS TRIGGER cache_outbox_truncate;
ALTER TABLE tenants ENABLE ALWAYS TRIGGER cache_outbox_truncate;

-- For changes that no trigger sees, and for invalidating by hand.
CREATE FUNCTION cache_outbox_add(tenant uuid, dependencies integer) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  INSERT INTO cache_outbox (xid, tenant_id, dependencies)
  VALUES (pg_current_xact_id()::text::bigint, $1, $2::smallint)
  ON CONFLICT DO NOTHING
$$;

-- Totals that are made anew change dashboards and statistics, though no row that they are made of.
ALTER FUNCTION statistics_rebuild(uuid) RENAME TO statistics_recompute;
CREATE FUNCTION statistics_rebuild(tenant uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM statistics_recompute(tenant);
  PERFORM cache_outbox_add(tenant, 4 + 8);
END $$;

-- Removes rows that have been visible for `retention` at least, and says up to where: everything visible in the
-- snapshot `removed` is gone, so that a follower that has not read as far knows it. A row of a transaction that this
-- server has not begun came with a dump of another one. One caller works, the others return at once.
CREATE FUNCTION cache_outbox_clean(retention interval) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  horizon cache_outbox_horizon;
  directory text := current_setting('app.directory', true);
  removed_rows bigint := 0;
BEGIN
  SELECT * INTO horizon FROM cache_outbox_horizon FOR UPDATE SKIP LOCKED;
  IF NOT FOUND OR horizon.next_at BETWEEN clock_timestamp() - retention AND clock_timestamp() THEN RETURN 0; END IF;
  IF horizon.next IS NOT NULL THEN
    PERFORM set_config('app.directory', 'on', true);
    DELETE FROM cache_outbox
     WHERE pg_visible_in_snapshot(xid::text::xid8, horizon.next::pg_snapshot)
        OR xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
    GET DIAGNOSTICS removed_rows = ROW_COUNT;
    PERFORM set_config('app.directory', coalesce(directory, ''), true);
  END IF;
  UPDATE cache_outbox_horizon
     SET removed = next, next = pg_current_snapshot()::text, next_at = clock_timestamp();
  RETURN removed_rows;
END $$;

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_app') THEN
    GRANT SELECT ON cache_outbox, cache_outbox_horizon TO tenantry_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON cache_trust TO tenantry_app;
  END IF;
END $$;
