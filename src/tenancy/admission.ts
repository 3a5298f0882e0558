import type { QueueLimits } from '../config/queue-limits.ts';
import { FairQueue } from './fair-queue.ts';
import { RequestAbandoned } from './running-statements.ts';
import type { QueueFigures } from './tenant-pool.ts';

/**
 * Requests worked on at once, for each connection. A request spends about half of its time in
 * PostgreSQL: with fewer, connections would be idle. More would wait all the same, and those of a
 * tenant that floods the service would be refused together after all was made ready for them
 * (docs/performance.md).
 */
const PER_CONNECTION = 2;
const AT_LEAST = 16;

/**
 * Admission control: which requests are worked on. The others wait by tenants' turns, before
 * anything is done for them. Who is refused has cost next to nothing, so the service does as much
 * at twice its capacity as at its capacity.
 */
export class Admission {
  readonly #queue: FairQueue;

  /** @param connections of the pool */
  constructor(connections: number, limits: QueueLimits) {
    this.#queue = new FairQueue(Math.max(AT_LEAST, PER_CONNECTION * connections), limits);
  }

  get figures(): Omit<QueueFigures, 'refusals'> & { readonly refusals: FairQueue['refusals'] } {
    const { length, tenants, waits, refusals } = this.#queue;
    return { length, tenants, waits, refusals };
  }

  /**
   * Does a request's work when it is its tenant's turn. @throws TurnRefused when too many wait, or
   * it had to for too long; RequestAbandoned when the client left before its turn
   * @param leaving aborted when nobody waits for the work
   */
  run<Result>(tenantId: string, work: () => Promise<Result>, leaving?: AbortSignal): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (leaving?.aborted) return reject(leftTooEarly());
      const waiter = this.#queue.enter(tenantId, () => resolve(this.#work(tenantId, work)), reject);
      if (!waiter) return;
      const giveUp = () => {
        this.#queue.cancel(waiter); // nothing happens once it has its turn
        reject(leftTooEarly());
      };
      leaving?.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Gives the place back however the work ends, also when it throws before it is a promise. */
  async #work<Result>(tenantId: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } finally {
      this.#queue.leave(tenantId);
    }
  }
}

function leftTooEarly(): RequestAbandoned {
  return new RequestAbandoned('the client left before its turn');
}
