import { setTimeout as delay } from 'node:timers/promises';

/** How long somebody waits for a round at most. */
const ROUND_WAIT_MS = 100;

/**
 * A task that is repeated until it is stopped, with a pause after each round. Its failures are told
 * and outlived.
 */
export class Loop {
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  #waiting: (() => void)[] = [];
  #hasFailed = true;

  /**
   * @param round one round of the task; gives how long to pause after it, in milliseconds
   * @param onError a failed round; gives the pause likewise
   * @param onWorks called after every round that works
   */
  constructor(round: () => Promise<number>, onError: (error: Error) => number, onWorks = () => {}) {
    this.#ended = this.#run(round, onError, onWorks);
  }

  /**
   * Resolves when the round under way, or the next one, is over; at once when the last one failed.
   */
  async untilNextRound(): Promise<void> {
    if (this.#hasFailed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ROUND_WAIT_MS);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Ends the pause, waits for the round under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  async #run(round: () => Promise<number>, onError: (error: Error) => number, onWorks: () => void): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const pauseMs = await round().then(
        (pause) => {
          this.#hasFailed = false;
          onWorks();
          return pause;
        },
        (error) => {
          this.#hasFailed = true;
          return onError(error);
        },
      );
      for (const resolve of this.#waiting.splice(0)) resolve();
      await delay(pauseMs, undefined, { signal }).catch(() => {}); // ended early: the loop is stopping
    }
  }
}

/** Repeats a task with the same pause after each round, also after one that failed. */
export function repeat(task: () => Promise<void>, pauseMs: number, onError: (error: Error) => void): Loop {
  return new Loop(
    async () => {
      await task();
      return pauseMs;
    },
    (error) => {
      onError(error);
      return pauseMs;
    },
  );
}
