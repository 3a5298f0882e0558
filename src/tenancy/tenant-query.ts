import pg from 'pg';
import Query, { type WireConnection } from 'pg/lib/query.js';
import { SET_TEXT_FORMATS } from '../database/session-settings.ts';

/** A statement as the pool takes it: named ones are prepared once per connection. */
export interface PreparedStatement {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
  /** Of `SqlStatement`. */
  readonly planOnce?: boolean | undefined;
  /** Of `SqlStatement`; never longer than that of all statements. */
  readonly timeoutMs?: number | undefined;
  /** Of `SqlStatement`. */
  readonly isSearch?: boolean | undefined;
}

/**
 * Left to itself, PostgreSQL plans anew what has parameters that are lists: it takes them for
 * longer than they are (docs/decisions.md).
 */
const PLAN_ONCE = "set_config('plan_cache_mode', 'force_generic_plan', true)";

/**
 * A statement with a time limit of its own is one that may read many rows. It keeps one core of
 * the database busy, and not three.
 */
const ONE_CORE = "set_config('max_parallel_workers_per_gather', '0', true)";

/**
 * What every statement is to have, whatever session of PostgreSQL carries it out: poolers share
 * sessions, and drop what a connection starts with.
 */
export interface StatementSettings {
  /** PostgreSQL stops a statement that runs longer; its own setting when absent. */
  readonly statementTimeoutMs?: number;
  /** Taken for each statement, because the login itself is not held to row-level security. */
  readonly role?: string;
}

/**
 * As `SET LOCAL`: for the rest of a transaction. A statement's time runs from its own begin on, and
 * so after this.
 */
export function localSettings({ statementTimeoutMs, role }: StatementSettings): [name: string, value: string][] {
  const settings: [string, string][] = [];
  if (statementTimeoutMs !== undefined) settings.push(['statement_timeout', String(statementTimeoutMs)]);
  if (role !== undefined) settings.push(['role', role]);
  return settings;
}

/**
 * What is prepared on every connection, to be sent together with others; most begin with the
 * settings of all statements.
 */
const companions = (settings: string, settingsButTime: string) => ({
  begin: 'BEGIN',
  begin_snapshot: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
  commit: 'COMMIT',
  savepoint: 'SAVEPOINT timed',
  roll_back_to_savepoint: 'ROLLBACK TO SAVEPOINT timed',
  set_timeout: `SELECT set_config('statement_timeout', $1, true), ${ONE_CORE}`,
  // `SET LOCAL` as functions: the value holds for the statement's own transaction and nothing of it
  // stays behind.
  set_tenant: `SELECT ${settings}set_config('app.tenant_id', $1, true)`,
  set_tenant_plan_once: `SELECT ${settings}set_config('app.tenant_id', $1, true), ${PLAN_ONCE}`,
  set_tenant_timed: `SELECT ${settingsButTime}set_config('app.tenant_id', $1, true), set_config('statement_timeout', $2, true), ${ONE_CORE}`,
  set_tenant_timed_plan_once: `SELECT ${settingsButTime}set_config('app.tenant_id', $1, true), set_config('statement_timeout', $2, true), ${ONE_CORE}, ${PLAN_ONCE}`,
  set_writer: `SELECT ${settings}set_config('app.tenant_id', $1, true), set_config('app.write_id', $2, true), ${PLAN_ONCE}`,
  /** For reading the directory of tenants: slugs and names, never business data. */
  set_directory: `SELECT ${settings}set_config('app.directory', $1, true)`,
  /** For what is of no tenant. */
  set_nothing: `SELECT ${settings}NULL`,
});

/** A statement that travels with another one. What it answers is passed over. */
export interface Companion {
  readonly name: keyof ReturnType<typeof companions>;
  readonly values: readonly string[];
}

/** What goes ahead of a statement and behind it. */
export interface Company {
  readonly ahead: readonly Companion[];
  readonly behind?: readonly Companion[];
}

export const BEGIN: Companion = { name: 'begin', values: [] };
export const BEGIN_SNAPSHOT: Companion = { name: 'begin_snapshot', values: [] };
export const COMMIT: Companion = { name: 'commit', values: [] };
/**
 * For a statement with a time limit of its own within a transaction that only reads: rolling back
 * brings back the limit of before.
 */
export const SAVEPOINT: Companion = { name: 'savepoint', values: [] };
export const ROLL_BACK_TO_SAVEPOINT: Companion = { name: 'roll_back_to_savepoint', values: [] };
export const FOR_NOBODY: Company = { ahead: [{ name: 'set_nothing', values: [] }] };
export const FOR_DIRECTORY: Company = { ahead: [{ name: 'set_directory', values: ['on'] }] };

export function timeLimit(timeoutMs: number): Companion {
  return { name: 'set_timeout', values: [String(timeoutMs)] };
}

