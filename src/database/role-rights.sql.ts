import { otherRights } from './other-rights.sql.ts';
import { SERVICE_ROLE } from './service-rights.ts';
import { administratorsStatements } from './settling.sql.ts';

const LIST = (columns: string, from: string) =>
  `(SELECT coalesce(json_agg(json_build_object(${columns})), '[]') FROM ${from})`;
const NAMES = (name: string, from: string) => `(SELECT coalesce(json_agg(${name}), '[]') FROM ${from})`;

/**
 * The rights that the role has, whatever PostgreSQL calls them: by its own name, by that of
 * everybody, or by a role that it is a member of. `via` tells whom to revoke each from.
 * @param items rows of `aclexplode`
 * @param by USAGE leaves out the roles whose rights it has only after `SET ROLE`
 */
const RIGHTS = (items: string, more = '', by: 'MEMBER' | 'USAGE' = 'MEMBER') => `(
  SELECT privilege_type AS name, ${more}
         string_agg(DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END, ', ') AS via
    FROM ${items} WHERE grantee = 0 OR pg_has_role(asked.oid, grantee, '${by}') GROUP BY privilege_type)`;
const RIGHTS_ON_TABLE = (by: 'MEMBER' | 'USAGE') =>
  LIST(
    `'right', name, 'columns', columns, 'via', via`,
    `${RIGHTS(
      `(SELECT NULL::name AS attname, whole.* FROM aclexplode(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, relowner))) whole
          UNION ALL
          SELECT attname, part.* FROM pg_attribute, aclexplode(attacl) part WHERE attrelid = tables.oid AND NOT attisdropped) AS granted`,
      `CASE WHEN bool_and(attname IS NOT NULL)
            THEN jsonb_agg(DISTINCT jsonb_build_object('raw', attname, 'name', quote_ident(attname))) END AS columns,`,
      by,
    )} AS has`,
  );
const NOT_OF_EXTENSION = (catalogue: string, object: string) =>
  `NOT EXISTS (SELECT FROM pg_depend WHERE classid = '${catalogue}'::regclass AND objid = ${object} AND deptype = 'e')`;
/**
 * What ends the role's membership in others: of those that it was granted itself, the ones that
 * lead to the other. Since PostgreSQL 16 each grantor's grant is one of its own.
 */
const ENDS_MEMBERSHIP = (other: string) => `(
  SELECT string_agg(format('REVOKE %I FROM %I%s;', pg_get_userbyid(roleid), asked.rolname,
                           CASE WHEN current_setting('server_version_num')::int >= 160000 AND grantor <> 10
                                THEN format(' GRANTED BY %I', pg_get_userbyid(grantor)) END), ' ')
    FROM pg_auth_members WHERE member = asked.oid AND pg_has_role(roleid, ${other}, 'MEMBER'))`;
/** Not one that PostgreSQL makes for a session or for itself. */
const ORDINARY_SCHEMA = `nspname !~ '^pg_(toast|temp)'`;

/**
 * Names are quoted, as SQL takes them; a `raw` one is for comparing alone: whoever may make tables
 * chooses their names.
 * @param hasParameterRights whether there are rights to set parameters: since PostgreSQL 15
 */
