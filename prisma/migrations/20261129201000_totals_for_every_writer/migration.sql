-- Totals are exact whoever writes: a role that row-level security holds or not, under an owner that it holds, at any isolation
-- level, in sessions that replay (session_replication_role) and by logical replication. What cannot be exact is refused with
-- SQLSTATE 40001. docs/data-model.md tells how.

-- Writers that are under way ran the functions of before.
LOCK TABLE tenants, bank_accounts, transactions IN SHARE ROW EXCLUSIVE MODE;

-- The functions below read and write over tenants. FORCE holds their owner to the policies unless it is a superuser or has
-- BYPASSRLS, and a writer that is not held to them need not name a tenant. So their owner, nobody else, passes while a function
-- says that it keeps totals; a login that sets this by itself is not that owner, and the owner's own statements are held as before.
DO $$
DECLARE
  owner name := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'transactions'::regclass);
  kept name;
BEGIN
  FOREACH kept IN ARRAY ARRAY['tenants', 'bank_accounts', 'transactions', 'daily_totals', 'account_totals'] LOOP
    EXECUTE format('CREATE POLICY keeps_totals ON %I TO %I USING (current_setting(''app.keep_totals'', true) = ''on'')', kept, owner);
  END LOOP;
END $$;

-- Under REPEATABLE READ and SERIALIZABLE a writer's snapshot may be older than a change of its tenant's time zone, or than the
-- tenant. The lock on the row fails then. Without waiting: whoever is changing the tenant may wait for this writer's lock.
CREATE FUNCTION statistics_refuse_old_tenants(changed uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  absent uuid;
BEGIN
  BEGIN
    PERFORM FROM tenants WHERE id = ANY (changed) ORDER BY id FOR SHARE NOWAIT;
    FOR absent IN SELECT id FROM unnest(changed) id EXCEPT SELECT id FROM tenants LOOP
      -- Only a key tells of a row that the snapshot does not see; where there is none, the row is taken back at once.
      BEGIN
        INSERT INTO tenants (id, slug, name, time_zone) VALUES (absent, absent::text, 'absent', 'UTC') ON CONFLICT (id) DO NOTHING;
        RAISE SQLSTATE 'TA000';
      EXCEPTION
        WHEN SQLSTATE 'TA000' THEN NULL;
      END;
    END LOOP;
  EXCEPTION
    WHEN serialization_failure OR lock_not_available THEN
      RAISE serialization_failure USING
        MESSAGE = 'could not keep totals: a tenant was changed after this transaction had taken its snapshot',
        HINT = 'Run the transaction again, or under READ COMMITTED.';
  END;
END $$;

-- The other way round: what is made anew from the rows must see all of them, and the snapshot may be older than the lock. Nothing
-- that it does not see may have been committed by now. The ids of transactions are asked one by one; the one that is not given
-- out yet ends with an error.
CREATE FUNCTION statistics_refuse_old_snapshot() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  snapshot CONSTANT pg_snapshot := pg_current_snapshot();
  asked bigint := pg_snapshot_xmin(snapshot)::text::bigint;
BEGIN
  IF current_setting('transaction_isolation') NOT IN ('repeatable read', 'serializable') THEN RETURN; END IF;
  BEGIN
    WHILE pg_visible_in_snapshot(asked::text::xid8, snapshot) OR pg_xact_status(asked::text::xid8) <> 'committed' LOOP
      asked := asked + 1;
    END LOOP;
  EXCEPTION
    WHEN invalid_parameter_value THEN RETURN;
  END;
  RAISE serialization_failure USING
    MESSAGE = 'could not make totals anew: rows may have been written after this transaction had taken its snapshot',
    HINT = 'Run the transaction again, or under READ COMMITTED.';
END $$;
REVOKE EXECUTE ON FUNCTION statistics_refuse_old_tenants(uuid[]), statistics_refuse_old_snapshot() FROM PUBLIC;

-- Statements are counted into the totals as wholes, by their triggers, in sessions that replay too. Logical replication applies rows
-- without a statement: there the triggers of rows count each. A statement in a session that replays says that it is one, which is
-- why its rows are not counted twice. All that sleeps where nothing is replayed, and costs nothing there.
CREATE FUNCTION is_applied_row() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT pg_catalog.current_setting('session_replication_role') OPERATOR(pg_catalog.=) 'replica'
     AND coalesce(nullif(pg_catalog.current_setting('app.replayed_statements', true), ''), '0') OPERATOR(pg_catalog.=) '0'
$$;
CREATE FUNCTION count_replayed_statement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  open_statements integer := coalesce(nullif(current_setting('app.replayed_statements', true), ''), '0');
BEGIN
  open_statements := open_statements + CASE TG_WHEN WHEN 'BEFORE' THEN 1 ELSE -1 END;
  PERFORM set_config('app.replayed_statements', open_statements::text, true);
  RETURN NULL;
END $$;
ALTER FUNCTION count_replayed_statement() SET search_path = pg_catalog;

-- One function for each event, since each sees other rows; all else is the same. The locks are had by a statement of their own: the
-- time zone must be read by a snapshot taken after them. A tenant that is being deleted with its rows is no longer there to join,
-- and its totals go with it. The totals are written in the order of their primary key, so that those of neighbouring days, which
-- are read together, lie together.
DO $do$
DECLARE
  source record;
  settings CONSTANT text := format('SET search_path = pg_catalog, %I, pg_temp', current_schema());
BEGIN
  FOR source IN
    SELECT * FROM (VALUES
      ('insert', 'SELECT *, 1 AS sign FROM new_rows'),
      ('delete', 'SELECT *, -1 AS sign FROM old_rows'),
      ('update', 'SELECT *, 1 AS sign FROM new_rows UNION ALL SELECT *, -1 AS sign FROM old_rows'),
      ('applied', $$SELECT NEW.*, 1 AS sign WHERE TG_OP <> 'DELETE' UNION ALL SELECT OLD.*, -1 AS sign WHERE TG_OP <> 'INSERT'$$)
    ) AS source (event, changes)
  LOOP
    EXECUTE format($function$
      CREATE OR REPLACE FUNCTION transactions_keep_totals_%1$s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER %3$s AS $body$
      DECLARE
        keeping text := set_config('app.keep_totals', 'on', true);
      BEGIN
        PERFORM pg_advisory_xact_lock_shared(statistics_lock_key(writer.tenant_id))
           FROM (SELECT DISTINCT tenant_id FROM (%2$s) changes ORDER BY 1) writer;
        IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
          PERFORM statistics_refuse_old_tenants(ARRAY(SELECT DISTINCT tenant_id FROM (%2$s) changes));
        END IF;
        WITH changes AS (%2$s), writers AS MATERIALIZED (
          SELECT id, time_zone, statistics_slot(id) AS slot FROM tenants WHERE id IN (SELECT tenant_id FROM changes)
        )
        INSERT INTO daily_totals AS kept (tenant_id, day, currency, category, slot, transaction_count, inflow, outflow)
        SELECT tenant_id, (booked_at AT TIME ZONE time_zone)::date, currency, coalesce(category, ''), slot, sum(sign),
               coalesce(sum(sign * amount) FILTER (WHERE direction = 'CREDIT'), 0),
               coalesce(sum(sign * amount) FILTER (WHERE direction = 'DEBIT'), 0)
          FROM changes JOIN writers ON writers.id = changes.tenant_id
         GROUP BY 1, 2, 3, 4, 5
        HAVING sum(sign) <> 0 OR sum(sign * amount) FILTER (WHERE direction = 'CREDIT') <> 0
            OR sum(sign * amount) FILTER (WHERE direction = 'DEBIT') <> 0
         ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (tenant_id, day, currency, category, slot) DO UPDATE
          SET transaction_count = kept.transaction_count + excluded.transaction_count,
              inflow = kept.inflow + excluded.inflow, outflow = kept.outflow + excluded.outflow;
        keeping := set_config('app.keep_totals', '', true);
        RETURN NULL;
      END $body$;

      CREATE OR REPLACE FUNCTION bank_accounts_keep_totals_%1$s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER %3$s AS $body$
      DECLARE
        keeping text := set_config('app.keep_totals', 'on', true);
      BEGIN
        PERFORM pg_advisory_xact_lock_shared(statistics_lock_key(writer.tenant_id))
           FROM (SELECT DISTINCT tenant_id FROM (%2$s) changes ORDER BY 1) writer;
        IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
          PERFORM statistics_refuse_old_tenants(ARRAY(SELECT DISTINCT tenant_id FROM (%2$s) changes));
        END IF;
        WITH changes AS (%2$s), writers AS MATERIALIZED (
          SELECT id, statistics_slot(id) AS slot FROM tenants WHERE id IN (SELECT tenant_id FROM changes)
        )
        INSERT INTO account_totals AS kept (tenant_id, account_type, status, bank_name, currency, slot, account_count, balance)
        SELECT tenant_id, account_type, status, bank_name, currency, slot, sum(sign), sum(sign * balance)
          FROM changes JOIN writers ON writers.id = changes.tenant_id
         GROUP BY 1, 2, 3, 4, 5, 6
        HAVING sum(sign) <> 0 OR sum(sign * balance) <> 0
         ORDER BY 1, 2, 3, 4, 5, 6
        ON CONFLICT (tenant_id, account_type, status, bank_name, currency, slot) DO UPDATE
          SET account_count = kept.account_count + excluded.account_count, balance = kept.balance + excluded.balance;
        keeping := set_config('app.keep_totals', '', true);
        RETURN NULL;
      END $body$;
      $function$, source.event, source.changes, settings);
  END LOOP;

  -- A replaying session carries no deletion on to the totals, and initial copies of a subscription come in any order: movements may
  -- be there before their tenant.
  EXECUTE format($function$
    CREATE FUNCTION tenants_keep_totals_applied() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER %1$s AS $body$
    BEGIN
      IF TG_OP = 'UPDATE' AND NEW.id = OLD.id THEN RETURN NULL; END IF;
      IF TG_OP <> 'INSERT' THEN
        PERFORM pg_advisory_xact_lock(statistics_lock_key(OLD.id));
        PERFORM set_config('app.keep_totals', 'on', true);
        DELETE FROM daily_totals WHERE tenant_id = OLD.id;
        DELETE FROM account_totals WHERE tenant_id = OLD.id;
        PERFORM set_config('app.keep_totals', '', true);
      END IF;
      IF TG_OP <> 'DELETE' THEN PERFORM statistics_recompute(NEW.id); END IF;
      RETURN NULL;
    END $body$;
    CREATE OR REPLACE FUNCTION tenants_rebuild_days() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER %1$s AS $body$
    BEGIN
      PERFORM statistics_recompute(NEW.id);
      RETURN NULL;
    END $body$;
    ALTER FUNCTION transactions_keep_totals_truncate() %1$s;
    ALTER FUNCTION bank_accounts_keep_totals_truncate() %1$s;
    CREATE OR REPLACE FUNCTION statistics_recompute(tenant uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER %1$s AS $body$
BEGIN
  PERFORM pg_advisory_xact_lock(statistics_lock_key(tenant));
  PERFORM statistics_refuse_old_snapshot();
  PERFORM set_config('app.keep_totals', 'on', true);
  WITH sums AS MATERIALIZED (
    SELECT (r.booked_at AT TIME ZONE t.time_zone)::date AS day, r.currency, coalesce(r.category, '') AS category,
           count(*) AS transaction_count,
           coalesce(sum(r.amount) FILTER (WHERE r.direction = 'CREDIT'), 0) AS inflow,
           coalesce(sum(r.amount) FILTER (WHERE r.direction = 'DEBIT'), 0) AS outflow
      FROM transactions r JOIN tenants t ON t.id = r.tenant_id
     WHERE r.tenant_id = tenant
     GROUP BY 1, 2, 3
  ), removed AS (
    DELETE FROM daily_totals kept
     WHERE kept.tenant_id = tenant AND NOT EXISTS (
       SELECT FROM sums
        WHERE sums.day = kept.day AND sums.currency = kept.currency AND sums.category = kept.category AND kept.slot = 0)
  )
  INSERT INTO daily_totals AS kept (tenant_id, day, currency, category, slot, transaction_count, inflow, outflow)
  SELECT tenant, day, currency, category, 0, transaction_count, inflow, outflow FROM sums ORDER BY day, currency, category
  ON CONFLICT (tenant_id, day, currency, category, slot) DO UPDATE
    SET transaction_count = excluded.transaction_count, inflow = excluded.inflow, outflow = excluded.outflow
    WHERE (kept.transaction_count, kept.inflow, kept.outflow)
          IS DISTINCT FROM (excluded.transaction_count, excluded.inflow, excluded.outflow);
  WITH sums AS MATERIALIZED (
    SELECT account_type, status, bank_name, currency, count(*) AS account_count, sum(balance) AS balance
      FROM bank_accounts WHERE tenant_id = tenant
     GROUP BY 1, 2, 3, 4
  ), removed AS (
    DELETE FROM account_totals kept
     WHERE kept.tenant_id = tenant AND NOT EXISTS (
       SELECT FROM sums
        WHERE sums.account_type = kept.account_type AND sums.status = kept.status AND sums.bank_name = kept.bank_name
          AND sums.currency = kept.currency AND kept.slot = 0)
  )
  INSERT INTO account_totals AS kept (tenant_id, account_type, status, bank_name, currency, slot, account_count, balance)
  SELECT tenant, account_type, status, bank_name, currency, 0, account_count, balance FROM sums ORDER BY 2, 3, 4, 5
  ON CONFLICT (tenant_id, account_type, status, bank_name, currency, slot) DO UPDATE
    SET account_count = excluded.account_count, balance = excluded.balance
    WHERE (kept.account_count, kept.balance) IS DISTINCT FROM (excluded.account_count, excluded.balance);
  PERFORM set_config('app.keep_totals', '', true);
END $body$;
  $function$, settings);
END $do$;

DO $$
DECLARE
  written name;
  event text;
BEGIN
  FOREACH written IN ARRAY ARRAY['transactions', 'bank_accounts'] LOOP
    EXECUTE format('CREATE TRIGGER keep_totals_applied AFTER INSERT OR UPDATE OR DELETE ON %1$I
                      FOR EACH ROW WHEN (is_applied_row()) EXECUTE FUNCTION %1$I_keep_totals_applied()', written);
    EXECUTE format('ALTER TABLE %I ENABLE REPLICA TRIGGER keep_totals_applied', written);
    EXECUTE format('CREATE TRIGGER replayed_statement_begins BEFORE INSERT OR UPDATE OR DELETE ON %I
                      FOR EACH STATEMENT EXECUTE FUNCTION count_replayed_statement()', written);
    EXECUTE format('ALTER TABLE %I ENABLE REPLICA TRIGGER replayed_statement_begins', written);
    EXECUTE format('CREATE TRIGGER replayed_statement_ends AFTER INSERT OR UPDATE OR DELETE ON %I
                      FOR EACH STATEMENT EXECUTE FUNCTION count_replayed_statement()', written);
    EXECUTE format('ALTER TABLE %I ENABLE REPLICA TRIGGER replayed_statement_ends', written);
    FOREACH event IN ARRAY ARRAY['insert', 'update', 'delete', 'truncate'] LOOP
      EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER keep_totals_%s', written, event);
    END LOOP;
  END LOOP;
END $$;
CREATE TRIGGER keep_totals_applied AFTER INSERT OR UPDATE OF id OR DELETE ON tenants
  FOR EACH ROW EXECUTE FUNCTION tenants_keep_totals_applied();
ALTER TABLE tenants ENABLE REPLICA TRIGGER keep_totals_applied, ENABLE ALWAYS TRIGGER rebuild_days;
