-- Daily totals and account totals, kept exact by statement-level triggers in the writer's own transaction.
-- docs/data-model.md explains the slots and the locks. The functions run with their owner's rights, so that a writer
-- needs none on the totals and nobody but the triggers changes them.

-- Small rows, updated often: room for updates within the page, and an early vacuum.
ALTER TABLE daily_totals SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE account_totals SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

-- A slot that no other open transaction of this tenant adds into, so that writers neither wait for nor deadlock with
-- one another. The first free of 16; with more writers than that, one of the session's own (its process id is
-- unique among the living).
CREATE FUNCTION statistics_slot(tenant uuid) RETURNS integer LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
BEGIN
  FOR slot IN 0..15 LOOP
    IF pg_try_advisory_xact_lock(hashtextextended('tenantry statistics slot ' || slot || ' ' || tenant, 0)) THEN
      RETURN slot;
    END IF;
  END LOOP;
  RETURN 16 + pg_backend_pid();
END $$;

-- Writers share this lock; a rebuild of the tenant's totals takes it alone, so that it neither misses a movement that
-- is not yet committed nor counts one twice.
CREATE FUNCTION statistics_lock_key(tenant uuid) RETURNS bigint LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
  AS $$ SELECT hashtextextended('tenantry statistics ' || tenant, 0) $$;

-- One function for each event, since each sees other transition tables; all else is the same. The locks are had by a
-- statement of their own: the time zone must be read by a snapshot taken after them. A tenant that is being deleted
-- with its rows is no longer there to join, and its totals go by their own foreign key.
DO $do$
DECLARE
  source record;
BEGIN
  FOR source IN
    SELECT * FROM (VALUES
      ('insert', 'SELECT *, 1 AS sign FROM new_rows', 'NEW TABLE AS new_rows'),
      ('delete', 'SELECT *, -1 AS sign FROM old_rows', 'OLD TABLE AS old_rows'),
      ('update', 'SELECT *, 1 AS sign FROM new_rows UNION ALL SELECT *, -1 AS sign FROM old_rows',
                 'NEW TABLE AS new_rows OLD TABLE AS old_rows')) AS source (event, changes, transition)
  LOOP
    EXECUTE format($function$
      CREATE FUNCTION transactions_keep_totals_%1$s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
      BEGIN
        PERFORM pg_advisory_xact_lock_shared(statistics_lock_key(writer.tenant_id))
           FROM (SELECT DISTINCT tenant_id FROM (%2$s) changes ORDER BY 1) writer;
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
        ON CONFLICT (tenant_id, day, currency, category, slot) DO UPDATE
          SET transaction_count = kept.transaction_count + excluded.transaction_count,
              inflow = kept.inflow + excluded.inflow, outflow = kept.outflow + excluded.outflow;
        RETURN NULL;
      END $body$;
      CREATE TRIGGER keep_totals_%1$s AFTER %1$s ON transactions REFERENCING %3$s
        FOR EACH STATEMENT EXECUTE FUNCTION transactions_keep_totals_%1$s();

      CREATE FUNCTION bank_accounts_keep_totals_%1$s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
      BEGIN
        PERFORM pg_advisory_xact_lock_shared(statistics_lock_key(writer.tenant_id))
           FROM (SELECT DISTINCT tenant_id FROM (%2$s) changes ORDER BY 1) writer;
        WITH changes AS (%2$s), writers AS MATERIALIZED (
          SELECT id, statistics_slot(id) AS slot FROM tenants WHERE id IN (SELECT tenant_id FROM changes)
        )
        INSERT INTO account_totals AS kept (tenant_id, account_type, status, bank_name, currency, slot, account_count, balance)
        SELECT tenant_id, account_type, status, bank_name, currency, slot, sum(sign), sum(sign * balance)
          FROM changes JOIN writers ON writers.id = changes.tenant_id
         GROUP BY 1, 2, 3, 4, 5, 6
        HAVING sum(sign) <> 0 OR sum(sign * balance) <> 0
        ON CONFLICT (tenant_id, account_type, status, bank_name, currency, slot) DO UPDATE
          SET account_count = kept.account_count + excluded.account_count, balance = kept.balance + excluded.balance;
        RETURN NULL;
      END $body$;
      CREATE TRIGGER keep_totals_%1$s AFTER %1$s ON bank_accounts REFERENCING %3$s
        FOR EACH STATEMENT EXECUTE FUNCTION bank_accounts_keep_totals_%1$s();
      $function$, source.event, source.changes, source.transition);
  END LOOP;
END $do$;

-- TRUNCATE shows no rows and empties every tenant. Where it came down from tenants by CASCADE, the totals are truncated by
-- the same command and may not be once more.
CREATE FUNCTION transactions_keep_totals_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  TRUNCATE daily_totals;
  RETURN NULL;
EXCEPTION
  WHEN object_in_use THEN RETURN NULL;
END $$;
CREATE TRIGGER keep_totals_truncate AFTER TRUNCATE ON transactions
  FOR EACH STATEMENT EXECUTE FUNCTION transactions_keep_totals_truncate();

CREATE FUNCTION bank_accounts_keep_totals_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  TRUNCATE account_totals;
  RETURN NULL;
EXCEPTION
  WHEN object_in_use THEN RETURN NULL;
END $$;
CREATE TRIGGER keep_totals_truncate AFTER TRUNCATE ON bank_accounts
  FOR EACH STATEMENT EXECUTE FUNCTION bank_accounts_keep_totals_truncate();

-- Recomputes a tenant's totals from its rows. Writers of the tenant wait while it runs; readers do not.
CREATE FUNCTION statistics_rebuild(tenant uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(statistics_lock_key(tenant));
  DELETE FROM daily_totals WHERE tenant_id = tenant;
  INSERT INTO daily_totals (tenant_id, day, currency, category, slot, transaction_count, inflow, outflow)
  SELECT r.tenant_id, (r.booked_at AT TIME ZONE t.time_zone)::date, r.currency, coalesce(r.category, ''), 0, count(*),
         coalesce(sum(r.amount) FILTER (WHERE r.direction = 'CREDIT'), 0),
         coalesce(sum(r.amount) FILTER (WHERE r.direction = 'DEBIT'), 0)
    FROM transactions r JOIN tenants t ON t.id = r.tenant_id
   WHERE r.tenant_id = tenant
   GROUP BY 1, 2, 3, 4;
  DELETE FROM account_totals WHERE tenant_id = tenant;
  INSERT INTO account_totals (tenant_id, account_type, status, bank_name, currency, slot, account_count, balance)
  SELECT tenant_id, account_type, status, bank_name, currency, 0, count(*), sum(balance)
    FROM bank_accounts WHERE tenant_id = tenant
   GROUP BY 1, 2, 3, 4, 5;
END $$;

-- Another time zone means other days.
CREATE FUNCTION tenants_rebuild_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM statistics_rebuild(NEW.id);
  RETURN NULL;
END $$;
CREATE TRIGGER rebuild_days AFTER UPDATE OF time_zone ON tenants
  FOR EACH ROW WHEN (OLD.time_zone IS DISTINCT FROM NEW.time_zone) EXECUTE FUNCTION tenants_rebuild_days();
