import { setTimeout as delay } from 'node:timers/promises';

/** A task that is repeated until it is stopped, with a pause after each round. Its failures are told and outlived. */
export class Loop {
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;

  /**
   * @param round one round of the task; gives how long to pause after it, in milliseconds
   * @param onError a failed round; gives the pause likewise
   */
  constructor(round: () => Promise<number>, onError: (error: Error) => number) {
    this.#ended = this.#run(round, onError);
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Ends the pause, waits for the round under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  async #run(round: () => Promise<number>, onError: (error: Error) => number): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const pauseMs = await round().catch(onError);
      await delay(pauseMs, undefined, { signal }).catch(() => {}); // ended early: the loop is stopping
    }
  }
}
