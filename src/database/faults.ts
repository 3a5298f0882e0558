import type pg from 'pg';
import {
  DEFINER_FUNCTIONS,
  REQUIRED_CONSTRAINTS,
  REQUIRED_POLICIES,
  REQUIRED_TRIGGERS,
  type RequiredConstraint,
  type RequiredPolicy,
  type RequiredTrigger,
} from './required-objects.ts';

/**
 * Something that the design needs and the database lacks: totals, isolation or the outbox do not
 * hold without it.
 */
export interface DatabaseFault {
  /** For example `trigger keep_totals_insert on transactions`. */
  readonly object: string;
  /** What is wrong with it, for example `is missing`. */
  readonly fault: string;
  /** SQL for the owner of the tables, or for a superuser. */
  readonly remedy: string;
  /** Whether the owner of the tables may not do it; false when absent. */
  readonly needsSuperuser?: boolean;
}

/** Rejected with by whoever needs a database without faults. */
export class DatabaseFaultsError extends Error {
  constructor(readonly faults: readonly DatabaseFault[]) {
    super(`The database lacks what the service relies on:\n${faults.map(faultLine).join('\n')}`);
    this.name = 'DatabaseFaultsError';
  }
}

/**
 * What of `required-objects.ts` the database lacks. Reads the catalogues alone, which every role
 * may.
 */
export async function databaseFaults(client: Pick<pg.ClientBase, 'query'>): Promise<DatabaseFault[]> {
  const { rows } = await client.query<{ found: Catalogue }>(CATALOGUE_SQL);
  const found = rows[0]?.found as Catalogue;
  return [
    ...REQUIRED_TRIGGERS.flatMap((required) => triggerFaults(required, found.triggers)),
    ...[...new Set(REQUIRED_POLICIES.map(({ table }) => table))].flatMap((table) => tableFaults(table, found.tables)),
    ...REQUIRED_POLICIES.flatMap((required) => policyFaults(required, found)),
    ...[...new Set([...DEFINER_FUNCTIONS, ...found.functions.filter(isOwnDefiner).map(({ name }) => name)])].flatMap(
      (name) => functionFaults(name, found),
    ),
    ...found.functions
      .filter((candidate) => !candidate.definer)
      .flatMap((called) => calledFaults(called, found.schema)),
    ...REQUIRED_CONSTRAINTS.flatMap((required) => constraintFaults(required, found.constraints)),
  ];
}

/** A fault in one line. */
export function faultLine({ object, fault, remedy, needsSuperuser }: DatabaseFault): string {
  return `${object} ${fault}: ${needsSuperuser ? 'as a superuser: ' : ''}${remedy}`;
}

/**
 * What to do about faults, by who may: of several one statement a line, to be taken as a block.
 * @param faults one at least
 */
export function remedyOf(faults: readonly DatabaseFault[]): string {
  const separator = faults.length > 1 ? '\n' : ' ';
  const by = (who: string, those: readonly DatabaseFault[]) =>
    those.length ? [`${who}:`, ...those.map(({ remedy }) => remedy)] : [];
  return [
    ...by(
      'As the owner of the tables',
      faults.filter(({ needsSuperuser }) => !needsSuperuser),
    ),
    ...by(
      'As a superuser',
      faults.filter(({ needsSuperuser }) => needsSuperuser),
    ),
  ].join(separator);
}

interface Catalogue {
  readonly triggers: readonly { table: string; name: string; enabled: string; definition: string }[];
  readonly tables: readonly { name: string; enabled: boolean; forced: boolean }[];
  readonly policies: readonly {
    table: string;
    name: string;
    command: string;
    permissive: boolean;
    isPublic: boolean;
    holdsOwner: boolean;
    using: string | null;
    check: string | null;
  }[];
  /** Of the tables. */
  readonly owner: string | null;
  readonly schema: string;
  readonly functions: readonly CatalogueFunction[];
  readonly constraints: readonly {
    table: string;
    name: string;
    definition: string;
    validated: boolean;
    /** Its own triggers that are disabled, with their tables. */
    sleeping: readonly { table: string; trigger: string }[];
  }[];
}

interface CatalogueFunction {
  /** To compare; `call` is quoted as SQL needs it. */
  readonly name: string;
  /** The name, quoted as SQL needs it. */
  readonly shown: string;
  readonly call: string;
  readonly definer: boolean;
  readonly path: string | null;
  /** Whether it belongs to the owner of the tables. */
  readonly isOwn: boolean;
  readonly isSuperusers: boolean;
  /** Whether everybody may call it. */
  readonly isPublic: boolean;
}

