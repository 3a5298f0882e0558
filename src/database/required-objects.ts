import { maskOf, type ParentKey, TOLD_TABLES } from '../cache/dependencies/dependencies.ts';

/**
 * What the design needs in the database beyond tables and columns: one description, which
 * `databaseFaults` holds the database against. The migrations make it; test/database/faults.test.ts
 * holds both together. Definitions are as PostgreSQL prints them.
 */

/**
 * Whether a trigger fires for whoever writes, or only where rows are replayed
 * (session_replication_role = replica).
 */
export type Firing = 'ALWAYS' | 'REPLICA';

export interface RequiredTrigger {
  readonly table: string;
  readonly name: string;
  readonly firing: Firing;
  readonly definition: string;
}

export interface RequiredPolicy {
  readonly table: string;
  readonly name: string;
  readonly command: 'ALL' | 'SELECT' | 'INSERT' | 'DELETE';
  /** Everyone, or only the owner of the tables and of the functions that keep totals. */
  readonly holds: 'PUBLIC' | 'owner';
  readonly using?: string;
  readonly check?: string;
}

export interface RequiredConstraint {
  readonly table: string;
  readonly name: string;
  readonly definition: string;
}

const EVENTS = ['INSERT', 'UPDATE', 'DELETE'] as const;
const TRANSITION = {
  INSERT: 'NEW TABLE AS new_rows',
  UPDATE: 'OLD TABLE AS old_rows NEW TABLE AS new_rows',
  DELETE: 'OLD TABLE AS old_rows',
} as const;
const ANY_CHANGE = 'INSERT OR DELETE OR UPDATE';

/** The tables whose changes the outbox tells of, with the bits that it tells. */
const TOLD = TOLD_TABLES.map(({ table, changes }) => ({
  table,
  kind: table === 'tenants' ? 'tenants' : 'rows',
  bits: maskOf(changes),
}));
/** Tables with all that `tenant_table` of the migrations gives. */
const MADE = TOLD_TABLES.flatMap(({ table, parent }) => (parent ? [{ table, parent }] : []));
/** The tables that totals are made of. */
const COUNTED = ['bank_accounts', 'transactions', 'folded_totals'] as const;

const always = (table: string, name: string, what: string): RequiredTrigger => trigger(table, name, 'ALWAYS', what);
const replayed = (table: string, name: string, what: string): RequiredTrigger => trigger(table, name, 'REPLICA', what);

export const REQUIRED_TRIGGERS: readonly RequiredTrigger[] = [
  ...TOLD.flatMap(({ table, kind, bits }) => [
    ...EVENTS.map((event) =>
      always(
        table,
        `cache_outbox_${lower(event)}`,
        ofStatement(event, `cache_outbox_${kind}_${lower(event)}('${bits}')`),
      ),
    ),
    always(table, 'cache_outbox_truncate', `BEFORE TRUNCATE FOR EACH STATEMENT cache_outbox_truncate('${bits}')`),
    replayed(table, 'cache_outbox_applied', ofAppliedRow(`cache_outbox_${table}_applied()`)),
  ]),
  ...COUNTED.flatMap((table) => [
    ...EVENTS.map((event) =>
      always(table, `keep_totals_${lower(event)}`, ofStatement(event, `${table}_keep_totals_${lower(event)}()`)),
    ),
    always(table, 'keep_totals_truncate', `AFTER TRUNCATE FOR EACH STATEMENT ${table}_keep_totals_truncate()`),
    replayed(table, 'keep_totals_applied', ofAppliedRow(`${table}_keep_totals_applied()`)),
    replayed(table, 'replayed_statement_begins', `BEFORE ${ANY_CHANGE} FOR EACH STATEMENT count_replayed_statement()`),
    replayed(table, 'replayed_statement_ends', `AFTER ${ANY_CHANGE} FOR EACH STATEMENT count_replayed_statement()`),
  ]),
  always('transactions', 'refuse_folded', ofStatement('INSERT', 'transactions_refuse_folded()')),
  replayed('tenants', 'keep_totals_applied', `AFTER ${ANY_CHANGE} OF id FOR EACH ROW tenants_keep_totals_applied()`),
  always(
    'tenants',
    'rebuild_days',
    'AFTER UPDATE OF time_zone FOR EACH ROW WHEN (old.time_zone IS DISTINCT FROM new.time_zone) tenants_rebuild_days()',
  ),
];

const OWN_ROWS = "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)";
const DIRECTORY = "(current_setting('app.directory'::text, true) = 'on'::text)";
const MAINTAINING = "(current_setting('app.maintenance'::text, true) = 'on'::text)";
const KEEPING = "(current_setting('app.keep_totals'::text, true) = 'on'::text)";

