/** Who lives longer did not die of what it died of before. */
const SETTLED_MS = 60_000;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;
/** Starts in a row that failed, over all workers. */
const MAX_FAILED_STARTS = 5;

/** When a worker that died is replaced. */
export class RestartPolicy {
  #failedStarts = 0;
  #delayMs = FIRST_DELAY_MS;

  /** A worker serves. */
  started(): void {
    this.#failedStarts = 0;
  }

  /**
   * A worker has ended.
   * @param servedMs how long it had served; undefined when it never did
   * @returns how long to wait before another one is started; undefined: nothing helps, give up
   */
  ended(servedMs: number | undefined): number | undefined {
    if (servedMs === undefined) this.#failedStarts++;
    if (this.#failedStarts >= MAX_FAILED_STARTS) return undefined;
    if ((servedMs ?? 0) >= SETTLED_MS) this.#delayMs = FIRST_DELAY_MS;
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(2 * delayMs, MAX_DELAY_MS);
    return delayMs;
  }
}