function isOwnDefiner({ definer, isOwn }: CatalogueFunction): boolean {
  return definer && isOwn;
}

const FIRINGS: Readonly<Record<string, string>> = {
  A: 'fires always',
  D: 'is disabled',
  O: 'sleeps while rows are replayed',
  R: 'fires only while rows are replayed',
};

function triggerFaults(required: RequiredTrigger, triggers: Catalogue['triggers']): DatabaseFault[] {
  const { table, name, firing, definition } = required;
  const object = `trigger ${name} on ${table}`;
  const enable = `ALTER TABLE ${table} ENABLE ${firing} TRIGGER ${name};`;
  const found = triggers.find((trigger) => trigger.table === table && trigger.name === name);
  if (!found) return [{ object, fault: 'is missing', remedy: `${definition}; ${enable}` }];
  if (found.definition !== definition)
    return [
      {
        object,
        fault: `is another one: ${found.definition}`,
        remedy: `DROP TRIGGER ${name} ON ${table}; ${definition}; ${enable}`,
      },
    ];
  if (found.enabled !== firing[0])
    return [{ object, fault: FIRINGS[found.enabled] ?? `is in the state ${found.enabled}`, remedy: enable }];
  return [];
}

function tableFaults(name: string, tables: Catalogue['tables']): DatabaseFault[] {
  const found = tables.find((table) => table.name === name);
  if (found?.enabled && found.forced) return [];
  return [
    {
      object: `row-level security of ${name}`,
      fault: found?.enabled ? 'is not forced on the owner' : 'is disabled',
      remedy: `ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;`,
    },
  ];
}

function policyFaults(required: RequiredPolicy, { policies, owner }: Catalogue): DatabaseFault[] {
  const { table, name, command, holds, using, check } = required;
  const object = `policy ${name} on ${table}`;
  const found = policies.find((policy) => policy.table === table && policy.name === name);
  const to = holds === 'PUBLIC' ? 'PUBLIC' : owner;
  const create = [
    `CREATE POLICY ${name} ON ${table} FOR ${command} TO ${to}`,
    using && `USING (${using})`,
    check && `WITH CHECK (${check})`,
  ];
  const remedy = `${create.filter(Boolean).join(' ')};`;
  if (!found) return [{ object, fault: 'is missing', remedy }];
  const isRight =
    found.permissive &&
    found.command === command &&
    found.using === (using ?? null) &&
    found.check === (check ?? null) &&
    (holds === 'PUBLIC' ? found.isPublic : found.holdsOwner && !found.isPublic);
  return isRight ? [] : [{ object, fault: 'is another one', remedy: `DROP POLICY ${name} ON ${table}; ${remedy}` }];
}

function functionFaults(name: string, { functions, owner, schema }: Catalogue): DatabaseFault[] {
  const named = functions.filter((candidate) => candidate.name === name);
  // Whoever may make functions may make others of the same name.
  const found = named.find(({ isOwn }) => isOwn) ?? named[0];
  const object = `function ${found?.shown ?? name}`;
  if (!found) return [{ object, fault: 'is missing', remedy: 'create it as in prisma/migrations;' }];
  const { call, definer, path, isOwn, isSuperusers, isPublic } = found;
  const faults: DatabaseFault[] = [];
  const needsSuperuser = !isOwn;
  if (!definer)
    faults.push({
      object,
      fault: "runs with the caller's rights",
      remedy: `ALTER FUNCTION ${call} SECURITY DEFINER;`,
      needsSuperuser,
    });
  const ownPath = `pg_catalog, ${schema}, pg_temp`;
  if (path !== ownPath)
    faults.push({
      object,
      fault: `has another search path than ${ownPath}`,
      remedy: `ALTER FUNCTION ${call} SET search_path = ${ownPath};`,
      needsSuperuser,
    });
  if (!isOwn)
    faults.push({
      object,
      fault: 'belongs to another role than the tables',
      remedy: `ALTER FUNCTION ${call} OWNER TO ${owner};`,
      needsSuperuser,
    });
  else if (isSuperusers) faults.push({ object, fault: 'belongs to a superuser', remedy: 'SELECT settle_ownership();' });
  if (isPublic)
    faults.push({
      object,
      fault: 'may be called by everybody',
      remedy: `REVOKE EXECUTE ON FUNCTION ${call} FROM PUBLIC;`,
      needsSuperuser,
    });
  return faults;
}

/** Names of schemas as SQL takes them. */
const NAMES = /^(?:\w+|"(?:[^"]|"")+")(?:, (?:\w+|"(?:[^"]|"")+"))*$/;

