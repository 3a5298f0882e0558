import { createHash } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import { DEFAULT_QUEUE_LIMITS, type QueueLimits } from '../config/queue-limits.ts';
import { SERVICE_ROLE } from '../database/service-rights.ts';
import { isQueryCanceled } from '../database/sql-state.ts';
import { PrismaClient } from '../generated/prisma/client.ts';
import { Admission } from './admission.ts';
import type { AuditDraft } from './audit-line.ts';
import type { ReadThrough } from './cached-reads.ts';
import type { Asked } from './connection-turns.ts';
import { schemaOf } from './data-model.ts';
import { THE_SERVICE } from './lanes.ts';
import type { ConnectionFigures, QueueFigures } from './queue-figures.ts';
import type { SqlStatement } from './sql-statement.ts';
import { inStatementContext, type JoinedQuery, type StatementContext } from './statement-context.ts';
import type { StatementEvent } from './statement-event.ts';
import { StatementStopped } from './statement-stopped.ts';
import { TenantPool } from './tenant-pool.ts';
import { type ScopedPrisma, type ScopedTransaction, scopedPrisma } from './tenant-prisma.ts';
import type { TenantScope } from './tenant-scope.ts';
import type { StatementEnd, TenantTransaction } from './tenant-transaction.ts';
import { TransactionAudit } from './transaction-audit.ts';

/**
 * Distinct prepared statements kept per connection: beyond the product's own shapes only odd filter
 * combinations.
 */
const MAX_PREPARED_STATEMENTS = 500;

/**
 * Connecting costs a handshake of some milliseconds of CPU: a quiet minute is no reason to do it
 * again.
 */
const IDLE_TIMEOUT_MS = 5 * 60_000;

/** How long a transaction of Prisma's may take, all statements and waiting for locks together. */
const TRANSACTION_TIMEOUT_MS = 15_000;

export interface TenantDatabaseOptions {
  readonly url: string;
  /** Connections at most. */
  readonly poolSize: number;
  /** PostgreSQL stops a statement that runs longer. */
  readonly statementTimeoutMs: number;
  /**
   * Whether to take `SERVICE_ROLE` for each statement, because the login itself is not held to
   * row-level security.
   */
  readonly takeServiceRole: boolean;
  /** Of the queue for connections; the defaults when absent. */
  readonly queue?: QueueLimits;
  /** How many connections one request has, or waits for, at the same time. */
  readonly requestStatements?: number;
  /** In percent: how much of the pool searches hold at most, of all tenants together. */
  readonly searchShare?: number;
  /** Of `TenantPoolOptions`. */
  readonly silenceMs?: number;
  readonly onStatement?: (event: StatementEvent) => void;
  /** An idle connection was lost; the pool opens a new one when it needs it. */
  readonly onConnectionError?: (error: Error) => void;
}

export interface WriteOptions {
  readonly writeId?: string | undefined;
  readonly draft?: AuditDraft | undefined;
}

/** The only way from the service to PostgreSQL: every statement belongs to a tenant scope. */
export class TenantDatabase {
  readonly #pool: TenantPool;
  readonly #admission: Admission;
  readonly #client: PrismaClient;
  readonly #prisma: ScopedPrisma;
  readonly #names = new LRUCache<string, string>({ max: MAX_PREPARED_STATEMENTS });
  readonly #snapshots = new WeakMap<object, JoinedQuery>();
  readonly #inBackground = new WeakSet<object>();
  #readThrough: ((scope: TenantScope) => ReadThrough) | undefined;

