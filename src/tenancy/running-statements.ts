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

/** Statements under way by the request that they are sent for, so that they end with it. */
export class RunningStatements {
  readonly #byRequest = new Map<object, Set<Running>>();
  readonly #abandoned = new WeakSet<object>();

  /**
   * Runs a statement for a request, unless or until that is abandoned. The connection must not serve others before
   * `release` was called: a cancel request under way would hit their statement.
   * @param release called in the end; `isUnsure` when the connection may yet be hit and is to be closed
   * @throws RequestAbandoned
   */
  async run<Result>(
    request: object,
    client: pg.PoolClient,
    statement: () => Promise<Result>,
    release: (isUnsure: boolean) => void,
  ): Promise<Result> {
    const running: Running = { client };
    const all = this.#byRequest.get(request) ?? new Set();
    this.#byRequest.set(request, all.add(running));
    try {
      this.refuseAbandoned(request);
      return await statement();
    } catch (error) {
      this.refuseAbandoned(request, error);
      throw error;
    } finally {
      all.delete(running);
      if (all.size === 0) this.#byRequest.delete(request);
      if (running.cancelling) void running.cancelling.then(release);
      else release(false);
    }
  }

  /** Stops what runs for the request; what it would send yet is refused. */
  abandon(request: object): void {
    this.#abandoned.add(request);
    for (const running of this.#byRequest.get(request) ?? []) {
      running.cancelling = requestCancel(running.client).then(
        () => false,
        () => true, // the statement goes on to its timeout
      );
    }
  }

  /** @throws RequestAbandoned when it is */
  refuseAbandoned(request: object, cause?: unknown): void {
    if (this.#abandoned.has(request)) throw new RequestAbandoned('the client went away', { cause });
  }
}
