-- Whoever gets SQL as the service's login gets no more than the service has. Functions with their
-- owner's rights belong to a role that is no superuser and does not log in, find names by a path
-- that the caller's temporary objects come last in, and are called by nobody who was not granted
-- it. docs/data-model.md tells who owns what.

-- Brings the tables, functions and types of this schema to that state; nothing to be done, it does
-- nothing. A migration that makes such objects ends with `SELECT settle_ownership()`, and "npm run
-- db:grant" calls it. It has no rights of its own: where the caller's do not suffice, the objects
-- stay with their owner, and it returns what an administrator must run; else null.
DO $do$
BEGIN
  EXECUTE format($function$
CREATE FUNCTION settle_ownership() RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  here CONSTANT oid := %1$L::regnamespace;
  owner CONSTANT name := 'tenantry_owner';
  previous CONSTANT oid := (SELECT relowner FROM pg_class WHERE relnamespace = here AND relname = 'transactions');
  -- Objects of other roles and of extensions are not the service's.
  owners CONSTANT oid[] := ARRAY[previous, quote_ident(current_user)::regrole, to_regrole(owner)]::oid[];
  may_create boolean;
  object record;
BEGIN
  FOR object IN
    SELECT oid::regprocedure AS name, prosecdef AS is_definer, has_function_privilege('public', oid, 'EXECUTE') AS is_public,
           (SELECT substr(setting, 13) FROM unnest(proconfig) setting WHERE setting LIKE 'search_path=%%') AS path,
           -- Defaults and conditions of tables call it as whoever writes.
           NOT prosecdef AND prorettype <> 'trigger'::regtype AND EXISTS (
             SELECT FROM pg_depend WHERE refclassid = 'pg_proc'::regclass AND refobjid = p.oid AND deptype = 'n') AS is_part_of_table
      FROM pg_proc p
     WHERE pronamespace = here AND proowner = ANY (owners)
       AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
  LOOP
    IF object.is_definer AND object.path IS DISTINCT FROM 'pg_catalog, %1$s, pg_temp' THEN
      EXECUTE format('ALTER ROUTINE %%s SET search_path = pg_catalog, %1$s, pg_temp', object.name);
    ELSIF object.path NOT LIKE '%%pg_temp' THEN
      -- What the others call: a path that leaves pg_temp out has it first.
      EXECUTE format('ALTER ROUTINE %%s SET search_path = %%s, pg_temp', object.name, object.path);
    END IF;
    IF object.is_public AND NOT object.is_part_of_table THEN
      EXECUTE format('REVOKE EXECUTE ON ROUTINE %%s FROM PUBLIC', object.name);
    END IF;
  END LOOP;

  BEGIN
    IF to_regrole(owner) IS NULL THEN
      BEGIN
        EXECUTE format('CREATE ROLE %%I NOLOGIN', owner);
      EXCEPTION
        WHEN duplicate_object OR unique_violation THEN NULL; -- created by another migration at this moment
      END;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = owner AND (rolsuper OR rolcanlogin OR rolbypassrls)) THEN
      RAISE insufficient_privilege USING MESSAGE = format('role %%s may log in, is a superuser or has BYPASSRLS', owner);
    END IF;
    IF NOT pg_has_role(owner, 'USAGE') THEN
      EXECUTE format('GRANT %%I TO %%I', owner, current_user);
    END IF;
    IF NOT pg_has_role(owner, 'USAGE') THEN
      RAISE insufficient_privilege USING MESSAGE = format('role %%s does not inherit the rights of %%s', current_user, owner);
    END IF;
    IF NOT has_schema_privilege(owner, here, 'USAGE') THEN
      EXECUTE format('GRANT USAGE ON SCHEMA %1$s TO %%I', owner);
    END IF;
    may_create := has_schema_privilege(owner, here, 'CREATE');
    IF NOT may_create THEN
      EXECUTE format('GRANT CREATE ON SCHEMA %1$s TO %%I', owner);
    END IF;
    FOR object IN
      -- Sequences of a column go with their table. Prisma's list of migrations stays with whoever
      -- migrates.
      SELECT format('ALTER TABLE %%s OWNER TO %%I', c.oid::regclass, owner) AS change, 1 AS place, relname AS name
        FROM pg_class c
       WHERE relnamespace = here AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relname <> '_prisma_migrations'
         AND relowner = ANY (owners) AND relowner <> to_regrole(owner)
         AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype IN ('e', 'a', 'i')
                            AND (deptype = 'e' OR relkind = 'S'))
      UNION ALL
      SELECT format('ALTER ROUTINE %%s OWNER TO %%I', p.oid::regprocedure, owner), 2, proname
        FROM pg_proc p
       WHERE pronamespace = here AND proowner = ANY (owners) AND proowner <> to_regrole(owner)
         AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
      UNION ALL
      SELECT format('ALTER TYPE %%s OWNER TO %%I', t.oid::regtype, owner), 3, typname
        FROM pg_type t LEFT JOIN pg_class c ON c.oid = typrelid
       WHERE typnamespace = here AND typowner = ANY (owners) AND typowner <> to_regrole(owner)
         AND (typtype IN ('e', 'd', 'r') OR typtype = 'c' AND relkind = 'c')
         AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_type'::regclass AND objid = t.oid AND deptype = 'e')
      UNION ALL
      SELECT format('ALTER POLICY %%I ON %%s TO %%I', polname, polrelid::regclass, owner), 4, polname
        FROM pg_policy JOIN pg_class c ON c.oid = polrelid
       WHERE relnamespace = here AND polroles = ARRAY[previous] AND previous <> to_regrole(owner)
       ORDER BY place, name
    LOOP
      EXECUTE object.change;
    END LOOP;
    IF NOT may_create THEN
      EXECUTE format('REVOKE CREATE ON SCHEMA %1$s FROM %%I', owner);
    END IF;
  EXCEPTION
    WHEN insufficient_privilege THEN
      RETURN format('%%s. An administrator runs: %%sGRANT %%I TO %%I; GRANT USAGE, CREATE ON SCHEMA %1$s TO %%I; Then: npm run db:grant', SQLERRM,
        CASE WHEN to_regrole(owner) IS NULL THEN format('CREATE ROLE %%I NOLOGIN; ', owner) END, owner, current_user, owner);
  END;
  RETURN NULL;
END $body$
  $function$, quote_ident(current_schema()));
END $do$;

-- In the order in which writers come by them, so that none is met in a deadlock.
LOCK TABLE bank_accounts, idempotency_keys, transactions, tenants, daily_totals, account_totals IN ACCESS EXCLUSIVE MODE;

DO $$
DECLARE
  left_undone CONSTANT text := settle_ownership();
BEGIN
  IF left_undone IS NOT NULL THEN RAISE NOTICE '%', left_undone; END IF;
END $$;
