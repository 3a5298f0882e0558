import { AsyncLocalStorage } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import pg from 'pg';
import Query, { type WireConnection } from 'pg/lib/query.js';
import type { ReadThrough } from './cached-reads.ts';
import { RunningStatements } from './running-statements.ts';

const SET_TENANT = 'set_tenant';
/** For reading the directory of tenants: slugs and names, never business data. */
const SET_DIRECTORY = 'set_directory';
/** `SET LOCAL` as a function: the value holds for the statement's own transaction and nothing of it stays behind. */
const PREPARE_SETTINGS = `PREPARE ${SET_TENANT} (text) AS SELECT set_config('app.tenant_id', $1, true);
  PREPARE ${SET_DIRECTORY} (text) AS SELECT set_config('app.directory', $1, true)`;

/** For whom, and on behalf of what, the statements of the running asynchronous context are sent. */
export interface StatementContext {
  readonly tenantId: string;
  /** Of a mutation's transaction: its rows in the cache's outbox carry it. */
  readonly writeId?: string;
  /** Prisma model or feature, for the timings. */
  readonly model?: string;
  /** Prisma action or the statement's purpose, for the timings. */
  readonly action: string;
  /** The scope's request. */
  readonly request?: object | undefined;
  /** What reads with the option `cache` go through; absent in transactions. */
  readonly readThrough?: ReadThrough | undefined;
}

/** One SQL statement as it was sent and answered. */
export interface StatementEvent {
  readonly sql: string;
  /** Of its parameters: business data, for whoever asks for its plan; never logged or kept. */
  readonly values: readonly unknown[];
  /** Empty for those of no tenant. */
  readonly tenantId: string;
  readonly model: string | undefined;
  readonly action: string;
  /** From handing it to the connection until its last row; waiting for a free connection not included. */
  readonly durationMs: number;
  readonly rows: number;
  readonly failed: boolean;
  /** What the tenant scope says it was sent for. */
  readonly request?: object | undefined;
}

export interface TenantPoolOptions extends pg.PoolConfig {
  /** Called after every statement. Must not throw. */
  readonly onStatement?: (event: StatementEvent) => void;
}

/** A statement as the pool takes it: named ones are prepared once per connection. */
export interface PreparedStatement {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

/**
 * A pool whose every statement is sent with its tenant, in the same round trip: Bind and Execute of a prepared
 * `set_config(..., local)` travel ahead of the statement's own messages and before one Sync, so that both share one
 * implicit transaction. A statement without a tenant sees no rows (row-level security fails closed).
 *
 * Prisma's adapter is given this pool too; it knows nothing of tenants, so its calls take theirs from `statementContext`.
 */
export class TenantPool extends pg.Pool {
  readonly #onStatement: (event: StatementEvent) => void;
  readonly #running = new RunningStatements();

  constructor({ onStatement = () => {}, ...config }: TenantPoolOptions) {
    super(config);
    this.#onStatement = onStatement;
    this.on('connect', (client) => {
      // A lost connection rejects the statement under way; without a listener it would end the process as well.
      client.on('error', () => {});
      // Queued ahead of whatever the connection was opened for. Should it fail, so does every statement that needs it.
      client.query(PREPARE_SETTINGS).catch((error) => this.emit('error', error, client));
    });
  }

  /** Sends one statement for a tenant. */
  async queryAs<Row extends object>(context: StatementContext, statement: PreparedStatement): Promise<Row[]> {
    return (await this.#send(context, statement as pg.QueryConfig)).rows as Row[];
  }

  /** Sends one statement for no tenant, which may read the directory of tenants. */
  async queryDirectory<Row extends object>(statement: PreparedStatement): Promise<Row[]> {
    const client = await super.connect();
    const config = statement as pg.QueryConfig;
    try {
      const run = () => submit(client, config, { name: SET_DIRECTORY, value: 'on' });
      return (await this.#timed(DIRECTORY, config, run)).rows as Row[];
    } finally {
      client.release();
    }
  }

  /**
   * The client of a request went away: its statements are stopped, but for those in transactions, and what it would
   * send yet is refused.
   */
  abandon(request: object): void {
    this.#running.abandon(request);
  }

  /** What Prisma's adapter calls outside transactions. */
  override query = ((config: string | pg.QueryConfig, values?: unknown[]) =>
    this.#send(
      statementContext.getStore() ?? NO_TENANT,
      typeof config === 'string' ? { text: config, values } : config,
    )) as pg.Pool['query'];

  /** What Prisma's adapter calls to begin a transaction: the tenant is set with its BEGIN. */
  override connect = (async () => {
    const context = statementContext.getStore() ?? NO_TENANT;
    const client = await super.connect();
    const send = client.query.bind(client) as (config: pg.QueryConfig) => Promise<pg.QueryResult>;
    const release = client.release.bind(client);
    client.query = ((config: string | pg.QueryConfig, values?: unknown[]) => {
      const statement = typeof config === 'string' ? { text: config, values } : config;
      return this.#timed(statementContext.getStore() ?? context, statement, () => send(withTenant(statement, context)));
    }) as pg.PoolClient['query'];
    client.release = (error) => {
      Reflect.deleteProperty(client, 'query');
      release(error);
    };
    return client;
  }) as pg.Pool['connect'];

  async #send(context: StatementContext, statement: pg.QueryConfig): Promise<pg.QueryResult> {
    const client = await super.connect();
    const run = () =>
      this.#timed(context, statement, () => submit(client, statement, { name: SET_TENANT, value: context.tenantId }));
    const release = (isUnsure: boolean) => client.release(isUnsure);
    if (context.request) return this.#running.run(context.request, client, run, release);
    try {
      return await run();
    } finally {
      release(false);
    }
  }