/**
 * Of a function that may be called by one with its owner's rights. A path that leaves pg_temp out
 * has it first.
 */
function calledFaults({ shown, call, path, isOwn }: CatalogueFunction, schema: string): DatabaseFault[] {
  if (!isOwn || path === null || path.endsWith('pg_temp')) return [];
  // `SET search_path FROM CURRENT` keeps a path as it was written, with whatever is in it.
  const given = NAMES.test(path) ? path : `pg_catalog, ${schema}`;
  const remedy = `ALTER FUNCTION ${call} SET search_path = ${given}, pg_temp;`;
  return [
    {
      object: `function ${shown}`,
      fault: "finds temporary tables and types of its caller before PostgreSQL's",
      remedy,
    },
  ];
}

function constraintFaults(required: RequiredConstraint, constraints: Catalogue['constraints']): DatabaseFault[] {
  const { table, name, definition } = required;
  const object = `constraint ${name} on ${table}`;
  const add = `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition};`;
  const found = constraints.find((constraint) => constraint.table === table && constraint.name === name);
  if (!found) return [{ object, fault: 'is missing', remedy: add }];
  if (found.definition !== definition)
    return [
      {
        object,
        fault: `is another one: ${found.definition}`,
        remedy: `ALTER TABLE ${table} DROP CONSTRAINT ${name}; ${add}`,
      },
    ];
  const enable = found.sleeping.map((it) => `ALTER TABLE ${it.table} ENABLE TRIGGER ${it.trigger};`);
  if (enable.length) return [{ object, fault: 'is not enforced', remedy: enable.join(' '), needsSuperuser: true }];
  if (!found.validated)
    return [{ object, fault: 'is not valid', remedy: `ALTER TABLE ${table} VALIDATE CONSTRAINT ${name};` }];
  return [];
}

const LIST = (columns: string, from: string) =>
  `(SELECT coalesce(json_agg(json_build_object(${columns})), '[]') FROM ${from})`;

/** Of the schema that the service's tables lie in. */
const CATALOGUE_SQL = `
WITH here AS MATERIALIZED (
  SELECT c.oid, relname::text AS name, relowner, relrowsecurity, relforcerowsecurity
    FROM pg_class c WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
), owner AS MATERIALIZED (
  SELECT relowner AS oid FROM here WHERE name = 'transactions'
)
SELECT json_build_object(
  'triggers', ${LIST(
    `'table', here.name, 'name', tgname, 'enabled', tgenabled, 'definition', pg_get_triggerdef(t.oid, true)`,
    'pg_trigger t JOIN here ON here.oid = tgrelid WHERE NOT tgisinternal',
  )},
  'tables', ${LIST("'name', name, 'enabled', relrowsecurity, 'forced', relforcerowsecurity", 'here')},
  'policies', ${LIST(
    `'table', here.name, 'name', polname, 'permissive', polpermissive, 'isPublic', 0 = ANY (polroles),
     'holdsOwner', coalesce((SELECT owner.oid = ANY (polroles) FROM owner), false),
     'command', CASE polcmd WHEN '*' THEN 'ALL' WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' ELSE 'DELETE' END,
     'using', pg_get_expr(polqual, polrelid), 'check', pg_get_expr(polwithcheck, polrelid)`,
    'pg_policy JOIN here ON here.oid = polrelid',
  )},
  'schema', quote_ident(current_schema()),
  'owner', (SELECT quote_ident(pg_get_userbyid(oid)) FROM owner),
  'functions', ${LIST(
    `'name', proname, 'shown', quote_ident(proname), 'call', p.oid::regprocedure::text, 'definer', prosecdef,
     'path', (SELECT substr(setting, 13) FROM unnest(proconfig) setting WHERE setting LIKE 'search_path=%'),
     'isOwn', EXISTS (SELECT FROM owner WHERE owner.oid = proowner), 'isSuperusers', rolsuper,
     'isPublic', has_function_privilege('public', p.oid, 'EXECUTE')`,
    'pg_proc p JOIN pg_roles r ON r.oid = proowner WHERE pronamespace = current_schema()::regnamespace',
  )},
  'constraints', ${LIST(
    `'table', here.name, 'name', conname, 'definition', pg_get_constraintdef(k.oid, true),
     'validated', convalidated, 'sleeping', ${LIST(
       "'table', tgrelid::regclass::text, 'trigger', quote_ident(tgname)",
       "pg_trigger WHERE tgconstraint = k.oid AND tgenabled NOT IN ('O', 'A')",
     )}`,
    'pg_constraint k JOIN here ON here.oid = conrelid',
  )}
) AS found`;
