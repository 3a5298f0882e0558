-- Row-level security lets only operators that are marked leakproof search an index: others might show, by an error or
-- by their time, values of rows that the policy hides. PostgreSQL marks those of uuid, text, date and timestamptz, but
-- not those of enums and numeric, so that status, account_type and balance were filters over all accounts of a tenant
-- (the deepest page by balance read them all). Neither can show a value: enum_eq compares two object ids, and the
-- comparisons of numeric raise no error. Only a superuser may mark them; without one the answers are the same and
-- these filters slower, and "npm run indexes:analyze" says so. A restored dump loses the marks: "npm run indexes:create" sets them.
DO $$
DECLARE
  comparison text;
BEGIN
  FOREACH comparison IN ARRAY ARRAY['enum_eq(anyenum, anyenum)', 'numeric_lt(numeric, numeric)', 'numeric_le(numeric, numeric)',
                                    'numeric_gt(numeric, numeric)', 'numeric_ge(numeric, numeric)'] LOOP
    EXECUTE format('ALTER FUNCTION pg_catalog.%s LEAKPROOF', comparison);
  END LOOP;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'comparisons not marked leakproof: %', SQLERRM;
END $$;
