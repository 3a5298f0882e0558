/**
 * What is read for everyone who asks at the same time, and stays as it was last known where it
 * cannot be read.
 */
export class LastKnown<Value> {
  #known: Value;
  #reading: Promise<Value> | undefined;

  /**
   * @param unknown given while it was never read
   * @param onError told why it could not be read
   */
  constructor(
    unknown: Value,
    private readonly read: () => Promise<Value>,
    private readonly onError: (error: unknown) => void,
  ) {
    this.#known = unknown;
  }

  /** Never rejects. */
  get(): Promise<Value> {
    this.#reading ??= this.#readAnew().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readAnew(): Promise<Value> {
    try {
      this.#known = await this.read();
    } catch (error) {
      this.onError(error);
    }
    return this.#known;
  }
}
