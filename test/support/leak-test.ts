import type pg from 'pg';
import { readDataModel } from '../../src/tenancy/data-model.ts';
import { type TenantModels, tenantModels } from '../../src/tenancy/tenant-models.ts';

const TENANTS = 'tenants';
const TENANT_COLUMN = 'tenant_id';
/** As PostgreSQL prints the one condition of every policy. */
const OWN_ROWS = `(${TENANT_COLUMN} = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)`;
const POLICY_SQL = `USING (${TENANT_COLUMN} = nullif(current_setting('app.tenant_id', true), '')::uuid)`;

/** Tables that rows of tenants are not in, each with the reason. */
const TABLES_OF_NO_TENANT: Readonly<Record<string, string>> = {
  [TENANTS]: 'the tenants themselves; test/tenancy/row-level-security.test.ts holds its policy',
  cache_outbox: 'read over all tenants, by a policy of its own; holds ids and no business data',
  cache_outbox_horizon: 'one row: up to where the outbox was emptied',
  cache_trust: 'Redis servers',
  service_processes: 'what processes count, of all tenants together: names of operations, and SQL without values',
  service_minutes: 'what all processes count by minute: numbers, of all tenants together',
  _prisma_migrations: "Prisma's own",
};

/** Indexes for operators' look-ups over all tenants, and for the removal of what is old. */
const LOOKUPS_OVER_ALL_TENANTS = new Set([
  'bank_accounts_number_idx',
  'idempotency_keys_created_idx',
  'audit_log_at_idx',
  'tenant_usage_bucket_idx',
]);

/** A table as PostgreSQL has it. */
interface Table {
  readonly name: string;
  /** Type and nullability of the tenant's column; null when there is none. */
  readonly tenantColumn: string | null;
  readonly enabled: boolean;
  readonly forced: boolean;
  readonly policies: readonly { name: string; command: string; reads: string | null; writes: string | null }[];
  readonly indexes: readonly { name: string; isPrimary: boolean; first: string | null }[];
  readonly foreignKeys: readonly {
    name: string;
    first: string;
    target: string;
    targetFirst: string;
    onUpdate: string;
  }[];
}

/**
 * What keeps tenants apart in a migrated database, and what of it is missing: each fault names the
 * table and says what to add. Every table is looked at, so that nobody has to list a new one.
 * @param schema of Prisma; what its models lack is among the faults
 */
export async function isolationFaults(client: pg.ClientBase, schema: string): Promise<string[]> {
  const tables = (await client.query<Table>(TABLES_SQL, [TENANT_COLUMN])).rows;
  const views = (await client.query<{ name: string }>(VIEWS_SQL)).rows;
  return [
    ...schemaFaults(schema),
    ...tables.filter(({ name }) => !(name in TABLES_OF_NO_TENANT)).flatMap(tableFaults),
    ...views.map(
      ({ name }) =>
        `view ${name} reads with its owner's rights: create it WITH (security_invoker), and no materialized one`,
    ),
  ];
}

function schemaFaults(schema: string): string[] {
  const models = readDataModel(schema);
  let owned: TenantModels;
  try {
    owned = tenantModels(models);
  } catch (error) {
    return [(error as Error).message];
  }
  return [...owned.values()].flatMap(({ name, relations }) =>
    [...relations.values()]
      .filter(({ key }) => key && key.onUpdate !== 'NoAction')
      .map(({ field }) => `relation ${name}.${field} would carry changes of a key on: add onUpdate: NoAction`),
  );
}

function tableFaults(table: Table): string[] {
  const { name, tenantColumn, enabled, forced } = table;
  if (tenantColumn === null)
    return [
      `table ${name} has no ${TENANT_COLUMN}: add it, or list the table with a reason in test/support/leak-test.ts`,
    ];
  return [
    ...(tenantColumn === 'uuid not null'
      ? []
      : [`${name}.${TENANT_COLUMN} is ${tenantColumn}: expected uuid not null`]),
    ...(enabled && forced
      ? []
      : [`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY is missing`]),
    ...policyFaults(table),
    ...indexFaults(table),
    ...table.foreignKeys.flatMap((key) => foreignKeyFaults(name, key)),
  ];
}

