-- A tenant may say how many days its transactions are kept. Older ones are folded: their rows are
-- removed, and their sums stay in folded_totals. So a day's totals are those of its rows and of
-- folded_totals together, which triggers on both tables keep. docs/data-model.md tells how.

-- Writers that are under way ran the functions of before.
LOCK TABLE transactions, tenants, daily_totals IN SHARE ROW EXCLUSIVE MODE;

ALTER TABLE tenants
  ADD COLUMN keep_transactions_days integer,
  ADD COLUMN folded_until timestamptz(3),
  ADD CONSTRAINT tenants_keep_transactions_days_check CHECK (keep_transactions_days BETWEEN 31 AND 36500),
  ADD CONSTRAINT tenants_folded_until_check CHECK (folded_until >= '0001-01-02 00:00:00+00' AND folded_until < '9999-12-31 00:00:00+00');

CREATE TABLE folded_totals (
  tenant_id uuid NOT NULL,
  day date NOT NULL,
  currency text NOT NULL,
  category text NOT NULL,
  transaction_count bigint NOT NULL,
  inflow decimal(30,4) NOT NULL,
  outflow decimal(30,4) NOT NULL,
  CONSTRAINT folded_totals_pkey PRIMARY KEY (tenant_id, day, currency, category),
  CONSTRAINT folded_totals_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE,
  CONSTRAINT folded_totals_inflow_check CHECK (inflow <> 'NaN'),
  CONSTRAINT folded_totals_outflow_check CHECK (outflow <> 'NaN')
);
ALTER TABLE folded_totals ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON folded_totals USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
DO $$
DECLARE
  owner name := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'transactions'::regclass);
BEGIN
  EXECUTE format('CREATE POLICY keeps_totals ON folded_totals TO %I USING (current_setting(''app.keep_totals'', true) = ''on'')', owner);
  IF to_regrole('tenantry_app') IS NOT NULL THEN GRANT SELECT ON folded_totals TO tenantry_app; END IF;
END $$;

DO $do$
DECLARE
  source record;
  settings CONSTANT text := format('SET search_path = pg_catalog, %I, pg_temp', current_schema());
