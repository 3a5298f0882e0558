-- What every table of the tenants' has besides its columns, by one call each in the migration that makes it:
--   SELECT tenant_table('cards');
--   SELECT follow_table('cards', 1);
--   SELECT settle_ownership();
-- For whoever migrates: the service may call neither. docs/add-a-model.md tells how a model is added.

-- The tables whose changes the outbox tells of: follow_table adds to them.
DO $do$
BEGIN
  EXECUTE format($function$
    CREATE FUNCTION cache_outbox_tables() RETURNS text[] LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
      AS $body$ SELECT ARRAY['tenants', 'bank_accounts', 'transactions'] $body$;

    CREATE OR REPLACE FUNCTION cache_outbox_is_complete() RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, %1$I, pg_temp AS $body$
      WITH followed AS MATERIALIZED (SELECT cache_outbox_tables() AS tables)
      SELECT count(*) = 5 * (SELECT cardinality(tables) FROM followed) FROM pg_trigger
       WHERE tgrelid = ANY (ARRAY(SELECT to_regclass(quote_ident(name))::oid FROM followed, unnest(tables) name))
         AND (tgname IN ('cache_outbox_insert', 'cache_outbox_update', 'cache_outbox_delete', 'cache_outbox_truncate') AND tgenabled = 'A'
           OR tgname = 'cache_outbox_applied' AND tgenabled IN ('R', 'A'))
    $body$;

    CREATE OR REPLACE FUNCTION cache_outbox_poll(from_xid bigint, open_xids bigint[])
      RETURNS TABLE (snapshot text, triggers text, removed text, is_complete boolean, is_visible boolean, session integer, changes json)
      LANGUAGE plpgsql STABLE SET search_path = pg_catalog, %1$I, pg_temp AS $body$
    #variable_conflict use_column
    DECLARE
      directory text := current_setting('app.directory', true);
      followed oid[] := ARRAY(SELECT to_regclass(quote_ident(name))::oid FROM unnest(cache_outbox_tables()) name);
    BEGIN
      PERFORM set_config('app.directory', 'on', true);
      RETURN QUERY
      SELECT pg_current_snapshot()::text,
        (SELECT md5(string_agg(concat_ws(' ', trigger.oid, trigger.xmin), ',' ORDER BY trigger.oid)) FROM pg_trigger trigger
          WHERE tgrelid = ANY (followed) AND tgname LIKE 'cache\_outbox\_%%'),
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

-- Whoever reads the outbox so far goes on.
REVOKE EXECUTE ON FUNCTION cache_outbox_tables() FROM PUBLIC;
DO $$
DECLARE
  reader oid;
BEGIN
  FOR reader IN
    SELECT DISTINCT grantee FROM pg_proc, aclexplode(proacl)
     WHERE oid = 'cache_outbox_is_complete()'::regprocedure AND grantee <> 0 AND grantee <> proowner
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION cache_outbox_tables() TO %s', reader::regrole);
  END LOOP;
END $$;

-- Checks the keys of a new table, and gives it what it needs: row-level security with the tenants' policy, limits of the values of its
-- columns (src/limits.ts says the same of the other tables), and the service's right to read it.
DO $do$
BEGIN
  EXECUTE format($function$
    CREATE FUNCTION tenant_table(owned regclass) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, %1$I, pg_temp AS $body$
    DECLARE
      bare CONSTANT text := (SELECT relname FROM pg_class WHERE oid = owned);
      found record;
      condition text;
    BEGIN
      FOR found IN
        SELECT 'the primary key' AS what, '(tenant_id, id)' AS expected, coalesce(max(keys.columns), 'none') AS got
          FROM (SELECT format('(%%s)', string_agg(attname, ', ' ORDER BY place)) AS columns
                  FROM pg_constraint, unnest(conkey) WITH ORDINALITY key (number, place), pg_attribute
                 WHERE conrelid = owned AND contype = 'p' AND attrelid = owned AND attnum = number) keys
        HAVING max(keys.columns) IS DISTINCT FROM '(tenant_id, id)'
        UNION ALL
        SELECT 'the relations', 'a foreign key that begins with tenant_id, to tenants or to a table of theirs', 'none'
         WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = owned AND contype = 'f')
        UNION ALL
        SELECT format('the foreign key %%s', conname), 'FOREIGN KEY (tenant_id, …) REFERENCES …(tenant_id, …) ON DELETE CASCADE, without ON UPDATE',
               pg_get_constraintdef(k.oid)
          FROM pg_constraint k
          JOIN pg_attribute own ON own.attrelid = conrelid AND own.attnum = conkey[1]
          JOIN pg_attribute theirs ON theirs.attrelid = confrelid AND theirs.attnum = confkey[1]
         WHERE conrelid = owned AND contype = 'f'
           AND (own.attname <> 'tenant_id' OR theirs.attname <> CASE WHEN confrelid = 'tenants'::regclass THEN 'id' ELSE 'tenant_id' END
             OR confdeltype <> 'c' OR confupdtype <> 'a')
        UNION ALL
        SELECT format('the index %%s', indexrelid::regclass), 'tenant_id as its first column', pg_get_indexdef(indexrelid)
          FROM pg_index WHERE indrelid = owned
           AND indkey[0] IS DISTINCT FROM (SELECT attnum FROM pg_attribute WHERE attrelid = owned AND attname = 'tenant_id')
      LOOP
        RAISE invalid_table_definition USING
          MESSAGE = format('table %%s: expected %%s to be %%s, but got: %%s', bare, found.what, found.expected, found.got),
          HINT = 'Write it as docs/add-a-model.md shows.';
      END LOOP;

      EXECUTE format('ALTER TABLE %%s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', owned);
      EXECUTE format('CREATE POLICY tenant_isolation ON %%s USING (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)', owned);
      FOR found IN
        SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
         WHERE attrelid = owned AND attnum > 0 AND NOT attisdropped
      LOOP
        condition := CASE
          WHEN found.type = 'text' THEN 'char_length(%%1$I) BETWEEN 1 AND 200'
          WHEN found.type = 'numeric(19,4)' THEN '%%1$I BETWEEN -999999999999999.9999 AND 999999999999999.9999'
          WHEN found.type = 'date' THEN '%%1$I BETWEEN ''0001-01-01'' AND ''9999-12-31'''
          WHEN found.type LIKE 'timestamp%%' THEN '%%1$I >= ''0001-01-02 00:00:00+00'' AND %%1$I < ''9999-12-31 00:00:00+00'''
        END;
        IF condition IS NOT NULL THEN
          EXECUTE format('ALTER TABLE %%s ADD CONSTRAINT %%I CHECK (%%s)', owned, concat_ws('_', bare, found.name, 'check'),
                         format(condition, found.name));
        END IF;
      END LOOP;
      IF to_regrole('tenantry_app') IS NOT NULL THEN
        EXECUTE format('GRANT SELECT ON %%s TO tenantry_app', owned);
      END IF;
    END $body$;

    -- Has the outbox told of every change of the table. `changes` are the bits of what each invalidates:
    -- src/cache/dependencies/dependencies.ts.
    CREATE FUNCTION follow_table(followed regclass, changes integer) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, %1$I, pg_temp AS $body$
    DECLARE
      bare CONSTANT text := (SELECT relname FROM pg_class WHERE oid = followed);
      event text;
    BEGIN
      IF changes IS NULL OR changes NOT BETWEEN 1 AND 32767 THEN
        RAISE invalid_parameter_value USING MESSAGE = format('changes of %%s must be bits between 1 and 32767, but got: %%s', bare, changes);
      END IF;
      FOREACH event IN ARRAY ARRAY['insert', 'update', 'delete'] LOOP
        EXECUTE format('CREATE TRIGGER cache_outbox_%%1$s AFTER %%1$s ON %%2$s REFERENCING %%3$s
                          FOR EACH STATEMENT EXECUTE FUNCTION cache_outbox_rows_%%1$s(%%4$s)', event, followed,
          CASE event WHEN 'insert' THEN 'NEW TABLE AS new_rows' WHEN 'delete' THEN 'OLD TABLE AS old_rows'
                     ELSE 'NEW TABLE AS new_rows OLD TABLE AS old_rows' END, changes);
      END LOOP;
      EXECUTE format('CREATE TRIGGER cache_outbox_truncate BEFORE TRUNCATE ON %%s
                        FOR EACH STATEMENT EXECUTE FUNCTION cache_outbox_truncate(%%s)', followed, changes);
      -- With their schema: the path begins with PostgreSQL's own.
      EXECUTE format($applied$
        CREATE FUNCTION %1$I.%%1$I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, %1$I, pg_temp AS $row$
        BEGIN
          INSERT INTO cache_outbox (xid, tenant_id, dependencies)
          SELECT pg_current_xact_id()::text::bigint, tenant, %%2$s FROM (VALUES (OLD.tenant_id), (NEW.tenant_id)) changed (tenant)
           WHERE tenant IS NOT NULL
          ON CONFLICT DO NOTHING;
          RETURN NULL;
        END $row$;
        REVOKE EXECUTE ON FUNCTION %1$I.%%1$I() FROM PUBLIC;
        CREATE TRIGGER cache_outbox_applied AFTER INSERT OR UPDATE OR DELETE ON %%3$s
          FOR EACH ROW WHEN (is_applied_row()) EXECUTE FUNCTION %1$I.%%1$I();
        ALTER TABLE %%3$s ENABLE ALWAYS TRIGGER cache_outbox_insert, ENABLE ALWAYS TRIGGER cache_outbox_update,
          ENABLE ALWAYS TRIGGER cache_outbox_delete, ENABLE ALWAYS TRIGGER cache_outbox_truncate, ENABLE REPLICA TRIGGER cache_outbox_applied;
        CREATE OR REPLACE FUNCTION %1$I.cache_outbox_tables() RETURNS text[] LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
          AS $list$ SELECT %%4$L::text[] $list$;
        $applied$, format('cache_outbox_%%s_applied', bare), changes, followed, array_append(cache_outbox_tables(), bare));
    END $body$;
  $function$, current_schema());
END $do$;

REVOKE EXECUTE ON FUNCTION tenant_table(regclass), follow_table(regclass, integer) FROM PUBLIC;
SELECT settle_ownership();
