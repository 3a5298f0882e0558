import type pg from 'pg';
import { foundSql } from './role-rights.sql.ts';
import { SERVICE_FUNCTIONS, SERVICE_ROLE, SERVICE_TABLES, type TableRights } from './service-rights.ts';

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
  /** Its name, quoted where SQL needs it. */
  readonly role: string;
  /** Where the role owns the tables, and so is none for the service: how that gets one. */
  readonly ownsTables?: string;
  readonly lacks: readonly RightsFinding[];
  readonly surplus: readonly RightsFinding[];
  /** Owners of tables, functions and types that are superusers or may log in. */
  readonly owners: readonly RightsFinding[];
  /** SQL that an administrator must run before the owners can be settled; absent: none. */
  readonly administrators?: string;
}

type Queryable = Pick<pg.ClientBase, 'query'>;

/** Of what the login that migrates may not give away: the function leaves that as it is for it. */
const ADMINISTRATOR_SETTLES = 'an administrator runs SELECT settle_ownership();';

/**
 * Reads the catalogues alone, which every role may. @returns undefined when there is no such role
 */
export async function rightsOf(client: Queryable, role: string): Promise<RoleRights | undefined> {
  const { rows: servers } = await client.query<{ has: boolean }>(
    "SELECT to_regclass('pg_catalog.pg_parameter_acl') IS NOT NULL AS has",
  );
  const sql = foundSql(servers[0]?.has ?? false);
  const { rows } = await client.query<{ found: Found | null }>(sql, [role]);
  const found = rows[0]?.found;
  if (!found) return undefined;
  const name = found.role;
  return {
    role: name,
    ...(found.isOwner && { ownsTables: giveOwnLogin(found) }),
    lacks: [
      ...(found.usesSchema ? [] : [owners('USAGE on the schema', `GRANT USAGE ON SCHEMA ${found.schema} TO ${name};`)]),
      ...SERVICE_TABLES.flatMap((wanted) => lackingOf(wanted, found, name)),
      ...SERVICE_FUNCTIONS.filter((call) => !found.functions.some((it) => it.isHeld && it.call === call)).map((call) =>
        owners(`EXECUTE on function ${call}`, `GRANT EXECUTE ON FUNCTION ${call} TO ${name};`),
      ),
    ],
    surplus: [
      ...attributesOf(found, name),
      // It has everything then, and nothing can be taken away one by one.
      ...(found.actsAs ? actingOf(found, found.actsAs) : surplusOf(found, name)),
    ],
    owners: found.owners.map(({ owner, kind, objects, isStranger }) => {
      const belong = objects === 1 ? `1 ${kind.slice(0, -1)} belongs` : `${objects} ${kind} belong`;
      const remedy = isStranger ? ADMINISTRATOR_SETTLES : 'SELECT settle_ownership();';
      return owners(`${belong} to ${owner}, which may log in or is a superuser`, remedy);
    }),
    ...(found.settling && found.owners.some(({ isStranger }) => !isStranger) && { administrators: found.settling }),
  };
}

/** The name as SQL takes it: in quotes where it needs them. */
export async function quoted(client: Queryable, name: string): Promise<string> {
  const { rows } = await client.query<{ quoted: string }>('SELECT quote_ident($1) AS quoted', [name]);
  return rows[0]?.quoted ?? '';
}

/** What is not as it should be, in one line each, and what an administrator must run. */
export function reportOf(rights: RoleRights): string[] {
  const { role, lacks, surplus, owners } = rights;
  const told = administratorsLine(rights);
  const line = (says: string) => (finding: RightsFinding) => `${says} ${finding.what}: ${finding.remedy}`;
  return [
    ...lacks.map(line(`${role} lacks`)),
    ...surplus.map(line(`${role} has more than the service needs:`)),
    ...owners.map(({ what, remedy }) => (told && remedy !== ADMINISTRATOR_SETTLES ? `${what}.` : `${what}: ${remedy}`)),
    ...(told ? [told] : []),
  ];
}

/** What settles the owners where their own login cannot. */
export function administratorsLine({ administrators }: RoleRights): string | undefined {
  return administrators && `An administrator runs: ${administrators} Then: npm run db:grant`;
}

