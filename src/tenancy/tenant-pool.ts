import { AsyncLocalStorage } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import pg from 'pg';
import {
  DEFAULT_QUEUE_LIMITS,
  DEFAULT_REQUEST_STATEMENTS,
  DEFAULT_SEARCH_SHARE,
  type QueueLimits,
} from '../config/queue-limits.ts';
import { isReadOnly } from '../database/sql-state.ts';
import { LatencyHistogram } from '../latency-histogram.ts';
import type { ReadThrough } from './cached-reads.ts';
import { FairQueue, type RefusalReason, type TurnRefused } from './fair-queue.ts';
import { DIRECTORY, THE_SERVICE } from './lanes.ts';
import { RunningStatements } from './running-statements.ts';
import {
  BEGIN,
  BEGIN_SNAPSHOT,
  FOR_DIRECTORY,
  FOR_NOBODY,
  forTenant,
  forWriter,
  localSettings,
  type PreparedStatement,
  prepareCompanions,
  type StatementSettings,
  submit,
} from './tenant-query.ts';
import { PooledTransaction, type StatementEnd, type TransactionOwner } from './tenant-transaction.ts';

/** For whom, and on behalf of what, the statements of the running asynchronous context are sent. */
export interface StatementContext {
  readonly tenantId: string;
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
  /**
   * From handing it to the connection until its last row; waiting for a free connection not
   * included.
   */
  readonly durationMs: number;
  readonly rows: number;
  readonly failed: boolean;
  /** What the tenant scope says it was sent for. */
  readonly request?: object | undefined;
}

export interface TenantPoolOptions extends pg.PoolConfig, StatementSettings {
  /** Of the queue for connections; the defaults when absent. */
  readonly queue?: QueueLimits;
  /** How many connections one request has, or waits for, at the same time. */
  readonly requestStatements?: number;
  /** In percent: how much of the pool searches hold at most, of all tenants together. */
  readonly searchShare?: number;
  /** Called after every statement. Must not throw. */
  readonly onStatement?: (event: StatementEvent) => void;
}

/**
 * In percent of the searches: while other tenants are active, those of one leave room for theirs,
 * and a core of the database for everybody else.
 */
const SEARCHER_SHARE = 50;

/** Who wants a connection. */
type Asked = Pick<StatementContext, 'tenantId' | 'request'> & {
  /** Of `SqlStatement`. */
  readonly isSearch?: boolean | undefined;
};

/** Since when somebody has waited for a connection, and before for a turn to search; absent: never. */
interface Wait {
  sinceMs?: number;
}

/** What became of those who wanted a connection. */
export interface QueueFigures {
  /** How many wait, and of how many tenants; searches wait for their turn as such first. */
  readonly length: number;
  readonly tenants: number;
  /** How long those waited who did, and got one; of searches, the wait for their turn included. */
  readonly waits: LatencyHistogram;
  /**
   * How many got none: too many waited, they waited too long, or PostgreSQL could not be reached.
   */
  readonly refusals: Readonly<Record<RefusalReason | 'unreachable', number>>;
}

/** A transaction of a request asks for more than its own connection: it could wait for itself. */
const IN_TRANSACTION =
  'A transaction of the request is under way: its statements are sent through the transaction, since it could wait for itself.';

/** Sends a statement within a transaction; one that ends it travels with its COMMIT. */
export type TransactionQuery = (
  context: StatementContext,
  statement: PreparedStatement,
  end: StatementEnd,
) => Promise<pg.QueryResultRow[]>;

/** Sends a statement that reads a snapshot. */
export type SnapshotQuery = (context: StatementContext, statement: PreparedStatement) => Promise<pg.QueryResultRow[]>;

/**
 * A pool whose every statement is sent with its tenant, in the same round trip: Bind and Execute of
 * a prepared `set_config(..., local)` travel ahead of the statement's own messages and before one
 * Sync, so that both share one implicit transaction. A statement without a tenant sees no rows
 * (row-level security fails closed).
 *
 * Prisma's adapter is given this pool too; it knows nothing of tenants, so its calls take theirs
 * from `statementContext`.
 *
 * Connections are given out by a `FairQueue`, one for a transaction from its begin to its end: what
 * it sends waits for nobody. Searches, which keep a core of the database busy, have few of them: a
 * search waits in a `FairQueue` of their own first.
 */
