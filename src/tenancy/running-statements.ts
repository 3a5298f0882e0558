import type pg from 'pg';
import { requestCancel } from './cancel-request.ts';

/** The client went away while its request was worked on: nobody waits for the rest. */
export class RequestAbandoned extends Error {
  override readonly name = 'RequestAbandoned';
}

/** A statement under way, and the request to stop it, once that was made. */
interface Running {
  readonly client: pg.PoolClient;
  cancelling?: Promise<boolean>;
}

/** Somebody who waits for a connection on behalf of a request. */
interface Waiting {
  /** Takes it out of whatever it waits in. */
  readonly cancel: () => void;
  readonly refuse: (error: Error) => void;
}

/** What a request has sent, and would send. */
interface Statements {
  /** How many have, or wait for, a connection. */
  open: number;
  /** Those that wait for others of the same request, in order. */
  readonly held: { readonly proceed: () => void; readonly refuse: (error: Error) => void }[];
  readonly waiting: Set<Waiting>;
  readonly running: Set<Running>;
}

/**
 * Statements by the request that they are sent for: few of one run at the same time, and they end
 * with it.
 */
export class RunningStatements {
  readonly #byRequest = new Map<object, Statements>();
  readonly #abandoned = new WeakSet<object>();
  /** Why nothing more is sent for a request: its answer is refused as a whole. */
  readonly #refused = new WeakMap<object, Error>();

  /** @param limit how many of one request have, or wait for, a connection at the same time */
  constructor(private readonly limit: number) {}

  /**
   * Calls `proceed` when the request may have another connection, at once if it can; `leave` must
   * follow then. Or `refuse`, once it is abandoned or refused.
   */
  enter(request: object, proceed: () => void, refuse: (error: Error) => void): void {
    const end = this.#endOf(request);
    if (end) {
      refuse(end);
      return;
    }
    let statements = this.#byRequest.get(request);
    if (!statements) {
      statements = { open: 0, held: [], waiting: new Set(), running: new Set() };
      this.#byRequest.set(request, statements);
    }
    if (statements.open >= this.limit) {
      statements.held.push({ proceed, refuse });
      return;
    }
    statements.open++;
    proceed();
  }

  /** A statement of the request has its connection no more, or got none. */
  leave(request: object): void {
    const statements = this.#byRequest.get(request) as Statements;
    const next = statements.held.shift();
    if (next) next.proceed();
    else if (--statements.open === 0) this.#byRequest.delete(request);
  }

  /**
   * From now on the request waits for a connection.
   * @returns to be called when it does so no more
   */
  wait(request: object, waiting: Waiting): () => void {
    const { waiting: all } = this.#byRequest.get(request) as Statements;
    all.add(waiting);
    return () => all.delete(waiting);
  }

  /**
   * Runs a statement for a request, unless or until that is abandoned. The connection must not
   * serve others before `release` was called: a cancel request under way would hit their statement.
   * @param release called in the end; `isUnsure` when the connection may yet be hit and is to be
   *   closed
   * @throws RequestAbandoned
   */
  async run<Result>(
    request: object,
    client: pg.PoolClient,
    statement: () => Promise<Result>,
    release: (isUnsure: boolean) => void,
  ): Promise<Result> {
    const running: Running = { client };
    const all = (this.#byRequest.get(request) as Statements).running;
    all.add(running);
    try {
      const end = this.#endOf(request);
      if (end) throw end;
      return await statement();
    } catch (error) {
      this.refuseAbandoned(request, error);
      throw error;
    } finally {
      all.delete(running);
      if (running.cancelling) void running.cancelling.then(release);
      else release(false);
    }
  }

  /** Stops what runs for the request; what waits, and what it would send yet, is refused. */
  abandon(request: object): void {
    this.#abandoned.add(request);
    const statements = this.#byRequest.get(request);
    if (!statements) return;
    for (const running of statements.running) {
      running.cancelling = requestCancel(running.client).then(
        () => false,
        () => true, // the statement goes on to its timeout
      );
    }
    refuseWaiting(statements, abandoned());
  }

  /**
   * One of the request's statements got no connection: its answer is refused, and what else waits
   * for it would be for nothing.
   */
  refuse(request: object, error: Error): void {
    this.#refused.set(request, error);
    const statements = this.#byRequest.get(request);
    if (statements) refuseWaiting(statements, error);
  }

  /** Why nothing more is sent for the request. */
  #endOf(request: object): Error | undefined {
    return this.#abandoned.has(request) ? abandoned() : this.#refused.get(request);
  }

  /** @throws RequestAbandoned when it is */
  refuseAbandoned(request: object, cause?: unknown): void {
    if (this.#abandoned.has(request)) throw abandoned(cause);
  }
}

function refuseWaiting({ held, waiting }: Statements, error: Error): void {
  for (const { refuse } of held.splice(0)) refuse(error);
  for (const one of [...waiting]) {
    // When one waits no longer, another one of the request may get its turn: it has a connection
    // then, and gives it back.
    if (!waiting.has(one)) continue;
    one.cancel();
    one.refuse(error);
  }
}

function abandoned(cause?: unknown): RequestAbandoned {
  return new RequestAbandoned('the client went away', { cause });
}
