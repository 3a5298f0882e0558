import type pg from 'pg';
import type { Prisma } from '../generated/prisma/client.ts';
import type { SqlStatement } from './sql-statement.ts';
import type { JoinedPrisma } from './tenant-prisma.ts';
import {
  COMMIT,
  type Companion,
  type PreparedStatement,
  ROLL_BACK_TO_SAVEPOINT,
  SAVEPOINT,
  submit,
  timeLimit,
} from './tenant-query.ts';

/** One transaction of a tenant: repositories that write are given it instead of the database. */
export interface TenantTransaction {
  /** Runs one prepared statement and gives its rows. */
  select<Row extends object>(statement: SqlStatement): Promise<Row[]>;
  /** The same with the last statement: it travels with the COMMIT, and nothing may follow. */
  finish<Row extends object>(statement: SqlStatement): Promise<Row[]>;
  /**
   * The same with a first statement that gives rows when it did everything, and none when it did
   * nothing: what follows then begins anew.
   */
  attempt<Row extends object>(statement: SqlStatement): Promise<Row[]>;
  /**
   * Writes the transaction's audit line, as one of the WITH clauses of the statement that ends it:
   * when `done`, another of them, has rows, with the id of the first for a key where the line has
   * none.
   */
  audited(done: Prisma.Sql): Prisma.Sql;
  /**
   * Runs reads and writes of Prisma's as a part of the transaction. Their audit line is written
   * with the COMMIT.
   */
  prisma<Result>(work: (prisma: JoinedPrisma) => Promise<Result>): Promise<Result>;
  /**
   * Says what was changed: the key of the audit line that is written with the COMMIT, where it has
   * none.
   */
  changed(id: string): void;
}

/**
 * How the transaction is after a statement; attempted: committed if the statement gave rows, else
 * not begun.
 */
export type StatementEnd = 'open' | 'committed' | 'attempted';

/** Whose transaction it is. */
export interface TransactionOwner {
  readonly tenantId: string;
  /** Of a mutation: its rows in the cache's outbox carry it. */
  readonly writeId?: string | undefined;
  /** The scope's request. */
  readonly request?: object | undefined;
}

/**
 * A transaction on a connection: BEGIN and the tenant travel with the first statement, COMMIT with
 * the last one where it is known to be that, so that a transaction costs no round trip of its own.
 */
export class PooledTransaction {
  #state: 'none' | 'open' | 'failed' | 'committed' = 'none';

  constructor(
    private readonly client: pg.PoolClient,
    /** What begins it. */
    private readonly opening: readonly Companion[],
  ) {}

  async query(statement: PreparedStatement, end: StatementEnd): Promise<pg.QueryResult> {
    if (this.#state === 'committed') throw new Error('the transaction has been finished: nothing may follow');
    if (end === 'attempted' && this.#state !== 'none') throw new Error('only the first statement may be an attempt');
    const ahead = this.#state === 'none' ? this.opening : [];
    if (this.#state === 'none') this.#state = 'open'; // one that failed stays failed
    try {
      const result = await submit(this.client, statement, { ahead, ...(end !== 'open' && { behind: [COMMIT] }) });
      if (end === 'committed') this.#state = 'committed';
      if (end === 'attempted') this.#state = result.rows.length > 0 ? 'committed' : 'none';
      return result;
    } catch (error) {
      this.#state = 'failed';
      throw error;
    }
  }

  /**
   * The same with a statement that has a time limit of its own, in a transaction that only reads:
   * should it fail, the others go on. Nothing of its own is left behind, its limit neither.
   */
  async queryTimed(statement: PreparedStatement, timeoutMs: number): Promise<pg.QueryResult> {
    const opening = this.#state === 'none' ? this.opening : [];
    if (this.#state === 'none') this.#state = 'open';
    try {
      const ahead = [...opening, SAVEPOINT, timeLimit(timeoutMs)];
      return await submit(this.client, statement, { ahead, behind: [ROLL_BACK_TO_SAVEPOINT] });
    } catch (error) {
      await this.client.query('ROLLBACK TO SAVEPOINT timed').catch(() => {
        this.#state = 'failed'; // where it was not even begun, or is lost
      });
      throw error;
    }
  }

  /**
   * @throws when a statement failed: PostgreSQL would take the COMMIT for a ROLLBACK, and say
   *   nothing
   */
  async commit(): Promise<void> {
    if (this.#state === 'failed') throw new Error('a statement of the transaction failed: there is nothing to commit');
    if (this.#state === 'open') await this.client.query('COMMIT');
    this.#state = 'committed';
  }

  /** @returns whether the connection is as it was: false when it is lost or nobody knows */
  async rollBack(): Promise<boolean> {
    if (this.#state === 'none' || this.#state === 'committed') return true;
    return this.client.query('ROLLBACK').then(
      () => true,
      () => false,
    );
  }
}
