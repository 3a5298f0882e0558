/** A kind of object that rights are granted to. */
interface Kind {
  /** As REVOKE names it. */
  readonly kind: string;
  readonly catalogue: string;
  /** More to read from than the catalogue. */
  readonly join?: string;
  /** Quoted as SQL needs it. */
  readonly name: string;
  readonly column?: string;
  readonly part?: string;
  readonly schema?: string;
  readonly owner: string;
  readonly acl: string;
  /** What PostgreSQL grants to a new one. */
  readonly initial: string;
  readonly where?: string;
}

const RELATION = `relkind IN ('r', 'p', 'v', 'm', 'f', 'S')`;
/** initdb makes it after it has written pg_init_privs; names with `_pg_` are its own helpers. */
const SHOWN_TO_ALL = `relnamespace = to_regnamespace('information_schema') AND relname !~ '^_pg_'`;
const FOR_ALL = (right: string, owner: string) => `makeaclitem(0, ${owner}, '${right}', false)`;
const WITH_SCHEMA = (schema: string) => `JOIN pg_namespace n ON n.oid = ${schema}`;

/**
 * Without the database, and with no more of a schema than USAGE: what is else there is read apart.
 */
const KINDS: readonly Kind[] = [
  {
    kind: `CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END`,
    catalogue: 'pg_class',
    name: 'o.oid::regclass::text',
    schema: 'relnamespace',
    owner: 'relowner',
    acl: 'relacl',
    initial: `acldefault(CASE relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, relowner)
                || CASE WHEN ${SHOWN_TO_ALL} THEN ARRAY[${FOR_ALL('SELECT', 'relowner')}] END`,
    where: `${RELATION} AND o.oid NOT IN (SELECT oid FROM tables)`,
  },
  {
    kind: `'TABLE'`,
    catalogue: 'pg_class',
    join: 'JOIN pg_attribute ON attrelid = o.oid',
    name: 'o.oid::regclass::text',
    column: 'quote_ident(attname)',
    part: 'attnum',
    schema: 'relnamespace',
    owner: 'relowner',
    acl: 'attacl',
    initial: `NULL::aclitem[]`,
    where: `${RELATION} AND NOT attisdropped AND o.oid NOT IN (SELECT oid FROM tables)`,
  },
  {
    kind: `CASE prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END`,
    catalogue: 'pg_proc',
    name: 'o.oid::regprocedure::text',
    schema: 'pronamespace',
    owner: 'proowner',
    acl: 'proacl',
    initial: `acldefault('f', proowner)`,
    where: 'NOT (o.oid IN (SELECT oid FROM callable) AND (prosecdef OR proowner = here.owner))',
  },
  {
    kind: `'TYPE'`,
    catalogue: 'pg_type',
    join: WITH_SCHEMA('typnamespace'),
    // REVOKE takes "integer" for a name that it does not know.
    name: `format('%I.%I', nspname, typname)`,
    schema: 'typnamespace',
    owner: 'typowner',
    acl: 'typacl',
    initial: `acldefault('T', typowner)`,
  },
  {
    kind: `'SCHEMA'`,
    catalogue: 'pg_namespace',
    name: 'quote_ident(nspname)',
    owner: 'nspowner',
    acl: 'nspacl',
    initial: `acldefault('n', nspowner)
                || CASE nspname WHEN 'information_schema' THEN ARRAY[${FOR_ALL('USAGE', 'nspowner')}] END`,
    where: 'o.oid <> here.schema',
  },
  {
    kind: `'LANGUAGE'`,
    catalogue: 'pg_language',
    name: 'quote_ident(lanname)',
    owner: 'lanowner',
    acl: 'lanacl',
    initial: `acldefault('l', lanowner)`,
  },
  {
    kind: `'TABLESPACE'`,
    catalogue: 'pg_tablespace',
    name: 'quote_ident(spcname)',
    owner: 'spcowner',
    acl: 'spcacl',
    initial: `acldefault('t', spcowner)`,
  },
  {
    kind: `'FOREIGN DATA WRAPPER'`,
    catalogue: 'pg_foreign_data_wrapper',
    name: 'quote_ident(fdwname)',
    owner: 'fdwowner',
    acl: 'fdwacl',
    initial: `acldefault('F', fdwowner)`,
  },
  {
    kind: `'FOREIGN SERVER'`,
    catalogue: 'pg_foreign_server',
    name: 'quote_ident(srvname)',
    owner: 'srvowner',
    acl: 'srvacl',
    initial: `acldefault('S', srvowner)`,
  },
  {
    kind: `'LARGE OBJECT'`,
    // Every login may make any number of them, and let everybody read them.
    catalogue: '(SELECT tableoid, * FROM pg_largeobject_metadata WHERE lomacl IS NOT NULL ORDER BY oid LIMIT 100)',
    name: 'o.oid::text',
    owner: 'lomowner',
    acl: 'lomacl',
    initial: `acldefault('L', lomowner)`,
  },
  {
    // Of objects that the role makes later; of one schema they come in addition to those of all.
    kind: `CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
                              WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END`,
    catalogue: 'pg_default_acl',
    join: 'LEFT JOIN pg_namespace n ON n.oid = defaclnamespace',
    name: `format('FOR ROLE %I', pg_get_userbyid(defaclrole)) || coalesce(' IN SCHEMA ' || quote_ident(nspname), '')`,
    owner: 'defaclrole',
    acl: 'defaclacl',
    initial: `CASE defaclnamespace WHEN 0 THEN acldefault(CASE defaclobjtype WHEN 'S' THEN 's'::"char" ELSE defaclobjtype END, defaclrole)
                                   ELSE NULL::aclitem[] END`,
  },
];

