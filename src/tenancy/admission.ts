import { performance } from 'node:perf_hooks';
import type { QueueLimits } from '../config/queue-limits.ts';
import { LatencyHistogram } from '../latency-histogram.ts';
import { FairQueue, type Waiter } from './fair-queue.ts';
import type { QueueFigures } from './queue-figures.ts';
import { RequestAbandoned } from './running-statements.ts';
import { TURN_BUDGET_MS, TurnBudget } from './turn-budget.ts';

/**
 * Requests worked on at once, for each connection. A request spends about half of its time in
 * PostgreSQL: with fewer, connections would be idle. More would wait all the same, and those of a
 * tenant that floods the service would be refused together after all was made ready for them
 * (docs/performance.md).
 */
const PER_CONNECTION = 2;
const AT_LEAST = 16;

/**
 * Admission control: which requests are worked on, and how many begin in one turn of the event
 * loop. The others wait by tenants' turns, before anything is done for them. Who is refused has
 * cost next to nothing, so the service does as much at twice its capacity as at its capacity.
 */
export class Admission {
  readonly #queue: FairQueue;
  /** Of those who had to wait, and were worked on. */
  readonly #waits = new LatencyHistogram();

  /**
   * @param connections of the pool
   * @param turnBudgetMs how long work may begin in one turn of the event loop
   */
  constructor(connections: number, limits: QueueLimits, turnBudgetMs = TURN_BUDGET_MS) {
    const places = Math.max(AT_LEAST, PER_CONNECTION * connections);
    const turn = new TurnBudget(turnBudgetMs, () => this.#queue.advance());
    this.#queue = new FairQueue({ awaited: 'admission', places, limits, hasTime: () => turn.hasTime() });
  }

  get figures(): QueueFigures {
    const { length, tenants, refusals } = this.#queue;
    return { length, tenants: tenants.size, waits: this.#waits, refusals };
  }

  /**
   * Does a request's work when it is its tenant's turn. @throws TurnRefused when too many wait, or
   * it had to for too long; RequestAbandoned when the client left before its turn
   * @param leaving aborted when nobody waits for the work
   */
  run<Result>(tenantId: string, work: () => Promise<Result>, leaving?: AbortSignal): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (leaving?.aborted) return reject(leftTooEarly());
      let waited: Waiter | undefined;
      const begin = () => {
        if (waited) this.#waits.record(performance.now() - waited.sinceMs);
        resolve(this.#work(tenantId, work));
      };
      const waiter = this.#queue.enter(tenantId, begin, reject);
      if (!waiter) return;
      waited = waiter;
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