/** A right to the whole, or to single columns where the whole is not granted. */
interface FoundRight {
  readonly right: string;
  readonly columns: readonly FoundName[] | null;
  readonly via: string;
}

/** Whoever may make tables chooses their names: SQL and messages take them quoted. */
interface FoundName {
  /** Quoted where SQL needs it. */
  readonly name: string;
  /** To compare. */
  readonly raw: string;
}

interface OtherRight {
  /** As REVOKE names it. */
  readonly kind: string;
  readonly name: string;
  readonly column: string | null;
  readonly right: string;
  readonly via: string;
  /** Whether it lies in the schema of the service. */
  readonly isHere: boolean;
}

/** Names, and what has them in it, are quoted where SQL needs it. */
interface Found {
  readonly role: string;
  readonly schema: string;
  /** Of the tables. */
  readonly owner: string;
  readonly database: string;
  readonly login: string;
  readonly usesSchema: boolean;
  readonly attributes: readonly string[];
  /** The owner of the tables, where the role has its rights. */
  readonly actsAs: string | null;
  /** Whether it is that owner itself. */
  readonly isOwner: boolean;
  /** SQL that ends its being a member of that owner; null where it was not granted that. */
  readonly endsActing: string | null;
  /** Another role for the service, and whether it may log in; null where there is none. */
  readonly ownLogin: { readonly name: string; readonly logsIn: boolean | null };
  readonly memberships: readonly { name: string; ends: string }[];
  readonly database_rights: readonly { right: string; via: string; isPublic: boolean }[];
  readonly schemas: readonly { name: string; right: string; via: string }[];
  readonly tables: readonly (FoundName & {
    isSequence: boolean;
    /** Those that it has at once. */
    held: readonly FoundRight[];
    /** These, and those that it gets by `SET ROLE`. */
    rights: readonly FoundRight[];
  })[];
  /** Of the schema, and those of others that run with their owner's rights. */
  readonly functions: readonly {
    call: string;
    kind: 'FUNCTION' | 'PROCEDURE';
    isHere: boolean;
    /** Whether it belongs to the owner of the tables, or runs with its owner's rights. */
    isDangerous: boolean;
    isHeld: boolean;
    via: string;
  }[];
  /** Rights to objects of kinds and schemas that the service has nothing to do with. */
  readonly others: readonly OtherRight[];
  /** What belongs to the role, or to one that it is a member of. */
  readonly owned: readonly { name: string; via: string }[];
  /** As `administrators` of `RoleRights`. */
  readonly settling: string | null;
  /** `isStranger`: neither whoever asks nor the owner of the tables may give them away. */
  readonly owners: readonly { owner: string; kind: string; objects: number; isStranger: boolean }[];
}

function attributesOf({ attributes, ...found }: Found, role: string): RightsFinding[] {
  // It may be the only superuser of the server; and it has all the others by that.
  if (attributes.includes('SUPERUSER') && role !== SERVICE_ROLE)
    return [administrators('SUPERUSER', giveOwnLogin(found))];
  return attributes.map((attribute) => administrators(attribute, `ALTER ROLE ${role} NO${attribute};`));
}

function actingOf(found: Found, owner: string): RightsFinding[] {
  if (!found.endsActing && found.attributes.includes('SUPERUSER')) return []; // by that alone
  const remedy = found.endsActing ?? giveOwnLogin(found);
  return [administrators(`the rights of ${owner}, which owns the tables`, remedy)];
}

/** What to do where the role serves other purposes. */
function giveOwnLogin({ ownLogin: { name, logsIn } }: Pick<Found, 'ownLogin'>): string {
  const make = logsIn ? '' : ` ${logsIn === null ? 'CREATE' : 'ALTER'} ROLE ${name} LOGIN PASSWORD '…';`;
  return `give the service a login of its own:${make} "npm run db:grant -- --role ${name}"; then ${name} in its DATABASE_URL.`;
}