const PARAMETER: Kind = {
  kind: `'PARAMETER'`,
  catalogue: 'pg_parameter_acl',
  name: `(SELECT string_agg(quote_ident(part), '.' ORDER BY place) FROM unnest(string_to_array(parname, '.')) WITH ORDINALITY AS parts (part, place))`,
  owner: '0::oid',
  acl: 'paracl',
  initial: `NULL::aclitem[]`,
};

/** What has no list of rights has what PostgreSQL grants to a new one. */
const rowsOf = ({ kind, catalogue, join = '', name, column, part, schema, owner, acl, initial, where }: Kind) => `
    SELECT ${kind} AS kind, ${name} AS name, ${column ?? 'NULL::text'} AS "column", ${schema ?? 'NULL::oid'} AS schema,
           ${owner} AS owner, ${acl} AS acl, coalesce(initprivs, ${initial}) AS initial
      FROM here CROSS JOIN ${catalogue} o ${join}
      LEFT JOIN pg_init_privs ON objoid = o.oid AND classoid = o.tableoid AND objsubid = ${part ?? '0'}
     WHERE ${acl} IS NOT NULL AND ${where ?? 'true'}`;

/**
 * Rights to objects of every kind that the service has nothing to do with, as far as the role can
 * come by the object. What a new object of PostgreSQL or of an extension grants to everybody is no
 * finding, nor what it grants to one of PostgreSQL's own roles: membership of that is one.
 */
export const otherRights = (hasParameterRights: boolean) => `
  SELECT kind, name, "column", privilege_type AS "right", coalesce(objects.schema = here.schema, false) AS "isHere",
         string_agg(DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END, ', ') AS via
    FROM asked, here, (${[...KINDS, ...(hasParameterRights ? [PARAMETER] : [])].map(rowsOf).join('\n    UNION ALL')}
    ) AS objects CROSS JOIN LATERAL aclexplode(acl) AS item
   WHERE (grantee = 0 OR grantee <> objects.owner AND pg_has_role(asked.oid, grantee, 'MEMBER'))
     AND NOT (kind = 'SCHEMA' AND privilege_type <> 'USAGE')
     AND NOT EXISTS (
       SELECT FROM aclexplode(initial) AS was
        WHERE was.privilege_type = item.privilege_type
          AND (was.grantee = item.grantee OR was.grantee = 0 AND EXISTS (
            SELECT FROM aclexplode(acl) AS still WHERE still.grantee = 0 AND still.privilege_type = item.privilege_type)))
     AND (objects.schema IS NULL OR EXISTS (
       SELECT FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) AS reach
        WHERE pg_namespace.oid = objects.schema AND reach.privilege_type = 'USAGE'
          AND (reach.grantee = 0 OR pg_has_role(asked.oid, reach.grantee, 'MEMBER'))))
   GROUP BY kind, name, "column", privilege_type, objects.schema, here.schema
   ORDER BY kind, name, "column", privilege_type`;
