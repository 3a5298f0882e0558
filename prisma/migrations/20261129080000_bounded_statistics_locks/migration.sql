-- The locks of the statistics were two for each tenant that a transaction writes to, so that one statement over some three
-- thousand tenants ended with "out of shared memory" (64 locks for each of 100 connections, by PostgreSQL's defaults). From here on
-- tenants share 512 locks of each kind, by a hash of their ids: a transaction takes 1,024 at most. What it costs: a rebuild also
-- holds up the writers of one tenant in 512, and a writer may take the second slot though nobody writes for its own tenant.

-- Writers that are under way hold locks of the old names, which those of the new would not see.
LOCK TABLE transactions, bank_accounts IN SHARE ROW EXCLUSIVE MODE;

CREATE OR REPLACE FUNCTION statistics_lock_key(tenant uuid) RETURNS bigint LANGUAGE sql IMMUTABLE
  AS $$ SELECT pg_catalog.hashtextextended('tenantry statistics', pg_catalog.uuid_hash_extended(tenant, 0) OPERATOR(pg_catalog.&) 511) $$;

CREATE OR REPLACE FUNCTION statistics_slot(tenant uuid) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  lock_group CONSTANT bigint := pg_catalog.uuid_hash_extended(tenant, 0) OPERATOR(pg_catalog.&) 511;
BEGIN
  FOR slot IN 0..15 LOOP
    IF pg_catalog.pg_try_advisory_xact_lock(
         pg_catalog.hashtextextended(pg_catalog.concat('tenantry statistics slot ', slot), lock_group)) THEN
      RETURN slot;
    END IF;
  END LOOP;
  RETURN 16 OPERATOR(pg_catalog.+) pg_catalog.pg_backend_pid();
END $$;