function lackingOf({ table, rights, updates, optional }: TableRights, { tables }: Found, role: string) {
  const found = tables.find(({ raw }) => raw === table);
  if (!found && optional) return [];
  const has = (right: string) => found?.held.find((it) => it.right === right);
  const whole = rights.filter((right) => !has(right) || has(right)?.columns);
  const update = has('UPDATE');
  const columns = updates?.filter((column) => !update || update.columns?.every(({ raw }) => raw !== column)) ?? [];
  const lacking = [...whole, ...(columns.length ? [`UPDATE (${columns.join(', ')})`] : [])];
  return lacking.map((right) => owners(`${right} on ${table}`, `GRANT ${right} ON ${table} TO ${role};`));
}

function surplusOf(found: Found, role: string) {
  const { memberships, database, login, database_rights, schemas, tables, functions } = found;
  return [
    ...memberships.map(({ name, ends }) => administrators(`membership of ${name}`, ends)),
    ...database_rights.map(({ right, via, isPublic }) => {
      const revoke = `REVOKE ${right} ON DATABASE ${database} FROM ${via};`;
      // The import and the seed stage rows in temporary tables.
      const keep = isPublic && right === 'TEMPORARY' ? `GRANT ${right} ON DATABASE ${database} TO ${login}; ` : '';
      return owners(`${right} on the database`, `${keep}${revoke}`);
    }),
    ...schemas.map(({ name, right, via }) =>
      owners(`${right} on schema ${name}`, `REVOKE ${right} ON SCHEMA ${name} FROM ${via};`),
    ),
    ...tables.flatMap(({ name, raw, isSequence, rights }) =>
      rights.flatMap(({ right, columns, via }) => {
        const wanted = SERVICE_TABLES.find(({ table }) => table === raw);
        const isWhole = wanted?.rights.some((it) => it === right);
        const updates = right === 'UPDATE' ? (wanted?.updates ?? []) : [];
        const surplus = columns?.filter((column) => !updates.includes(column.raw));
        if (isWhole || surplus?.length === 0) return [];
        const what = surplus ? `${right} (${surplus.map(({ name: column }) => column).join(', ')})` : right;
        const put = updates.length && !surplus ? ` GRANT ${right} (${updates.join(', ')}) ON ${name} TO ${role};` : '';
        return [
          owners(`${what} on ${name}`, `REVOKE ${what} ON ${isSequence ? 'SEQUENCE ' : ''}${name} FROM ${via};${put}`),
        ];
      }),
    ),
    ...functions
      .filter(({ call, isDangerous }) => isDangerous && !SERVICE_FUNCTIONS.includes(call))
      .map(({ call, kind, isHere, via }) =>
        // Who may call what lies elsewhere is not for db:grant to say.
        (isHere ? owners : administrators)(
          `EXECUTE on ${kind.toLowerCase()} ${call}`,
          `REVOKE EXECUTE ON ${kind} ${call} FROM ${via};`,
        ),
      ),
    ...found.others
      .filter(({ name, isHere }) => !isHere || !SERVICE_FUNCTIONS.includes(name))
      .map((other) => (other.isHere ? owners : administrators)(...revocationOf(other))),
    ...found.owned.map(({ name, via }) =>
      administrators(`ownership of ${name}`, `REASSIGN OWNED BY ${via} TO ${found.owner};`),
    ),
  ];
}

/** What it is, and the SQL that takes it away. */
function revocationOf({ kind, name, column, right, via }: OtherRight): [what: string, remedy: string] {
  const what = column ? `${right} (${column})` : right;
  // Of later objects. No other name has a space outside of quotes.
  if (name.startsWith('FOR ROLE '))
    return [
      `${what} on later ${kind.toLowerCase()} ${name.replace('FOR ROLE', 'of').replace('IN SCHEMA', 'in schema')}`,
      `ALTER DEFAULT PRIVILEGES ${name} REVOKE ${what} ON ${kind} FROM ${via};`,
    ];
  const shown = kind === 'TABLE' ? name : `${kind.toLowerCase()} ${name}`;
  return [`${what} on ${shown}`, `REVOKE ${what} ON ${kind} ${name} FROM ${via};`];
}

const owners = (what: string, remedy: string): RightsFinding => ({ what, remedy, isOwners: true });
const administrators = (what: string, remedy: string): RightsFinding => ({ what, remedy, isOwners: false });
