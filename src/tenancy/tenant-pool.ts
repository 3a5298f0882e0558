import pg from 'pg';
import {
  DEFAULT_QUEUE_LIMITS,
  DEFAULT_REQUEST_STATEMENTS,
  DEFAULT_SEARCH_SHARE,
  type QueueLimits,
} from '../config/queue-limits.ts';
import { type Asked, ConnectionTurns } from './connection-turns.ts';
import { DIRECTORY, THE_SERVICE } from './lanes.ts';
import { PoolTransactions } from './pool-transactions.ts';
import type { ConnectionFigures } from './queue-figures.ts';
import { RunningStatements } from './running-statements.ts';
import { endSilentConnections, KEEP_ALIVE_MS, longestSilenceMs, watchForSilence } from './silent-connections.ts';
import { refuseNested, type StatementContext, statementContext } from './statement-context.ts';
import { type StatementEvent, type TimedRun, timedBy } from './statement-event.ts';
import {
  FOR_DIRECTORY,
  FOR_NOBODY,
  forTenant,
  localSettings,
  type PreparedStatement,
  prepareCompanions,
  type StatementSettings,
  submit,
} from './tenant-query.ts';

export interface TenantPoolOptions extends pg.PoolConfig, StatementSettings {
  /** Of the queue for connections; the defaults when absent. */
  readonly queue?: QueueLimits;
  /** How many connections one request has, or waits for, at the same time. */
  readonly requestStatements?: number;
  /** In percent: how much of the pool searches hold at most, of all tenants together. */
  readonly searchShare?: number;
  /**
   * How long PostgreSQL may say nothing on a connection in use; more than statements may take when
   * absent, and any time where these have no limit.
   */
  readonly silenceMs?: number | undefined;
  /** Called after every statement. Must not throw. */
  readonly onStatement?: (event: StatementEvent) => void;
}

/**
 * A pool whose every statement is sent with its tenant, in the same round trip: Bind and Execute of
 * a prepared `set_config(..., local)` travel ahead of the statement's own messages and before one
 * Sync, so that both share one implicit transaction. A statement without a tenant sees no rows
 * (row-level security fails closed).
 *
 * Prisma's adapter is given this pool too; it knows nothing of tenants, so its calls take theirs
 * from `statementContext`.
 */
export class TenantPool extends pg.Pool {
  readonly transactions: PoolTransactions;
  readonly #settings: StatementSettings;
  readonly #running: RunningStatements;
  readonly #turns: ConnectionTurns;
  readonly #timed: TimedRun;