/** Permissive policies are joined by OR: one wider than the tenant's rows opens them all. */
function policyFaults({ name, policies }: Table): string[] {
  const wide = policies.filter(({ reads, writes }) =>
    [reads, writes].some((part) => part !== null && part !== OWN_ROWS),
  );
  const whole = policies.some(({ command, reads }) => command === '*' && reads === OWN_ROWS);
  return [
    ...(whole ? [] : [`CREATE POLICY tenant_isolation ON ${name} ${POLICY_SQL} is missing`]),
    ...wide.map(
      (policy) => `policy ${policy.name} of ${name} lets in more than the tenant's rows: expected ${POLICY_SQL}`,
    ),
  ];
}

function indexFaults({ name, indexes }: Table): string[] {
  const hasKey = indexes.some(({ isPrimary, first }) => isPrimary && first === TENANT_COLUMN);
  return [
    ...(hasKey ? [] : [`the primary key of ${name} must begin with ${TENANT_COLUMN}: @@id([tenantId, …])`]),
    ...indexes
      .filter((index) => !index.isPrimary && index.first !== TENANT_COLUMN && !LOOKUPS_OVER_ALL_TENANTS.has(index.name))
      .map((index) => `index ${index.name} of ${name} must begin with ${TENANT_COLUMN}, not with ${index.first}`),
  ];
}

function foreignKeyFaults(table: string, { name, first, target, targetFirst, onUpdate }: Table['foreignKeys'][number]) {
  const expected = target === TENANTS ? 'id' : TENANT_COLUMN;
  const isTenant = first === TENANT_COLUMN && targetFirst === expected;
  return [
    ...(isTenant
      ? []
      : [`foreign key ${name} of ${table} must begin with ${TENANT_COLUMN} and refer to ${target} (${expected}, …)`]),
    ...(onUpdate === 'a'
      ? []
      : [`foreign key ${name} of ${table} carries changes of the key on: add onUpdate: NoAction`]),
  ];
}

const COLUMN = (relation: string, number: string) =>
  `(SELECT attname::text FROM pg_attribute WHERE attrelid = ${relation} AND attnum = ${number})`;
const LIST = (columns: string, from: string) =>
  `(SELECT coalesce(jsonb_agg(jsonb_build_object(${columns})), '[]') FROM ${from})`;

const TABLES_SQL = `
  SELECT relname::text AS name, relrowsecurity AS enabled, relforcerowsecurity AS forced,
    (SELECT format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END FROM pg_attribute
     WHERE attrelid = c.oid AND attname = $1 AND NOT attisdropped) AS "tenantColumn",
    ${LIST(
      `'name', polname, 'command', polcmd, 'reads', pg_get_expr(polqual, polrelid), 'writes', pg_get_expr(polwithcheck, polrelid)`,
      // What opens rows to the tables' owner alone, src/database/required-objects.ts describes.
      'pg_policy WHERE polrelid = c.oid AND polpermissive AND polroles <> ARRAY[c.relowner]',
    )} AS policies,
    ${LIST(
      `'name', indexrelid::regclass::text, 'isPrimary', indisprimary, 'first', ${COLUMN('c.oid', 'indkey[0]')}`,
      'pg_index WHERE indrelid = c.oid',
    )} AS indexes,
    ${LIST(
      `'name', conname, 'first', ${COLUMN('conrelid', 'conkey[1]')}, 'target', confrelid::regclass::text,
       'targetFirst', ${COLUMN('confrelid', 'confkey[1]')}, 'onUpdate', confupdtype`,
      "pg_constraint WHERE conrelid = c.oid AND contype = 'f'",
    )} AS "foreignKeys"
  FROM pg_class c WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') ORDER BY relname`;

const VIEWS_SQL = `
  SELECT relname::text AS name FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('v', 'm')
    AND NOT (relkind = 'v' AND 'security_invoker=true' = ANY (coalesce(reloptions, '{}'))) ORDER BY relname`;