  async #timed(
    context: StatementContext,
    { text, values = [] }: pg.QueryConfig,
    run: () => Promise<pg.QueryResult>,
  ): Promise<pg.QueryResult> {
    const startedAt = performance.now();
    const report = (rows: number, failed: boolean) =>
      this.#onStatement({
        sql: text,
        values,
        tenantId: context.tenantId,
        model: context.model,
        action: context.action,
        durationMs: performance.now() - startedAt,
        rows,
        failed,
        request: context.request,
      });
    try {
      const result = await run();
      report(result.rowCount ?? 0, false);
      return result;
    } catch (error) {
      report(0, true);
      throw error;
    }
  }
}

/** Who the statements of this asynchronous context are for; set by `inStatementContext` and by nothing else. */
export const statementContext = new AsyncLocalStorage<StatementContext>();
let contextsInUse = 0;

/**
 * Runs `work`, and whatever Prisma does for it, for a tenant. The storage is off while nothing needs it: on Node 20
 * and 22, once it was used, every promise of the process costs more (16 to 30 % of a request's CPU, measured).
 */
export async function inStatementContext<Result>(
  context: StatementContext,
  work: () => Promise<Result>,
): Promise<Result> {
  contextsInUse++;
  try {
    return await statementContext.run(context, work);
  } finally {
    if (--contextsInUse === 0) statementContext.disable();
  }
}

const NO_TENANT: StatementContext = { tenantId: '', action: 'unscoped' };
const DIRECTORY: StatementContext = { tenantId: '', model: 'Tenant', action: 'directory' };

/**
 * `SET LOCAL` instead of `select set_config`: a SELECT would take the transaction's snapshot, and the isolation level
 * could then not be set any more (SQLSTATE 25001).
 */
function withTenant(statement: pg.QueryConfig, { tenantId, writeId }: StatementContext): pg.QueryConfig {
  if (statement.text !== 'BEGIN') return statement;
  const text = `BEGIN; SET LOCAL app.tenant_id = ${pg.escapeLiteral(tenantId)}`;
  return { text: writeId === undefined ? text : `${text}; SET LOCAL app.write_id = ${pg.escapeLiteral(writeId)}` };
}

/** What is set for one statement: the prepared statement that does it, and its value. */
interface LocalSetting {
  readonly name: string;
  readonly value: string;
}

function submit(client: pg.PoolClient, statement: pg.QueryConfig, setting: LocalSetting): Promise<pg.QueryResult> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, result: pg.QueryResult) => (error ? reject(error) : resolve(result));
    client.query(new TenantQuery(statement, setting, done));
  });
}

/** A query with the `set_config` of its tenant, or of the directory, ahead of it; the answer to that first statement is passed over. */
class TenantQuery extends Query {
  #passingOver = true;

  constructor(
    statement: pg.QueryConfig,
    private readonly setting: LocalSetting,
    done: (error: Error | null, result: pg.QueryResult) => void,
  ) {
    // The extended protocol for all of them: a simple query could not share the round trip.
    super({ ...statement, queryMode: 'extended' }, undefined, done);
  }

  override prepare(connection: WireConnection): void {
    connection.bind({
      portal: '',
      statement: this.setting.name,
      values: [this.setting.value],
      binary: false,
      valueMapper: asIs,
    });
    connection.execute({ portal: '', rows: 0 });
    super.prepare(connection);
  }

  override handleDataRow(message: unknown): void {
    if (!this.#passingOver) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, connection: WireConnection): void {
    if (this.#passingOver) this.#passingOver = false;
    else super.handleCommandComplete(message, connection);
  }
}

const asIs = (value: unknown) => value;