  constructor(private readonly options: TenantDatabaseOptions) {
    this.#pool = new TenantPool({
      connectionString: options.url,
      max: options.poolSize,
      statementTimeoutMs: options.statementTimeoutMs,
      ...(options.takeServiceRole && { role: SERVICE_ROLE }),
      application_name: 'tenantry',
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      onStatement: options.onStatement ?? (() => {}),
      ...(options.queue && { queue: options.queue }),
      ...(options.requestStatements && { requestStatements: options.requestStatements }),
      ...(options.searchShare && { searchShare: options.searchShare }),
      ...(options.silenceMs && { silenceMs: options.silenceMs }),
    });
    this.#admission = new Admission(options.poolSize, options.queue ?? DEFAULT_QUEUE_LIMITS);
    this.#pool.on('error', options.onConnectionError ?? (() => {}));
    const adapter = new PrismaPg(this.#pool, { statementNameGenerator: ({ sql }) => this.#nameOf(sql) });
    this.#client = new PrismaClient({ adapter });
    this.#prisma = scopedPrisma(this.#client);
  }

  /**
   * From now on reads with the option `cache` go through this; until then they go to PostgreSQL.
   */
  keepReadsIn(readThrough: (scope: TenantScope) => ReadThrough): void {
    this.#readThrough = readThrough;
  }

  /**
   * From now on what `select` sends for a request waits for a connection as the service does: nobody
   * counts as active for it.
   * @param request as the tenant scopes of its statements carry it
   */
  putInBackground(request: object): void {
    this.#inBackground.add(request);
  }

  /** The data model that the client was generated from, in Prisma's language. */
  get schema(): string {
    return schemaOf(this.#client);
  }

  /**
   * Runs one prepared statement and gives its rows.
   * @throws StatementStopped when it has a time limit of its own, which it exceeded
   */
  async select<Row extends object>(scope: TenantScope, statement: SqlStatement): Promise<Row[]> {
    if (statement.timeoutMs === undefined) return this.#send<Row>(scope, statement);
    const timeoutMs = Math.min(statement.timeoutMs, this.options.statementTimeoutMs);
    try {
      return await this.#send<Row>(scope, { ...statement, timeoutMs });
    } catch (error) {
      throw isQueryCanceled(error) ? new StatementStopped(timeoutMs, { cause: error }) : error;
    }
  }

  /**
   * Writes what the service records of a tenant when its request is over. It waits for a connection
   * as the service does: nobody counts as active for it.
   */
  async record(scope: TenantScope, statement: SqlStatement): Promise<void> {
    await this.#send(scope, statement, THE_SERVICE);
  }

  async #send<Row extends object>(scope: TenantScope, statement: SqlStatement, lane?: string): Promise<Row[]> {
    const { model, action, query, planOnce, timeoutMs, isSearch } = statement;
    const { text, values } = query;
    const context = { tenantId: scope.tenantId, request: scope.request, model, action };
    const prepared = { name: this.#nameOf(text), text, values, planOnce, timeoutMs, isSearch };
    const inSnapshot = this.#snapshotOf(scope);
    if (!inSnapshot) return this.#pool.queryAs<Row>(context, prepared, lane ?? this.#laneOf(scope));
    return (await inSnapshot(context, prepared)).rows as Row[];
  }

  /** Absent: the tenant's. */
  #laneOf({ request }: TenantScope): string | undefined {
    return request && this.#inBackground.has(request) ? THE_SERVICE : undefined;
  }

  #snapshotOf({ snapshot }: TenantScope): JoinedQuery | undefined {
    const query = snapshot && this.#snapshots.get(snapshot);
    if (snapshot && !query) throw new Error('the scope is of a snapshot of another database');
    return query;
  }

  /**
   * Gives `work` a scope with which all that it reads, by SQL or through Prisma, is of one snapshot
   * of the database. Its statements share a connection, and are sent one after another.
   * @param isSearch whether some of them may be searches: the snapshot waits for a turn to search
   */
  async snapshot<Result>(
    scope: TenantScope,
    work: (within: TenantScope) => Promise<Result>,
    isSearch = false,
  ): Promise<Result> {
    const { tenantId, request } = scope;
    return this.#pool.transactions.snapshot({ tenantId, request, action: 'snapshot', isSearch }, (query) => {
      const snapshot = {};
      this.#snapshots.set(snapshot, query);
      return work(scope.within(snapshot));
    });
  }

  /**
   * Runs everyday reads and writes through Prisma; everything within `work` is of the scope's
   * tenant. With a scope of a snapshot it reads that: the option `cache` has no effect then, and
   * transactions are refused.
   */
  async prisma<Result>(scope: TenantScope, work: (prisma: ScopedPrisma) => Promise<Result>): Promise<Result> {
    const { tenantId, request } = scope;
    const joined = this.#snapshotOf(scope);
    const readThrough = joined ? undefined : this.#readThrough?.(scope);
    return this.#within({ tenantId, request, action: 'prisma', joined, readThrough }, work);
  }

  /**
   * Runs `work` in one transaction of Prisma's: all of it is committed when it resolves, nothing
   * when it rejects.
   */
  async transaction<Result>(
    scope: TenantScope,
    work: (transaction: ScopedTransaction) => Promise<Result>,
  ): Promise<Result> {
    const { tenantId, request } = outsideSnapshots(scope);
    // It waits its turn in the pool's queue, which is bounded.
    const limits = { timeout: TRANSACTION_TIMEOUT_MS, maxWait: TRANSACTION_TIMEOUT_MS };
    return this.#pool.transactions.inTransaction(request, () =>
      this.#within({ tenantId, request, action: 'prisma' }, (prisma) => prisma.$transaction(work, limits)),
    );
  }

  /**
   * The same for mutations, whose SQL and Prisma operations share one transaction. It costs no
   * round trip of its own where SQL ends it; after Prisma's last operation COMMIT travels alone.
   * Each statement has the statement timeout; `work` must wait for nothing else, since it holds
   * locks.
   * @param options.writeId a mutation's, which `ResponseCache.written` is told of then
   * @param options.draft its audit line, which is written in the transaction: by the statement that
   *   ends it, or with the COMMIT
   */
  async write<Result>(
    scope: TenantScope,
    work: (transaction: TenantTransaction) => Promise<Result>,
    { writeId, draft }: WriteOptions = {},
  ): Promise<Result> {
    const { tenantId, request } = outsideSnapshots(scope);
    return this.#pool.transactions.transact({ tenantId, writeId, request }, async (query) => {
      const audit = new TransactionAudit(draft);
      const ending =
        (end: StatementEnd) =>
        async <Row>({ model, action, query: { text, values } }: SqlStatement) => {
          const statement = { name: this.#nameOf(text), text, values };
          const send = async () => (await query({ tenantId, request, model, action }, statement, end)).rows;
          return (await audit.watch(send, end)) as Row[];
        };
      const joined: JoinedQuery = (context, statement) => query(context, statement, 'open');
      const result = await work({
        select: ending('open'),
        finish: ending('committed'),
        attempt: ending('attempted'),
        prisma: (change) => this.#within({ tenantId, request, action: 'prisma', joined }, change),
        changed: (id) => audit.changed(id),
        audited: (done) => audit.within(done),
      });
      const last = audit.last();
      if (last) await ending('committed')({ model: 'AuditLine', action: 'commit', query: last });
      return result;
    });
  }

  /**
   * Stops what runs for a request whose client went away. Transactions go on: nobody knows whether
   * they are done.
   * @param request as the tenant scopes of its statements carry it
   */
  abandon(request: object): void {
    this.#pool.abandon(request);
  }

  /**
   * Reads the directory of tenants, which belongs to no tenant: slugs, names and ids, never
   * business data.
   * @param asked by whom; the look-up of a token's tenant when absent
   */
  async directory<Row extends pg.QueryResultRow>(text: string, values: unknown[], asked?: Asked): Promise<Row[]> {
    return this.#pool.queryDirectory<Row>({ name: this.#nameOf(text), text, values }, asked);
  }

  /**
   * Lends a connection without a tenant: it sees no tenant's rows. For the catalogs and the
   * directory. Each statement sent on it is a transaction of its own.
   * @param asked by whom; the service itself when absent
   */
  withConnection<Result>(
    work: (connection: Pick<pg.ClientBase, 'query'>) => Promise<Result>,
    asked?: Asked,
  ): Promise<Result> {
    return this.#pool.lend(work, asked);
  }

  /** Connections open at this moment, and how many of the callers wait for one. */
  get connections(): { open: number; idle: number; waiting: number } {
    return { open: this.#pool.totalCount, idle: this.#pool.idleCount, waiting: this.#pool.queue.length };
  }

  /** Connections at most. */
  get poolSize(): number {
    return this.options.poolSize;
  }

  /** What became of those who wanted a connection. */
  get queue(): ConnectionFigures {
    return this.#pool.queue;
  }

  /**
   * Works on a request when it is its lane's turn.
   * @param lane see `laneOf`
   * @param leaving aborted when nobody waits for the work
   * @throws TurnRefused when too many wait, or it had to for too long, and RequestAbandoned when
   *   the client left before: nothing was done then
   */
  admit<Result>(lane: string, work: () => Promise<Result>, leaving?: AbortSignal): Promise<Result> {
    return this.#admission.run(lane, work, leaving);
  }

  /** What became of those who wanted to be worked on. */
  get admission(): QueueFigures {
    return this.#admission.figures;
  }

  async close(): Promise<void> {
    await this.#client.$disconnect();
    await this.#pool.end();
  }

  async #within<Result>(context: StatementContext, work: (prisma: ScopedPrisma) => Promise<Result>): Promise<Result> {
    return inStatementContext(context, async () => await work(this.#prisma));
  }

  /** A statement's name from its text: the same text is prepared once per connection. */
  #nameOf(sql: string): string {
    const known = this.#names.get(sql);
    if (known) return known;
    const name = `t${createHash('sha1').update(sql).digest('hex').slice(0, 20)}`;
    this.#names.set(sql, name);
    return name;
  }
}

/** A transaction has a connection of its own, which does not see the snapshot. */
function outsideSnapshots(scope: TenantScope): TenantScope {
  if (scope.snapshot) throw new Error('a scope of a snapshot is for reading: begin the transaction outside of it');
  return scope;
}