/** Row-level security is enabled and forced on the tables of these. */
export const REQUIRED_POLICIES: readonly RequiredPolicy[] = [
  policy('tenants', 'tenant_isolation', 'ALL', `(${OWN_ROWS.replace('tenant_id =', 'id =')} OR ${DIRECTORY})`),
  ...[
    'bank_accounts',
    'transactions',
    'idempotency_keys',
    'daily_totals',
    'folded_totals',
    'account_totals',
    'audit_log',
    'tenant_usage',
    ...MADE.map(({ table }) => table),
  ].map((table) => policy(table, 'tenant_isolation', 'ALL', OWN_ROWS)),
  ...['audit_log', 'idempotency_keys', 'tenant_usage'].map(
    (table): RequiredPolicy => ({ ...policy(table, 'maintained', 'ALL', MAINTAINING), holds: 'owner' }),
  ),
  ...['tenants', 'bank_accounts', 'transactions', 'daily_totals', 'folded_totals', 'account_totals'].map(
    (table): RequiredPolicy => ({ ...policy(table, 'keeps_totals', 'ALL', KEEPING), holds: 'owner' }),
  ),
  policy('cache_outbox', 'followed', 'SELECT', DIRECTORY),
  policy('cache_outbox', 'cleaned', 'DELETE', DIRECTORY),
  { table: 'cache_outbox', name: 'written_by_triggers', command: 'INSERT', holds: 'PUBLIC', check: 'true' },
];

/**
 * Functions that run with their owner's rights, by name: those of the owner of the tables, which
 * passes the policies while they work.
 */
export const DEFINER_FUNCTIONS: readonly string[] = [
  ...COUNTED.flatMap((table) =>
    ['insert', 'update', 'delete', 'truncate', 'applied'].map((event) => `${table}_keep_totals_${event}`),
  ),
  ...EVENTS.flatMap((event) => ['rows', 'tenants'].map((kind) => `cache_outbox_${kind}_${lower(event)}`)),
  ...TOLD.map(({ table }) => `cache_outbox_${table}_applied`),
  'cache_outbox_truncate',
  'cache_outbox_add',
  'cache_outbox_clean',
  'audit_log_clean',
  'idempotency_keys_clean',
  'tenant_usage_add',
  'tenant_usage_clean',
  'tenant_usage_recent',
  'tenant_usage_top',
  'tenants_keep_totals_applied',
  'tenants_rebuild_days',
  'transactions_fold',
  'transactions_refuse_folded',
  'statistics_rebuild',
  'statistics_recompute',
];

/**
 * Keys that adding to totals and writing the outbox meet, and relations that carry the end of a
 * tenant on.
 */
export const REQUIRED_CONSTRAINTS: readonly RequiredConstraint[] = [
  key('tenants', 'id'),
  key('bank_accounts', 'tenant_id, id'),
  key('transactions', 'tenant_id, id'),
  key('idempotency_keys', 'tenant_id, key'),
  key('audit_log', 'tenant_id, at, id'),
  key('tenant_usage', 'tenant_id, bucket'),
  key('daily_totals', 'tenant_id, day, currency, category, slot'),
  key('folded_totals', 'tenant_id, day, currency, category'),
  key('account_totals', 'tenant_id, account_type, status, bank_name, currency, slot'),
  key('cache_outbox', 'xid, tenant_id, dependencies'),
  key('service_processes', 'id'),
  key('service_minutes', 'minute'),
  ...['bank_accounts', 'idempotency_keys', 'daily_totals', 'folded_totals', 'account_totals'].map((table) => ({
    table,
    name: `${table}_tenant_id_fkey`,
    definition: 'FOREIGN KEY (tenant_id) REFERENCES tenants(id) ON DELETE CASCADE',
  })),
  {
    table: 'transactions',
    name: 'transactions_tenant_id_account_id_fkey',
    definition: 'FOREIGN KEY (tenant_id, account_id) REFERENCES bank_accounts(tenant_id, id) ON DELETE CASCADE',
  },
  ...MADE.flatMap(({ table, parent }) => [key(table, 'tenant_id, id'), parentKey(table, parent)]),
];

/**
 * @param what timing and events, level with its condition, and the function, as in `AFTER DELETE
 *   FOR EACH ROW f()`
 */
function trigger(table: string, name: string, firing: Firing, what: string): RequiredTrigger {
  const [, when, rest, call] = /^(.*?)( (?:REFERENCING .*)?FOR EACH .*) (\S+)$/.exec(what) as unknown as string[];
  return {
    table,
    name,
    firing,
    definition: `CREATE TRIGGER ${name} ${when} ON ${table}${rest} EXECUTE FUNCTION ${call}`,
  };
}

function ofStatement(event: (typeof EVENTS)[number], call: string): string {
  return `AFTER ${event} REFERENCING ${TRANSITION[event]} FOR EACH STATEMENT ${call}`;
}

function ofAppliedRow(call: string): string {
  return `AFTER ${ANY_CHANGE} FOR EACH ROW WHEN (is_applied_row()) ${call}`;
}

function policy(table: string, name: string, command: RequiredPolicy['command'], using: string): RequiredPolicy {
  return { table, name, command, holds: 'PUBLIC', using };
}

function key(table: string, columns: string): RequiredConstraint {
  return { table, name: `${table}_pkey`, definition: `PRIMARY KEY (${columns})` };
}

function parentKey(table: string, { table: parent, key }: ParentKey): RequiredConstraint {
  const [columns, name] = key ? [`tenant_id, ${key}`, `tenant_id_${key}`] : ['tenant_id', 'tenant_id'];
  return {
    table,
    name: `${table}_${name}_fkey`,
    definition: `FOREIGN KEY (${columns}) REFERENCES ${parent}(${key ? 'tenant_id, id' : 'id'}) ON DELETE CASCADE`,
  };
}

function lower(event: string): string {
  return event.toLowerCase();
}
