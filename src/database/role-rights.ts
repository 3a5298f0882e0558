import type pg from 'pg';
import { SERVICE_FUNCTIONS, SERVICE_TABLES, type TableRights } from './service-rights.ts';

/** Something of a role's rights that is not as the service needs them. */
export interface RightsFinding {
  /** For example `DELETE on tenants`. */
  readonly what: string;
  /** SQL. */
  readonly remedy: string;
  /** Whether the owner of the tables may run it, and `db:grant` does. */
  readonly isOwners: boolean;
}

/** What a role may do in the database, held against what the service does. */
export interface RoleRights {
  readonly lacks: readonly RightsFinding[];
  readonly surplus: readonly RightsFinding[];
  /** Owners of tables, functions and types that are superusers or may log in. */
  readonly owners: readonly RightsFinding[];
}

type Queryable = Pick<pg.ClientBase, 'query'>;

/**
 * Reads the catalogues alone, which every role may. @returns undefined when there is no such role
 */
export async function rightsOf(client: Queryable, role: string): Promise<RoleRights | undefined> {
  const { rows } = await client.query<{ found: Found | null }>(FOUND_SQL, [role]);
  const found = rows[0]?.found;
  if (!found) return undefined;
  const name = found.role;
  const ownLogin = `CREATE ROLE tenantry_app LOGIN PASSWORD '…'; Then "npm run db:grant", and its DATABASE_URL for the service.`;
  return {
    lacks: [
      ...(found.usesSchema ? [] : [owners('USAGE on the schema', `GRANT USAGE ON SCHEMA ${found.schema} TO ${name};`)]),
      ...SERVICE_TABLES.flatMap((wanted) => lackingOf(wanted, found, name)),
      ...SERVICE_FUNCTIONS.filter((call) => !found.functions.some((it) => it.isHeld && it.call === call)).map((call) =>
        owners(`EXECUTE on function ${call}`, `GRANT EXECUTE ON FUNCTION ${call} TO ${name};`),
      ),
    ],
    surplus: [
      ...found.attributes.map((attribute) => administrators(attribute, `ALTER ROLE ${name} NO${attribute};`)),
      // It has everything then, and nothing can be taken away one by one.
      ...(found.actsAs
        ? [administrators(`the rights of ${found.actsAs}, which owns the tables`, ownLogin)]
        : surplusOf(found, name)),
    ],
    owners: found.owners.map(({ owner, kind, objects }) =>
      owners(`${objects} ${kind} belong to ${owner}, which may log in or is a superuser`, 'SELECT settle_ownership();'),
    ),
  };
}

/** What is not as it should be, in one line each. */
export function reportOf(role: string, { lacks, surplus, owners }: RoleRights): string[] {
  const line = (says: string) => (finding: RightsFinding) => `${says} ${finding.what}: ${finding.remedy}`;
  return [
    ...lacks.map(line(`${role} lacks`)),
    ...surplus.map(line(`${role} has more than the service needs:`)),
    ...owners.map(({ what, remedy }) => `${what}: ${remedy}`),
  ];
}

/** A right to the whole, or to single columns where the whole is not granted. */
interface FoundRight {
  readonly right: string;
  readonly columns: readonly string[] | null;
  readonly via: string;
}

interface Found {
  /** Names are quoted where SQL needs it. */
  readonly role: string;
  readonly schema: string;
  readonly database: string;
  readonly login: string;
  readonly usesSchema: boolean;
  readonly attributes: readonly string[];
  /** The owner of the tables, where the role has its rights. */
  readonly actsAs: string | null;
  readonly memberships: readonly string[];
  readonly database_rights: readonly { right: string; via: string }[];
  readonly schemas: readonly { name: string; right: string; via: string }[];
  readonly tables: readonly {
    name: string;
    isSequence: boolean;
    /** Those that it has at once. */
    held: readonly FoundRight[];
    /** These, and those that it gets by `SET ROLE`. */
    rights: readonly FoundRight[];
  }[];
  /** Of the schema, and those of others that run with their owner's rights. */
  readonly functions: readonly {
    call: string;
    isHere: boolean;
    /** Whether it belongs to the owner of the tables, or runs with its owner's rights. */
    isDangerous: boolean;
    isHeld: boolean;
    via: string;
  }[];
  readonly owners: readonly { owner: string; kind: string; objects: number }[];
}

function lackingOf({ table, rights, updates, optional }: TableRights, { tables }: Found, role: string) {
  const found = tables.find(({ name }) => name === table);
  if (!found && optional) return [];
  const has = (right: string) => found?.held.find((it) => it.right === right);
  const whole = rights.filter((right) => !has(right) || has(right)?.columns);
  const update = has('UPDATE');
  const columns = updates?.filter((column) => !update || update.columns?.includes(column) === false) ?? [];
  const lacking = [...whole, ...(columns.length ? [`UPDATE (${columns.join(', ')})`] : [])];
  return lacking.map((right) => owners(`${right} on ${table}`, `GRANT ${right} ON ${table} TO ${role};`));
}

