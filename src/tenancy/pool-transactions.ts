import type pg from 'pg';
import type { Asked, ConnectionTurns } from './connection-turns.ts';
import type { RunningStatements } from './running-statements.ts';
import type { JoinedQuery, StatementContext } from './statement-context.ts';
import type { TimedRun } from './statement-event.ts';
import { BEGIN, BEGIN_SNAPSHOT, forTenant, forWriter, type PreparedStatement } from './tenant-query.ts';
import { PooledTransaction, type StatementEnd, type TransactionOwner } from './tenant-transaction.ts';

/** A transaction of a request asks for more than its own connection: it could wait for itself. */
const IN_TRANSACTION =
  'A transaction of the request is under way: its statements are sent through the transaction, since it could wait for itself.';

/** Sends a statement within a transaction; one that ends it travels with its COMMIT. */
export type TransactionQuery = (
  context: StatementContext,
  statement: PreparedStatement,
  end: StatementEnd,
) => Promise<pg.QueryResult>;

/**
 * Transactions of a pool. Each has one connection from its begin to its end: what it sends waits for
 * nobody.
 */
export class PoolTransactions {
  /** Requests whose transactions are under way. */
  readonly #transacting = new WeakSet<object>();

  constructor(
    private readonly turns: ConnectionTurns,
    private readonly running: RunningStatements,
    private readonly timed: TimedRun,
  ) {}

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
    this.refuseTransacting(request);
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
    const client = await this.turns.checkOut(ofTenant);
    const transaction = new PooledTransaction(client, [BEGIN, forWriter(owner.tenantId, owner.writeId)]);
    let isOver = false;
    let isSound = true; // nothing was sent yet
    try {
      const result = await work(async (context, statement, end) => {
        if (isOver) throw new Error('the transaction is over: nothing may follow');
        return this.timed(client, context, statement, () => transaction.query(statement, end));
      });
      isOver = true;
      await transaction.commit();
      isSound = true;
      return result;
    } catch (error) {
      isOver = true;
      isSound = await transaction.rollBack();
      throw error;
    } finally {
      this.turns.giveBack(client, ofTenant, !isSound);
    }
  }

  /**
   * Runs `work`, whose statements all read one snapshot of the database, one after another. They
   * are stopped with their request, like statements of their own.
   */
  async snapshot<Result>(
    owner: StatementContext & Pick<Asked, 'isSearch'>,
    work: (query: JoinedQuery) => Promise<Result>,
  ): Promise<Result> {
    this.refuseTransacting(owner.request);
    const client = await this.turns.checkOut(owner);
    const transaction = new PooledTransaction(client, [BEGIN_SNAPSHOT, forTenant(owner.tenantId)]);
    let isOver = false;
    let isSound = true; // nothing was sent yet
    let last: Promise<unknown> = Promise.resolve();
    const query: JoinedQuery = async (context, statement) => {
      const sent = last.then(() => {
        if (isOver) throw new Error('the snapshot is over: nothing may follow');
        if (owner.request) this.running.refuseAbandoned(owner.request);
        const { timeoutMs } = statement;
        return this.timed(client, context, statement, () =>
          timeoutMs === undefined ? transaction.query(statement, 'open') : transaction.queryTimed(statement, timeoutMs),
        );
      });
      last = sent.catch(() => {}); // its own caller is told
      return sent;
    };
    const run = async () => {
      isSound = false;
      try {
        return await work(query);
      } finally {
        isOver = true;
        await last;
        isSound = await transaction.rollBack(); // it has written nothing
      }
    };
    const release = (isUnsure: boolean) => this.turns.giveBack(client, owner, isUnsure || !isSound);
    if (owner.request) return this.running.run(owner.request, client, run, release);
    try {
      return await run();
    } finally {
      release(false);
    }
  }

  /** @throws when a transaction of the request is under way */
  refuseTransacting(request: object | undefined): void {
    if (request && this.#transacting.has(request)) throw new Error(IN_TRANSACTION);
  }
}
