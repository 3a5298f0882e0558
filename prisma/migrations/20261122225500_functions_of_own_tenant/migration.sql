-- Functions that run with their owner's rights see every tenant. Until here anybody could call them for any tenant:
-- rebuild another's totals, which locks its writers out for as long, or make its kept answers old. From here on nobody
-- may who has no rights to the tables, and those may for the tenant whose rows they see.

-- The session's tenant, or a caller whom row-level security does not hold. Within a SECURITY DEFINER function
-- current_user is its owner; whoever called it is the role that was set, else the login.
CREATE FUNCTION may_act_for(tenant uuid) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT tenant IS NOT DISTINCT FROM nullif(current_setting('app.tenant_id', true), '')::uuid
      OR EXISTS (SELECT FROM pg_roles WHERE (rolsuper OR rolbypassrls)
                  AND rolname = coalesce(nullif(current_setting('role'), 'none'), session_user))
$$;

-- Also for whoever declares, as for reading the outbox, that it works on the directory of tenants.
CREATE OR REPLACE FUNCTION cache_outbox_add(tenant uuid, dependencies integer) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF NOT may_act_for(tenant) AND current_setting('app.directory', true) IS DISTINCT FROM 'on' THEN
    RAISE insufficient_privilege USING MESSAGE = format('permission denied for tenant %s', tenant),
      HINT = 'Set app.tenant_id to it, as for reading its rows.';
  END IF;
  INSERT INTO cache_outbox (xid, tenant_id, dependencies)
  VALUES (pg_current_xact_id()::text::bigint, $1, $2::smallint)
  ON CONFLICT DO NOTHING;
END $$;

CREATE OR REPLACE FUNCTION statistics_rebuild(tenant uuid) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF NOT may_act_for(tenant) THEN
    RAISE insufficient_privilege USING MESSAGE = format('permission denied for tenant %s', tenant),
      HINT = 'Set app.tenant_id to it, as for reading its rows.';
  END IF;
  PERFORM statistics_recompute(tenant);
  PERFORM cache_outbox_add(tenant, 4 + 8);
END $$;

-- Whoever may change the tenant's time zone may have its days made anew; the change writes its own row into the outbox.
CREATE OR REPLACE FUNCTION tenants_rebuild_days() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM statistics_recompute(NEW.id);
  RETURN NULL;
END $$;

REVOKE EXECUTE ON FUNCTION statistics_recompute(uuid), statistics_rebuild(uuid), cache_outbox_add(uuid, integer),
  cache_outbox_clean(interval) FROM PUBLIC;

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_app') THEN
    GRANT EXECUTE ON FUNCTION statistics_rebuild(uuid), cache_outbox_add(uuid, integer), cache_outbox_clean(interval) TO tenantry_app;
  END IF;
END $$;