function surplusOf({ memberships, database, login, database_rights, schemas, tables, functions }: Found, role: string) {
  return [
    ...memberships.map((other) => administrators(`membership of ${other}`, `REVOKE ${other} FROM ${role};`)),
    ...database_rights.map(({ right, via }) => {
      const revoke = `REVOKE ${right} ON DATABASE ${database} FROM ${via};`;
      // The import and the seed stage rows in temporary tables.
      const keep =
        via.includes('PUBLIC') && right === 'TEMPORARY' ? `GRANT ${right} ON DATABASE ${database} TO ${login}; ` : '';
      return owners(`${right} on the database`, `${keep}${revoke}`);
    }),
    ...schemas.map(({ name, right, via }) =>
      owners(`${right} on schema ${name}`, `REVOKE ${right} ON SCHEMA ${name} FROM ${via};`),
    ),
    ...tables.flatMap(({ name, isSequence, rights }) =>
      rights.flatMap(({ right, columns, via }) => {
        const wanted = SERVICE_TABLES.find(({ table }) => table === name);
        const isWhole = wanted?.rights.some((it) => it === right);
        const updates = right === 'UPDATE' ? (wanted?.updates ?? []) : [];
        const surplus = columns?.filter((column) => !updates.includes(column));
        if (isWhole || surplus?.length === 0) return [];
        const what = surplus ? `${right} (${surplus.join(', ')})` : right;
        const put = updates.length && !surplus ? ` GRANT ${right} (${updates.join(', ')}) ON ${name} TO ${role};` : '';
        return [
          owners(`${what} on ${name}`, `REVOKE ${what} ON ${isSequence ? 'SEQUENCE ' : ''}${name} FROM ${via};${put}`),
        ];
      }),
    ),
    ...functions
      .filter(({ call, isDangerous }) => isDangerous && !SERVICE_FUNCTIONS.includes(call))
      .map(({ call, isHere, via }) =>
        // Who may call what lies elsewhere is not for db:grant to say.
        (isHere ? owners : administrators)(
          `EXECUTE on function ${call}`,
          `REVOKE EXECUTE ON FUNCTION ${call} FROM ${via};`,
        ),
      ),
  ];
}

const owners = (what: string, remedy: string): RightsFinding => ({ what, remedy, isOwners: true });
const administrators = (what: string, remedy: string): RightsFinding => ({ what, remedy, isOwners: false });

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
      'CASE WHEN bool_and(attname IS NOT NULL) THEN json_agg(DISTINCT attname) END AS columns,',
      by,
    )} AS has`,
  );
const NOT_OF_EXTENSION = (catalogue: string, object: string) =>
  `NOT EXISTS (SELECT FROM pg_depend WHERE classid = '${catalogue}'::regclass AND objid = ${object} AND deptype = 'e')`;
/** Not one that PostgreSQL makes for a session or for itself. */
const ORDINARY_SCHEMA = `nspname !~ '^pg_(toast|temp)'`;

const FOUND_SQL = `
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
)
SELECT json_build_object(
  'role', quote_ident(asked.rolname), 'schema', quote_ident(current_schema()), 'database', quote_ident(current_database()), 'login', quote_ident(current_user),
  'usesSchema', has_schema_privilege(asked.oid, here.schema, 'USAGE'),
  'attributes', ${NAMES(
    'name',
    `(VALUES ('SUPERUSER', rolsuper), ('BYPASSRLS', rolbypassrls), ('CREATEROLE', rolcreaterole), ('CREATEDB', rolcreatedb),
             ('REPLICATION', rolreplication)) AS has (name, it) WHERE it`,
  )},
  'actsAs', CASE WHEN pg_has_role(asked.oid, here.owner, 'MEMBER') THEN quote_ident(pg_get_userbyid(here.owner)) END,
  'memberships', ${NAMES(
    'quote_ident(other.rolname)',
    `pg_roles other WHERE other.oid <> asked.oid AND pg_has_role(asked.oid, other.oid, 'MEMBER')
        AND (other.rolsuper OR other.rolbypassrls OR other.rolcreaterole
          OR (other.rolname ~ '^pg_' AND other.rolname <> 'pg_database_owner'))`,
  )},
  'database_rights', ${LIST(
    `'right', name, 'via', via`,
    `pg_database, LATERAL ${RIGHTS("aclexplode(coalesce(datacl, acldefault('d', datdba)))")} AS has
      WHERE datname = current_database() AND name <> 'CONNECT'`,
  )},
  'schemas', ${LIST(
    `'name', quote_ident(nspname), 'right', name, 'via', via`,
    `pg_namespace, LATERAL ${RIGHTS("aclexplode(coalesce(nspacl, acldefault('n', nspowner)))")} AS has
      WHERE ${ORDINARY_SCHEMA} AND name <> 'USAGE'`,
  )},
  'tables', ${LIST(
    `'name', relname, 'isSequence', relkind = 'S', 'held', ${RIGHTS_ON_TABLE('USAGE')}, 'rights', ${RIGHTS_ON_TABLE('MEMBER')}`,
    'tables',
  )},
  'functions', ${LIST(
    `'call', callable.oid::regprocedure::text, 'isHere', pronamespace = here.schema, 'isDangerous', proowner = here.owner OR prosecdef,
     'isHeld', has_function_privilege(asked.oid, callable.oid, 'EXECUTE'), 'via', via`,
    `callable, LATERAL ${RIGHTS("aclexplode(coalesce(proacl, acldefault('f', proowner)))")} AS has`,
  )},
  'owners', ${LIST(
    `'owner', quote_ident(rolname), 'kind', kind, 'objects', objects`,
    `(SELECT owner, kind, count(*) AS objects
        FROM (SELECT relowner, 'tables' FROM tables WHERE relname <> '_prisma_migrations'
              UNION ALL SELECT proowner, 'functions' FROM functions
              UNION ALL SELECT typowner, 'types' FROM pg_type t
                         WHERE typnamespace = here.schema AND typtype IN ('e', 'd', 'r') AND ${NOT_OF_EXTENSION('pg_type', 't.oid')}) AS owned (owner, kind)
       GROUP BY owner, kind) AS counted JOIN pg_roles r ON r.oid = counted.owner WHERE rolsuper OR rolcanlogin`,
  )}
) AS found
FROM asked CROSS JOIN here`;