/** For the statement that follows. */
export function forTenant(
  tenantId: string,
  { planOnce, timeoutMs }: Pick<PreparedStatement, 'planOnce' | 'timeoutMs'> = {},
): Companion {
  if (timeoutMs !== undefined)
    return {
      name: planOnce ? 'set_tenant_timed_plan_once' : 'set_tenant_timed',
      values: [tenantId, String(timeoutMs)],
    };
  return { name: planOnce ? 'set_tenant_plan_once' : 'set_tenant', values: [tenantId] };
}

/**
 * For all statements of a transaction that writes, which find their rows by keys: each is planned
 * once.
 */
export function forWriter(tenantId: string, writeId = ''): Companion {
  return { name: 'set_writer', values: [tenantId, writeId] };
}

/**
 * Sends a statement with its company in one round trip. Should one of them fail, those behind it
 * are not carried out.
 */
export function submit(client: pg.PoolClient, statement: PreparedStatement, company: Company): Promise<pg.QueryResult> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, result: pg.QueryResult) => (error ? reject(error) : resolve(result));
    client.query(new AccompaniedQuery(statement as pg.QueryConfig, company, done));
  });
}

/** Sets how values are written, and prepares the companions, on a new connection. */
export function prepareCompanions(client: pg.ClientBase, settings: StatementSettings): Promise<unknown> {
  return new Promise((resolve, reject) => {
    client.query(new Preparation(settings, (error) => (error ? reject(error) : resolve(undefined))));
  });
}

/**
 * Statements of a connection that were stopped while they were being prepared. PostgreSQL does not
 * have them, and PgBouncer believes that it does: it ends the connection of who prepares one again.
 */
const stoppedInPreparing = new WeakMap<WireConnection, Set<string>>();

/** The messages for all of them go before one Sync. */
class AccompaniedQuery extends Query {
  readonly #behind: readonly Companion[];
  readonly #position: number;
  #completed = 0;

  constructor(
    private readonly statement: pg.QueryConfig,
    private readonly company: Company,
    done: (error: Error | null, result: pg.QueryResult) => void,
  ) {
    // Of a statement that says how its rows are read, as Prisma's do, pg takes a copy of all.
    // Copying takes longer than all else that is done here.
    const isPlain = statement.types === undefined && !('rowMode' in statement);
    super(isPlain ? statement.text : statement, undefined, done);
    this.name = statement.name;
    this.values = statement.values;
    // For all of them: a simple query could not share the round trip.
    this.queryMode = 'extended';
    this.#position = company.ahead.length;
    this.#behind = company.behind ?? [];
  }

  override prepare(connection: WireConnection): void {
    for (const companion of this.company.ahead) send(connection, companion);
    const { name } = this.statement;
    if (name !== undefined && stoppedInPreparing.get(connection)?.delete(name)) connection.close({ type: 'S', name });
    super.prepare(connection);
  }

  override handleError(error: Error, connection: WireConnection): void {
    const { name } = this.statement;
    if (name !== undefined && connection.parsedStatements[name] === undefined) {
      const stopped = stoppedInPreparing.get(connection) ?? new Set();
      stoppedInPreparing.set(connection, stopped.add(name));
    }
    super.handleError(error, connection);
  }

  /** What ends the messages of the statement itself. */
  override _getRows(connection: WireConnection): void {
    connection.execute(WHOLE);
    for (const companion of this.#behind) send(connection, companion);
    connection.sync();
  }

  override handleDataRow(message: unknown): void {
    if (this.#completed === this.#position) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, connection: WireConnection): void {
    if (this.#completed++ === this.#position) super.handleCommandComplete(message, connection);
  }
}

class Preparation extends Query {
  constructor(
    private readonly settings: StatementSettings,
    done: (error: Error | null) => void,
  ) {
    super('prepare', undefined, done);
    this.queryMode = 'extended';
  }

  override prepare(connection: WireConnection): void {
    connection.parse({ name: '', text: SET_TEXT_FORMATS, types: [] });
    send(connection, { name: '', values: [] });
    const { statementTimeoutMs: _, ...butTime } = this.settings;
    const all = companions(settingsIn(this.settings), settingsIn(butTime));
    for (const [name, text] of Object.entries(all)) connection.parse({ name, text, types: [] });
    connection.sync();
  }

  override handleDataRow(): void {}

  override handleCommandComplete(): void {}
}

/** As the beginning of a SELECT. */
function settingsIn(settings: StatementSettings): string {
  return localSettings(settings)
    .map(([name, value]) => `set_config('${name}', ${pg.escapeLiteral(value)}, true), `)
    .join('');
}

/** The unnamed portal, with all its rows. */
const WHOLE = { portal: '', rows: 0 };

function send(connection: WireConnection, { name, values }: { name: string; values: readonly string[] }): void {
  connection.bind({ portal: '', statement: name, values: [...values], binary: false, valueMapper: asIs });
  connection.execute(WHOLE);
}

const asIs = (value: unknown) => value;