  constructor({
    onStatement = () => {},
    queue = DEFAULT_QUEUE_LIMITS,
    requestStatements = DEFAULT_REQUEST_STATEMENTS,
    searchShare = DEFAULT_SEARCH_SHARE,
    statementTimeoutMs,
    silenceMs = statementTimeoutMs === undefined ? undefined : longestSilenceMs(statementTimeoutMs),
    role,
    ...config
  }: TenantPoolOptions) {
    const settings = { ...(statementTimeoutMs !== undefined && { statementTimeoutMs }), ...(role && { role }) };
    // A connection that cannot be prepared is closed, and counts as one that could not be opened:
    // every statement on it would fail.
    super({
      ...{ keepAlive: true, keepAliveInitialDelayMillis: KEEP_ALIVE_MS },
      ...config,
      onConnect: (client) => {
        if (silenceMs !== undefined) watchForSilence(client, silenceMs);
        return prepareCompanions(client, settings);
      },
    });
    if (silenceMs !== undefined) endSilentConnections(this, silenceMs);
    this.#settings = settings;
    this.#running = new RunningStatements(requestStatements);
    const connect: pg.Pool['connect'] = super.connect.bind(this);
    this.#turns = new ConnectionTurns(this, connect, this.#running, { queue, searchShare });
    this.#timed = timedBy(onStatement, (client, error) => this.#turns.noteFailure(client, error));
    this.transactions = new PoolTransactions(this.#turns, this.#running, this.#timed);
    // A lost connection rejects the statement under way; without a listener it would end the process
    // as well.
    this.on('connect', (client) => client.on('error', () => {}));
  }

  /**
   * Sends one statement for a tenant.
   * @param lane in which it waits for a connection; the tenant's when absent
   */
  async queryAs<Row extends object>(
    context: StatementContext,
    statement: PreparedStatement,
    lane?: string,
  ): Promise<Row[]> {
    return (await this.#send(context, statement, lane)).rows as Row[];
  }

  /** Lends a connection for no tenant. Each statement sent on it is a transaction of its own. */
  lend<Result>(
    work: (connection: Pick<pg.ClientBase, 'query'>) => Promise<Result>,
    asked: Asked = BY_ITSELF,
  ): Promise<Result> {
    let failed = true;
    const lent = async (client: pg.PoolClient) => {
      const query = async (config: string | pg.QueryConfig, values?: unknown[]) => {
        if (asked.request) this.#running.refuseAbandoned(asked.request);
        const statement = typeof config === 'string' ? { text: config, ...(values && { values }) } : config;
        return submit(client, statement, FOR_NOBODY);
      };
      const result = await work({ query: query as pg.ClientBase['query'] });
      failed = false;
      return result;
    };
    return this.#withClient(asked, lent, () => failed); // one that failed may be lost
  }

  /** Sends one statement for no tenant, which may read the directory of tenants. */
  async queryDirectory<Row extends object>(statement: PreparedStatement, asked: Asked = LOOKUP): Promise<Row[]> {
    const context = { ...LOOKUP_CONTEXT, request: asked.request };
    const sent = await this.#withClient(asked, (client) =>
      this.#timed(client, context, statement, () => submit(client, statement, FOR_DIRECTORY)),
    );
    return sent.rows as Row[];
  }

  /** What Prisma's adapter calls outside transactions. */
  override query = ((config: string | pg.QueryConfig, values?: unknown[]) => {
    const context = statementContext.getStore() ?? NO_TENANT;
    const statement = typeof config === 'string' ? { text: config, ...(values && { values }) } : config;
    return context.joined ? context.joined(context, statement) : this.#send(context, statement);
  }) as pg.Pool['query'];

  /** What Prisma's adapter calls to begin a transaction: the tenant is set with its BEGIN. */
  override connect = (async () => {
    const context = statementContext.getStore() ?? NO_TENANT;
    refuseNested(context);
    const client = await this.#turns.checkOut(context);
    const send = client.query.bind(client) as (config: pg.QueryConfig) => Promise<pg.QueryResult>;
    client.query = ((config: string | pg.QueryConfig, values?: unknown[]) => {
      const statement = typeof config === 'string' ? { text: config, values } : config;
      return this.#timed(client, statementContext.getStore() ?? context, statement, () =>
        send(withTenant(statement, context, this.#settings)),
      );
    }) as pg.PoolClient['query'];
    const release = client.release.bind(client);
    client.release = (error) => {
      Reflect.deleteProperty(client, 'query');
      client.release = release;
      this.#turns.giveBack(client, context, error);
    };
    return client;
  }) as pg.Pool['connect'];

  /**
   * The client of a request went away: its statements are stopped, but for those in transactions,
   * and what it would send yet is refused.
   */
  abandon(request: object): void {
    this.#running.abandon(request);
  }

  /** What became of those who wanted a connection. */
  get queue(): ConnectionFigures {
    return this.#turns.figures;
  }

  #send(context: StatementContext, statement: PreparedStatement, lane = context.tenantId): Promise<pg.QueryResult> {
    const asked = { tenantId: lane, request: context.request, isSearch: statement.isSearch };
    return this.#withClient(asked, (client) =>
      this.#timed(client, context, statement, () =>
        submit(client, statement, { ahead: [forTenant(context.tenantId, statement)] }),
      ),
    );
  }

  /** @param isUnfit whether the connection is closed instead of serving others, asked in the end */
  async #withClient<Result>(
    asked: Asked,
    work: (client: pg.PoolClient) => Promise<Result>,
    isUnfit: () => boolean = () => false,
  ): Promise<Result> {
    const { request } = asked;
    this.transactions.refuseTransacting(request);
    const client = await this.#turns.checkOut(asked);
    const release = (isUnsure: boolean) => this.#turns.giveBack(client, asked, isUnsure || isUnfit());
    if (request) return this.#running.run(request, client, () => work(client), release);
    try {
      return await work(client);
    } finally {
      release(false);
    }
  }
}

const BY_ITSELF: Asked = { tenantId: THE_SERVICE };
const NO_TENANT: StatementContext = { tenantId: '', action: 'unscoped' };
const LOOKUP: Asked = { tenantId: DIRECTORY };
const LOOKUP_CONTEXT: StatementContext = { tenantId: '', model: 'Tenant', action: 'directory' };

/**
 * `SET LOCAL` instead of `select set_config`: a SELECT would take the transaction's snapshot, and
 * the isolation level could then not be set any more (SQLSTATE 25001).
 */
function withTenant(
  statement: pg.QueryConfig,
  { tenantId }: StatementContext,
  settings: StatementSettings,
): pg.QueryConfig {
  if (statement.text !== 'BEGIN') return statement;
  const local = [...localSettings(settings), ['app.tenant_id', tenantId] as const];
  return { text: `BEGIN${local.map(([name, value]) => `; SET LOCAL ${name} = ${pg.escapeLiteral(value)}`).join('')}` };
}