export class TenantPool extends pg.Pool {
  readonly #onStatement: (event: StatementEvent) => void;
  readonly #settings: StatementSettings;
  readonly #running: RunningStatements;
  readonly #queue: FairQueue;
  /** Of the searches, ahead of the queue for connections. */
  readonly #searches: FairQueue;
  /** Requests whose transactions are under way. */
  readonly #transacting = new WeakSet<object>();
  /** Connections that took no writes: opened anew, they may lead to the primary. */
  readonly #readOnly = new WeakSet<pg.PoolClient>();
  readonly #open = new Set<pg.PoolClient>();
  /** Why the last connection could not be opened; undefined since one was. */
  #connectError: Error | undefined;
  #unreachable = 0;
  readonly #waits = new LatencyHistogram();

  constructor({
    onStatement = () => {},
    queue = DEFAULT_QUEUE_LIMITS,
    requestStatements = DEFAULT_REQUEST_STATEMENTS,
    searchShare = DEFAULT_SEARCH_SHARE,
    statementTimeoutMs,
    role,
    ...config
  }: TenantPoolOptions) {
    const settings = { ...(statementTimeoutMs !== undefined && { statementTimeoutMs }), ...(role && { role }) };
    // A connection that cannot be prepared is closed, and counts as one that could not be opened:
    // every statement on it would fail.
    super({ ...config, onConnect: (client) => prepareCompanions(client, settings) });
    this.#onStatement = onStatement;
    this.#settings = settings;
    this.#running = new RunningStatements(requestStatements);
    this.#queue = new FairQueue('a connection', this.options.max, queue);
    const places = Math.max(1, Math.floor((this.options.max * searchShare) / 100));
    this.#searches = new FairQueue('a turn to search', places, { ...queue, tenantShare: SEARCHER_SHARE });
    this.on('remove', (client) => this.#open.delete(client));
    this.on('connect', (client) => {
      this.#open.add(client);
      this.#connectError = undefined;
      // A lost connection rejects the statement under way; without a listener it would end the
      // process as well.
      client.on('error', () => {});
    });
  }

  /** Sends one statement for a tenant. */
  async queryAs<Row extends object>(context: StatementContext, statement: PreparedStatement): Promise<Row[]> {
    return (await this.#send(context, statement)).rows as Row[];
  }

  /** Lends a connection for no tenant. Each statement sent on it is a transaction of its own. */
  async lend<Result>(work: (connection: Pick<pg.ClientBase, 'query'>) => Promise<Result>): Promise<Result> {
    const client = await this.#checkOut(BY_ITSELF);
    const query = (config: string | pg.QueryConfig, values?: unknown[]) =>
      submit(client, typeof config === 'string' ? { text: config, ...(values && { values }) } : config, FOR_NOBODY);
    let failed = true;
    try {
      const result = await work({ query: query as pg.ClientBase['query'] });
      failed = false;
      return result;
    } finally {
      this.#giveBack(client, BY_ITSELF, failed); // one that failed may be lost
    }
  }

  /** Sends one statement for no tenant, which may read the directory of tenants. */
  async queryDirectory<Row extends object>(statement: PreparedStatement): Promise<Row[]> {
    const client = await this.#checkOut(LOOKUP);
    try {
      const run = () => submit(client, statement, FOR_DIRECTORY);
      return (await this.#timed(client, LOOKUP_CONTEXT, statement, run)).rows as Row[];
    } finally {
      this.#giveBack(client, LOOKUP, false);
    }
  }

  /**
   * Runs `work` in one transaction of a tenant: committed when it resolves, unless it was before,
   * and rolled back when it rejects.
   * @throws when `work` sends something else for its request than through the transaction
   */
  async transact<Result>(owner: TransactionOwner, work: (query: TransactionQuery) => Promise<Result>): Promise<Result> {
    return this.inTransaction(owner.request, () => this.#transact(owner, work));
  }

  /** Keeps a request from waiting for a second connection while its transaction has one. */
  async inTransaction<Result>(request: object | undefined, transaction: () => Promise<Result>): Promise<Result> {
    if (!request) return transaction();
    this.#refuseTransacting(request);
    this.#transacting.add(request);
    try {
      return await transaction();
    } finally {
      this.#transacting.delete(request);
    }
  }

  async #transact<Result>(
    owner: TransactionOwner,
    work: (query: TransactionQuery) => Promise<Result>,
  ): Promise<Result> {
    const ofTenant = { tenantId: owner.tenantId }; // not of the request: nobody knows whether it is done, should that be abandoned
    const client = await this.#checkOut(ofTenant);
    const transaction = new PooledTransaction(client, [BEGIN, forWriter(owner.tenantId, owner.writeId)]);
    let isSound = false;
    try {
      const result = await work(async (context, statement, end) => {
        const run = () => transaction.query(statement, end);
        return (await this.#timed(client, context, statement, run)).rows;
      });
      await transaction.commit();
      isSound = true;
      return result;
    } catch (error) {
      isSound = await transaction.rollBack();
      throw error;
    } finally {
      this.#giveBack(client, ofTenant, !isSound);
    }
  }

  /**
   * Runs `work`, whose statements all read one snapshot of the database, one after another. They
   * are stopped with their request, like statements of their own.
   */
  async snapshot<Result>(owner: StatementContext, work: (query: SnapshotQuery) => Promise<Result>): Promise<Result> {
    this.#refuseTransacting(owner.request);
    const client = await this.#checkOut(owner);
    const transaction = new PooledTransaction(client, [BEGIN_SNAPSHOT, forTenant(owner.tenantId)]);
    let isOver = false;
    let isSound = false;
    let last: Promise<unknown> = Promise.resolve();
    const query: SnapshotQuery = async (context, statement) => {
      const sent = last.then(() => {
        if (isOver) throw new Error('the snapshot is over: nothing may follow');
        if (owner.request) this.#running.refuseAbandoned(owner.request);
        const { timeoutMs } = statement;
        return this.#timed(client, context, statement, () =>
          timeoutMs === undefined ? transaction.query(statement, 'open') : transaction.queryTimed(statement, timeoutMs),
        );
      });
      last = sent.catch(() => {}); // its own caller is told
      return (await sent).rows;
    };
    const run = async () => {
      try {
        return await work(query);
      } finally {
        isOver = true;
        await last;
        isSound = await transaction.rollBack(); // it has written nothing
      }
    };
    const release = (isUnsure: boolean) => this.#giveBack(client, owner, isUnsure || !isSound);
    if (owner.request) return this.#running.run(owner.request, client, run, release);
    try {
      return await run();
    } finally {
      release(false);
    }
  }

  /**
   * The client of a request went away: its statements are stopped, but for those in transactions,
   * and what it would send yet is refused.
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
    const client = await this.#checkOut(context);
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
      this.#giveBack(client, context, error);
    };
    return client;
  }) as pg.Pool['connect'];

  /** What became of those who wanted a connection. */
  get queue(): QueueFigures {
    const [ofAll, ofSearches] = [this.#queue, this.#searches];
    return {
      length: ofAll.length + ofSearches.length,
      tenants: new Set([...ofAll.tenants, ...ofSearches.tenants]).size,
      waits: this.#waits,
      refusals: {
        length: ofAll.refusals.length + ofSearches.refusals.length,
        time: ofAll.refusals.time + ofSearches.refusals.time,
        unreachable: this.#unreachable,
      },
    };
  }

  /**
   * A connection, when it is its tenant's and its request's turn; `#giveBack` must follow.
   * @throws TurnRefused, RequestAbandoned
   */
  #checkOut(asked: Asked): Promise<pg.PoolClient> {
    const { request } = asked;
    return new Promise((resolve, reject) => {
      if (!request) return this.#enqueue(asked, resolve, reject);
      const refuse = (error: Error) => {
        this.#running.leave(request);
        reject(error);
      };
      this.#running.enter(request, () => this.#enqueue(asked, resolve, refuse), reject);
    });
  }

  #enqueue(asked: Asked, resolve: (client: pg.PoolClient) => void, reject: (error: Error) => void): void {
    this.#searches.noteTenant(asked.tenantId);
    const wait: Wait = {};
    if (!asked.isSearch) {
      this.#awaitConnection(asked, wait, resolve, reject);
      return;
    }
    const refuse = (error: Error) => {
      this.#searches.leave(asked.tenantId);
      reject(error);
    };
    this.#awaitTurn(this.#searches, asked, wait, () => this.#awaitConnection(asked, wait, resolve, refuse), reject);
  }

  #awaitConnection(
    asked: Asked,
    wait: Wait,
    resolve: (client: pg.PoolClient) => void,
    reject: (error: Error) => void,
  ): void {
    const connect = () => {
      if (wait.sinceMs !== undefined) this.#waits.record(performance.now() - wait.sinceMs);
      super.connect((error, client) => {
        if (client) return resolve(client);
        this.#queue.leave(asked.tenantId);
        this.#connectError = error as Error;
        this.#unreachable++;
        reject(error as Error);
      });
    };
    this.#awaitTurn(this.#queue, asked, wait, connect, reject);
  }

  #awaitTurn(
    queue: FairQueue,
    { tenantId, request }: Asked,
    wait: Wait,
    takeTurn: () => void,
    reject: (error: Error) => void,
  ): void {
    let endWait: (() => void) | undefined;
    const proceed = () => {
      endWait?.();
      takeTurn();
    };
    const refuse = (error: Error) => {
      endWait?.();
      // Those before it wait for connections that nobody can open.
      reject((this.#open.size === 0 && this.#connectError) || error);
    };
    const refuseAll = (error: TurnRefused) => {
      endWait?.(); // so that it is not refused together with the others, too
      if (request) this.#running.refuse(request, error);
      refuse(error);
    };
    const waiter = queue.enter(tenantId, proceed, refuseAll, request);
    if (waiter) wait.sinceMs ??= waiter.sinceMs;
    if (waiter && request) endWait = this.#running.wait(request, { cancel: () => queue.cancel(waiter), refuse });
  }

  /** @param isUnfit whether the connection is closed instead of serving others */
  #giveBack(client: pg.PoolClient, { tenantId, request, isSearch }: Asked, isUnfit: boolean | Error | undefined): void {
    client.release(isUnfit || this.#readOnly.has(client));
    this.#queue.leave(tenantId);
    if (isSearch) this.#searches.leave(tenantId);
    if (request) this.#running.leave(request);
  }

  #refuseTransacting(request: object | undefined): void {
    if (request && this.#transacting.has(request)) throw new Error(IN_TRANSACTION);
  }

  async #send(context: StatementContext, statement: PreparedStatement): Promise<pg.QueryResult> {
    this.#refuseTransacting(context.request);
    const asked = { ...context, isSearch: statement.isSearch };
    const client = await this.#checkOut(asked);
    const run = () =>
      this.#timed(client, context, statement, () =>
        submit(client, statement, { ahead: [forTenant(context.tenantId, statement)] }),
      );
    const release = (isUnsure: boolean) => this.#giveBack(client, asked, isUnsure);
    if (context.request) return this.#running.run(context.request, client, run, release);
    try {
      return await run();
    } finally {
      release(false);
    }
  }

  async #timed(
    client: pg.PoolClient,
    context: StatementContext,
    { text, values = [] }: PreparedStatement,
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
      if (isReadOnly(error)) this.#readOnly.add(client);
      throw error;
    }
  }
}

/**
 * Who the statements of this asynchronous context are for; set by `inStatementContext` and by
 * nothing else.
 */
export const statementContext = new AsyncLocalStorage<StatementContext>();
let contextsInUse = 0;

/**
 * Runs `work`, and whatever Prisma does for it, for a tenant. The storage is off while nothing
 * needs it: on Node 20 and 22, once it was used, every promise of the process costs more (16 to 30
 * % of a request's CPU, measured).
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