export const foundSql = (hasParameterRights: boolean) => `
WITH asked AS MATERIALIZED (
  SELECT * FROM pg_roles WHERE rolname = $1
), here AS MATERIALIZED (
  SELECT current_schema()::regnamespace::oid AS schema, relowner AS owner
    FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = 'transactions'
), tables AS MATERIALIZED (
  SELECT c.* FROM pg_class c JOIN here ON relnamespace = schema
   WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND ${NOT_OF_EXTENSION('pg_class', 'c.oid')}
), functions AS MATERIALIZED (
  SELECT p.* FROM pg_proc p JOIN here ON pronamespace = schema WHERE ${NOT_OF_EXTENSION('pg_proc', 'p.oid')}
), callable AS MATERIALIZED (
  SELECT * FROM functions
  UNION ALL
  SELECT p.* FROM here, asked, pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
   WHERE prosecdef AND pronamespace <> schema AND nspname NOT IN ('pg_catalog', 'information_schema')
     AND EXISTS (SELECT FROM ${RIGHTS("aclexplode(coalesce(nspacl, acldefault('n', nspowner)))")} AS has WHERE name = 'USAGE')
     AND ${NOT_OF_EXTENSION('pg_proc', 'p.oid')}
), others AS MATERIALIZED (${otherRights(hasParameterRights)}
)
SELECT json_build_object(
  'role', quote_ident(asked.rolname), 'schema', quote_ident(current_schema()), 'owner', quote_ident(pg_get_userbyid(here.owner)), 'database', quote_ident(current_database()), 'login', quote_ident(current_user),
  'usesSchema', has_schema_privilege(asked.oid, here.schema, 'USAGE'),
  'attributes', ${NAMES(
    'name',
    `(VALUES ('SUPERUSER', rolsuper), ('BYPASSRLS', rolbypassrls), ('CREATEROLE', rolcreaterole), ('CREATEDB', rolcreatedb),
             ('REPLICATION', rolreplication)) AS has (name, it) WHERE it`,
  )},
  'actsAs', CASE WHEN pg_has_role(asked.oid, here.owner, 'MEMBER') THEN quote_ident(pg_get_userbyid(here.owner)) END,
  'isOwner', asked.oid = here.owner, 'endsActing', ${ENDS_MEMBERSHIP('here.owner')},
  'ownLogin', (SELECT json_build_object('name', login, 'logsIn', rolcanlogin) FROM (
      SELECT CASE WHEN asked.rolname = '${SERVICE_ROLE}' THEN 'tenantry_service' ELSE '${SERVICE_ROLE}' END) AS other (login)
      LEFT JOIN pg_roles r ON r.rolname = login),
  'memberships', ${LIST(
    `'name', quote_ident(other.rolname), 'ends', ${ENDS_MEMBERSHIP('other.oid')}`,
    `pg_roles other WHERE other.oid <> asked.oid AND pg_has_role(asked.oid, other.oid, 'MEMBER')
        AND (other.rolsuper OR other.rolbypassrls OR other.rolcreaterole
          OR (other.rolname ~ '^pg_' AND other.rolname <> 'pg_database_owner'))`,
  )},
  'database_rights', ${LIST(
    `'right', name, 'via', via, 'isPublic', "isPublic"`,
    `pg_database, LATERAL ${RIGHTS("aclexplode(coalesce(datacl, acldefault('d', datdba)))", 'bool_or(grantee = 0) AS "isPublic",')} AS has
      WHERE datname = current_database() AND name <> 'CONNECT'`,
  )},
  'schemas', ${LIST(
    `'name', quote_ident(nspname), 'right', name, 'via', via`,
    `pg_namespace, LATERAL ${RIGHTS("aclexplode(coalesce(nspacl, acldefault('n', nspowner)))")} AS has
      WHERE ${ORDINARY_SCHEMA} AND name <> 'USAGE'`,
  )},
  'tables', ${LIST(
    `'raw', relname, 'name', quote_ident(relname), 'isSequence', relkind = 'S', 'held', ${RIGHTS_ON_TABLE('USAGE')}, 'rights', ${RIGHTS_ON_TABLE('MEMBER')}`,
    'tables',
  )},
  'functions', ${LIST(
    `'call', callable.oid::regprocedure::text, 'kind', CASE prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, 'isHere', pronamespace = here.schema, 'isDangerous', proowner = here.owner OR prosecdef,
     'isHeld', has_function_privilege(asked.oid, callable.oid, 'EXECUTE'), 'via', via`,
    `callable, LATERAL ${RIGHTS("aclexplode(coalesce(proacl, acldefault('f', proowner)))")} AS has`,
  )},
  'others', ${LIST(
    `'kind', kind, 'name', name, 'column', "column", 'right', "right", 'via', via, 'isHere', "isHere"`,
    'others',
  )},
  'owned', ${LIST(
    `'name', name, 'via', via`,
    `(SELECT type || ' ' || identity AS name, quote_ident(pg_get_userbyid(refobjid)) AS via
        FROM pg_shdepend, LATERAL pg_identify_object(classid, objid, 0)
       WHERE deptype = 'o' AND refclassid = 'pg_authid'::regclass AND pg_has_role(asked.oid, refobjid, 'MEMBER')
         AND (dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
           OR classid = 'pg_tablespace'::regclass OR classid = 'pg_database'::regclass AND objid = (SELECT oid FROM pg_database WHERE datname = current_database()))
         AND classid NOT IN ('pg_largeobject'::regclass, 'pg_default_acl'::regclass, 'pg_user_mapping'::regclass)
       ORDER BY 1) AS owned`,
  )},
  'settling', ${administratorsStatements},
  'owners', ${LIST(
    `'owner', quote_ident(rolname), 'kind', kind, 'objects', objects, 'isStranger', NOT (pg_has_role(r.oid, 'MEMBER') OR pg_has_role(here.owner, r.oid, 'MEMBER'))`,
    `(SELECT owner, kind, count(*) AS objects
        FROM (SELECT relowner, 'tables' FROM tables WHERE relname <> '_prisma_migrations'
              UNION ALL SELECT proowner, 'functions' FROM functions
              UNION ALL SELECT typowner, 'types' FROM pg_type t
                         WHERE typnamespace = here.schema AND typtype IN ('e', 'd', 'r') AND ${NOT_OF_EXTENSION('pg_type', 't.oid')}) AS owned (owner, kind)
       GROUP BY owner, kind) AS counted JOIN pg_roles r ON r.oid = counted.owner WHERE rolsuper OR rolcanlogin`,
  )}
) AS found
FROM asked CROSS JOIN here`;