BEGIN
  -- As transactions_keep_totals_…: one function for each event, since each sees other rows. The
  -- locks are had by a statement of their own.
  FOR source IN
    SELECT * FROM (VALUES
      ('insert', 'SELECT *, 1 AS sign FROM new_rows'),
      ('delete', 'SELECT *, -1 AS sign FROM old_rows'),
      ('update', 'SELECT *, 1 AS sign FROM new_rows UNION ALL SELECT *, -1 AS sign FROM old_rows'),
      ('applied', $$SELECT NEW.*, 1 AS sign WHERE TG_OP <> 'DELETE' UNION ALL SELECT OLD.*, -1 AS sign WHERE TG_OP <> 'INSERT'$$)
    ) AS source (event, changes)
  LOOP
    EXECUTE format($function$
      CREATE FUNCTION folded_totals_keep_totals_%1$s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER %3$s AS $body$
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
        INSERT INTO daily_totals AS kept (tenant_id, day, currency, category, slot, transaction_count, inflow, outflow)
        SELECT tenant_id, day, currency, category, slot,
               sum(sign * transaction_count), sum(sign * inflow), sum(sign * outflow)
          FROM changes JOIN writers ON writers.id = changes.tenant_id
         GROUP BY 1, 2, 3, 4, 5
        HAVING sum(sign * transaction_count) <> 0 OR sum(sign * inflow) <> 0 OR sum(sign * outflow) <> 0
         ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (tenant_id, day, currency, category, slot) DO UPDATE
          SET transaction_count = kept.transaction_count + excluded.transaction_count,
              inflow = kept.inflow + excluded.inflow, outflow = kept.outflow + excluded.outflow;
        keeping := set_config('app.keep_totals', '', true);
        RETURN NULL;
      END $body$;
      $function$, source.event, source.changes, settings);
  END LOOP;

  EXECUTE format($function$
    -- TRUNCATE shows no rows and empties every tenant: what the other table says is left. Where it
    -- came down from tenants by CASCADE, the totals are truncated by the same command.
    CREATE OR REPLACE FUNCTION transactions_keep_totals_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER %1$s AS $body$
    BEGIN
      TRUNCATE daily_totals;
      PERFORM set_config('app.keep_totals', 'on', true);
      INSERT INTO daily_totals (tenant_id, day, currency, category, slot, transaction_count, inflow, outflow)
      SELECT tenant_id, day, currency, category, 0, transaction_count, inflow, outflow FROM folded_totals ORDER BY 1, 2, 3, 4;
      PERFORM set_config('app.keep_totals', '', true);
      RETURN NULL;
    EXCEPTION
      WHEN object_in_use THEN RETURN NULL;
    END $body$;

    CREATE FUNCTION folded_totals_keep_totals_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER %1$s AS $body$
    BEGIN
      PERFORM set_config('app.keep_totals', 'on', true);
      PERFORM statistics_recompute(id) FROM (SELECT id FROM tenants WHERE folded_until IS NOT NULL ORDER BY id) folded;
      PERFORM set_config('app.keep_totals', '', true);
      RETURN NULL;
    END $body$;

    -- A tenant's folded days cannot be cut anew.
    CREATE OR REPLACE FUNCTION tenants_rebuild_days() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER %1$s AS $body$
    BEGIN
      PERFORM set_config('app.keep_totals', 'on', true);
      IF EXISTS (SELECT FROM folded_totals WHERE tenant_id = NEW.id) THEN
        RAISE object_not_in_prerequisite_state USING
          MESSAGE = format('the time zone of tenant %%s cannot be changed: it has folded transactions, whose days are of %%s', NEW.slug, OLD.time_zone),
          HINT = 'Keep the time zone.';
      END IF;
      PERFORM set_config('app.keep_totals', '', true);
      PERFORM statistics_recompute(NEW.id);
      RETURN NULL;
    END $body$;

    CREATE OR REPLACE FUNCTION statistics_recompute(tenant uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER %1$s AS $body$
    BEGIN
      PERFORM pg_advisory_xact_lock(statistics_lock_key(tenant));
      PERFORM statistics_refuse_old_snapshot();
      PERFORM set_config('app.keep_totals', 'on', true);
      WITH counted AS (
        SELECT (r.booked_at AT TIME ZONE t.time_zone)::date AS day, r.currency, coalesce(r.category, '') AS category,
               1 AS transaction_count,
               CASE r.direction WHEN 'CREDIT' THEN r.amount ELSE 0 END AS inflow,
               CASE r.direction WHEN 'DEBIT' THEN r.amount ELSE 0 END AS outflow
          FROM transactions r JOIN tenants t ON t.id = r.tenant_id
         WHERE r.tenant_id = tenant
         UNION ALL
        SELECT f.day, f.currency, f.category, f.transaction_count, f.inflow, f.outflow
          FROM folded_totals f WHERE f.tenant_id = tenant
      ), sums AS MATERIALIZED (
        SELECT day, currency, category, sum(transaction_count) AS transaction_count, sum(inflow) AS inflow, sum(outflow) AS outflow
          FROM counted GROUP BY 1, 2, 3
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

    -- What is folded is counted already: a transaction of that time would be counted twice, as when
    -- the same file is imported again. A session that replays has what its source had.
    CREATE FUNCTION transactions_refuse_folded() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER %1$s AS $body$
    DECLARE
      refused record;
    BEGIN
      PERFORM set_config('app.keep_totals', 'on', true);
      SELECT tenants.slug, tenants.folded_until, oldest.booked_at INTO refused
        FROM (SELECT tenant_id, min(booked_at) AS booked_at FROM new_rows GROUP BY 1) oldest
        JOIN tenants ON tenants.id = oldest.tenant_id AND oldest.booked_at < tenants.folded_until
       ORDER BY 1 LIMIT 1;
      PERFORM set_config('app.keep_totals', '', true);
      IF refused.slug IS NOT NULL AND current_setting('session_replication_role') <> 'replica' THEN
        RAISE check_violation USING
          CONSTRAINT = 'transactions_folded_until',
          TABLE = 'transactions',
          MESSAGE = format('transactions of tenant %%s from before %%s are folded, but got one of %%s',
                           refused.slug, refused.folded_until, refused.booked_at),
          DETAIL = to_char(refused.folded_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          HINT = 'Leave out older transactions: the totals have them already.';
      END IF;
      RETURN NULL;
    END $body$;

    -- Folds a piece of the transactions that are older than their tenant keeps them: one tenant of
    -- those that have some, or the given one. Nothing to fold, or another session folds: no row.
    CREATE FUNCTION transactions_fold(only_tenant uuid, max_rows integer) RETURNS TABLE (tenant_id uuid, folded bigint)
      LANGUAGE plpgsql SECURITY DEFINER %1$s AS $body$
    #variable_conflict use_column
    DECLARE
      keeping CONSTANT text := current_setting('app.keep_totals', true);
      due record;
      piece_rows bigint;
    BEGIN
      IF NOT pg_try_advisory_xact_lock(hashtextextended('tenantry transactions_fold', 0)) THEN RETURN; END IF;
      PERFORM set_config('app.keep_totals', 'on', true);
      -- One after another in any order, until one has some: OFFSET 0 keeps the look at its rows behind the order.
      SELECT t.* INTO due
        FROM (
          SELECT id, time_zone, folded_until,
                 ((clock_timestamp() AT TIME ZONE time_zone)::date - keep_transactions_days)::timestamp AT TIME ZONE time_zone AS since
            FROM tenants
           WHERE keep_transactions_days IS NOT NULL AND (only_tenant IS NULL OR id = only_tenant)
           ORDER BY random() OFFSET 0
        ) t
       WHERE EXISTS (SELECT FROM transactions r WHERE r.tenant_id = t.id AND r.booked_at < t.since) LIMIT 1;
      IF FOUND THEN
        IF due.folded_until IS NULL OR due.folded_until < due.since THEN
          UPDATE tenants SET folded_until = due.since WHERE id = due.id;
        END IF;
        WITH piece AS (
          SELECT id FROM transactions WHERE tenant_id = due.id AND booked_at < due.since ORDER BY booked_at, id LIMIT least(max_rows, 10000)
        ), gone AS (
          DELETE FROM transactions r USING piece WHERE r.tenant_id = due.id AND r.id = piece.id
          RETURNING r.booked_at, r.currency, r.category, r.direction, r.amount
        ), kept AS (
          INSERT INTO folded_totals AS sums (tenant_id, day, currency, category, transaction_count, inflow, outflow)
          SELECT due.id, (booked_at AT TIME ZONE due.time_zone)::date, currency, coalesce(category, ''), count(*),
                 coalesce(sum(amount) FILTER (WHERE direction = 'CREDIT'), 0), coalesce(sum(amount) FILTER (WHERE direction = 'DEBIT'), 0)
            FROM gone GROUP BY 2, 3, 4 ORDER BY 2, 3, 4
          ON CONFLICT (tenant_id, day, currency, category) DO UPDATE
            SET transaction_count = sums.transaction_count + excluded.transaction_count,
                inflow = sums.inflow + excluded.inflow, outflow = sums.outflow + excluded.outflow
        )
        SELECT count(*) INTO piece_rows FROM gone;
        RETURN QUERY SELECT due.id, piece_rows;
      END IF;
      PERFORM set_config('app.keep_totals', coalesce(keeping, ''), true);
    END $body$;
  $function$, settings);
END $do$;

DO $$
DECLARE
  event text;
BEGIN
  FOREACH event IN ARRAY ARRAY['insert', 'update', 'delete'] LOOP
    EXECUTE format('CREATE TRIGGER keep_totals_%1$s AFTER %1$s ON folded_totals REFERENCING %2$s
                      FOR EACH STATEMENT EXECUTE FUNCTION folded_totals_keep_totals_%1$s()', event,
      CASE event WHEN 'insert' THEN 'NEW TABLE AS new_rows' WHEN 'delete' THEN 'OLD TABLE AS old_rows'
                 ELSE 'NEW TABLE AS new_rows OLD TABLE AS old_rows' END);
  END LOOP;
END $$;
CREATE TRIGGER keep_totals_truncate AFTER TRUNCATE ON folded_totals
  FOR EACH STATEMENT EXECUTE FUNCTION folded_totals_keep_totals_truncate();
CREATE TRIGGER keep_totals_applied AFTER INSERT OR UPDATE OR DELETE ON folded_totals
  FOR EACH ROW WHEN (is_applied_row()) EXECUTE FUNCTION folded_totals_keep_totals_applied();
CREATE TRIGGER replayed_statement_begins BEFORE INSERT OR UPDATE OR DELETE ON folded_totals
  FOR EACH STATEMENT EXECUTE FUNCTION count_replayed_statement();
CREATE TRIGGER replayed_statement_ends AFTER INSERT OR UPDATE OR DELETE ON folded_totals
  FOR EACH STATEMENT EXECUTE FUNCTION count_replayed_statement();
ALTER TABLE folded_totals
  ENABLE ALWAYS TRIGGER keep_totals_insert, ENABLE ALWAYS TRIGGER keep_totals_update,
  ENABLE ALWAYS TRIGGER keep_totals_delete, ENABLE ALWAYS TRIGGER keep_totals_truncate,
  ENABLE REPLICA TRIGGER keep_totals_applied,
  ENABLE REPLICA TRIGGER replayed_statement_begins, ENABLE REPLICA TRIGGER replayed_statement_ends;
CREATE TRIGGER refuse_folded AFTER INSERT ON transactions REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION transactions_refuse_folded();
ALTER TABLE transactions ENABLE ALWAYS TRIGGER refuse_folded;

-- transactions, dashboard and statistics: src/cache/dependencies/dependencies.ts
SELECT follow_table('folded_totals', 2 + 4 + 8);

REVOKE EXECUTE ON FUNCTION transactions_fold(uuid, integer) FROM PUBLIC;
DO $$
BEGIN
  IF to_regrole('tenantry_app') IS NOT NULL THEN
    GRANT EXECUTE ON FUNCTION transactions_fold(uuid, integer) TO tenantry_app;
  END IF;
END $$;

SELECT settle_ownership();
