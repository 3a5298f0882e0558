import { performance } from 'node:perf_hooks';

/** Long enough for some ordinary requests, short enough for nobody to notice. */
export const TURN_BUDGET_MS = 5;

/**
 * How much work may begin in one turn of the event loop. Requests that come together are met one
 * after the other before anything else is: what takes each of them some milliseconds would hold up
 * the answers of everybody.
 */
export class TurnBudget {
  /** When the first one began in this turn; undefined before. */
  #beganMs: number | undefined;

  /**
   * @param onNext called in the turn after one in which work began, and may begin some: what a turn
   *   began is known only when all that follows at once is done
   */
  constructor(
    private readonly budgetMs: number,
    private readonly onNext: () => void,
  ) {}

  /** Whether work may begin, or has to wait for the next turn. */
  hasTime(): boolean {
    if (this.#beganMs !== undefined) return performance.now() - this.#beganMs < this.budgetMs;
    this.#beganMs = performance.now();
    setImmediate(() => {
      this.#beganMs = undefined;
      this.onNext();
    });
    return true;
  }
}
