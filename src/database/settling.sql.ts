/** Owns the tables, functions and types once they are settled. */
const OWNER = `'tenantry_owner'`;

/**
 * What an administrator must run before `settle_ownership()` can succeed: NULL when the caller may
 * settle it, or else the present owner of the tables, whose members db:migrate and db:grant log in
 * as. Reads the catalogues alone.
 */
export const administratorsStatements = `(
  SELECT CASE WHEN is_fit AND may_become AND may_put THEN NULL ELSE
           concat(CASE WHEN target IS NULL THEN format('CREATE ROLE %I NOLOGIN; ', ${OWNER}) END,
                  CASE WHEN NOT is_fit THEN format('ALTER ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS; ', ${OWNER}) END,
                  CASE WHEN NOT is_member THEN format('GRANT %I TO %I; ', ${OWNER}, login)
                       WHEN is_heir THEN NULL
                       WHEN is_16 THEN format('GRANT %I TO %I WITH INHERIT TRUE; ', ${OWNER}, login)
                       ELSE format('ALTER ROLE %I INHERIT; ', login) END,
                  format('GRANT USAGE, CREATE ON SCHEMA %I TO %I;', current_schema(), ${OWNER})) END
    FROM (
      SELECT target, login, is_16, is_member, is_heir, is_fit,
             is_heir OR rolsuper OR NOT is_member AND (
               CASE WHEN target IS NOT NULL AND pg_has_role(login, target, 'MEMBER WITH ADMIN OPTION') THEN true
                    ELSE rolcreaterole AND (target IS NULL OR NOT is_16) END) AS may_become,
             rolsuper OR has_schema_privilege(login, here.schema, 'CREATE WITH GRANT OPTION')
               OR coalesce(has_schema_privilege(target, here.schema, 'CREATE'), false) AS may_put
        FROM (SELECT r.rolname AS login, r.rolsuper, r.rolcreaterole, target.oid AS target,
                     current_setting('server_version_num')::int >= 160000 AS is_16,
                     coalesce(pg_has_role(r.oid, target.oid, 'MEMBER'), false) AS is_member,
                     coalesce(pg_has_role(r.oid, target.oid, 'USAGE'), false) AS is_heir,
                     NOT coalesce(target.rolsuper OR target.rolcanlogin OR target.rolbypassrls, false) AS is_fit
                FROM pg_roles r LEFT JOIN pg_roles target ON target.rolname = ${OWNER}
               WHERE r.oid = CASE WHEN pg_has_role(here.owner, 'MEMBER') THEN quote_ident(current_user)::regrole::oid
                                  ELSE here.owner END) AS known) AS settling)`;
