import { performance } from 'node:perf_hooks';
import type pg from 'pg';
import type { QueueLimits } from '../config/queue-limits.ts';
import { isReadOnly } from '../database/sql-state.ts';
import { LatencyHistogram } from '../latency-histogram.ts';
import { FairQueue, type TurnRefused } from './fair-queue.ts';
import { OPERATORS } from './lanes.ts';
import type { ConnectionFigures } from './queue-figures.ts';
import type { RunningStatements } from './running-statements.ts';

/**
 * In percent of the searches: while other tenants are active, those of one leave room for theirs,
 * and a core of the database for everybody else.
 */
const SEARCHER_SHARE = 50;

/** Who wants a connection. */
export interface Asked {
  /** Or another lane. */
  readonly tenantId: string;
  /** The scope's request. */
  readonly request?: object | undefined;
  /** Of `SqlStatement`. */
  readonly isSearch?: boolean | undefined;
}

/** For what an operator reads of all tenants. */
export function byOperator(request: object): Asked {
  return { tenantId: OPERATORS, request };
}

export interface ConnectionLimits {
  /** Of the queue for connections. */
  readonly queue: QueueLimits;
  /** In percent: how much of the pool searches hold at most, of all tenants together. */
  readonly searchShare: number;
}

/** As `pg.Pool` connects. */
type Connect = (done: (error: Error | undefined, client: pg.PoolClient | undefined) => void) => void;

/**
 * Since when somebody has waited for a connection, and before for a turn to search; absent: never.
 * The two have one time limit.
 */
interface Wait {
  sinceMs?: number;
}

/**
 * Gives out a pool's connections by a `FairQueue`, few of them to one request. Searches, which keep
 * a core of the database busy, have few of them: a search waits in a `FairQueue` of their own first.
 */
export class ConnectionTurns {
  readonly #queue: FairQueue;
  /** Of the searches, ahead of the queue for connections. */
  readonly #searches: FairQueue;
  /** Connections that took no writes: opened anew, they may lead to the primary. */
  readonly #readOnly = new WeakSet<pg.PoolClient>();
  readonly #open = new Set<pg.PoolClient>();
  /** Why the last connection could not be opened; undefined since one was. */
  #connectError: Error | undefined;
  #unreachable = 0;
  readonly #waits = new LatencyHistogram();

  /** @param connect of the pool, which has one for whoever has its turn */
  constructor(
    pool: pg.Pool,
    private readonly connect: Connect,
    private readonly running: RunningStatements,
    { queue, searchShare }: ConnectionLimits,
  ) {
    const { max } = pool.options;
    this.#queue = new FairQueue({ awaited: 'a connection', places: max, limits: queue });
    const places = Math.max(1, Math.floor((max * searchShare) / 100));
    this.#searches = new FairQueue({
      awaited: 'a turn to search',
      places,
      limits: { ...queue, tenantShare: SEARCHER_SHARE },
    });
    pool.on('remove', (client) => this.#open.delete(client));
    pool.on('connect', (client) => {
      this.#open.add(client);
      this.#connectError = undefined;
    });
  }

  get figures(): ConnectionFigures {
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
   * A connection, when it is its tenant's and its request's turn; `giveBack` must follow.
   * @throws TurnRefused, RequestAbandoned
   */
  checkOut(asked: Asked): Promise<pg.PoolClient> {
    const { request } = asked;
    return new Promise((resolve, reject) => {
      if (!request) return this.#enqueue(asked, resolve, reject);
      const refuse = (error: Error) => {
        this.running.leave(request);
        reject(error);
      };
      this.running.enter(request, () => this.#enqueue(asked, resolve, refuse), reject);
    });
  }

  /** @param isUnfit whether the connection is closed instead of serving others */
  giveBack(client: pg.PoolClient, { tenantId, request, isSearch }: Asked, isUnfit: boolean | Error | undefined): void {
    client.release(isUnfit || this.#readOnly.has(client));
    this.#queue.leave(tenantId);
    if (isSearch) this.#searches.leave(tenantId);
    if (request) this.running.leave(request);
  }

  /** A statement failed: its connection is closed when it is given back, should that take no writes. */
  noteFailure(client: pg.PoolClient, error: unknown): void {
    if (isReadOnly(error)) this.#readOnly.add(client);
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
      this.connect((error, client) => {
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
      if (request) this.running.refuse(request, error);
      refuse(error);
    };
    const waiter = queue.enter(tenantId, proceed, refuseAll, request, wait.sinceMs);
    if (waiter) wait.sinceMs ??= waiter.sinceMs;
    if (waiter && request) endWait = this.running.wait(request, { cancel: () => queue.cancel(waiter), refuse });
  }
}
