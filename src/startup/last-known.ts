/**
 * A text that is read for everyone who asks at the same time, and stays as it was last known where
 * it cannot be read.
 */
export class LastKnown {
  #known = '';
  #reading: Promise<string> | undefined;

  /** @param onError told why it could not be read */
  constructor(
    private readonly read: () => Promise<string>,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Never rejects. Empty while it was never read. */
  get(): Promise<string> {
    this.#reading ??= this.#readAnew().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readAnew(): Promise<string> {
    try {
      this.#known = await this.read();
    } catch (error) {
      this.onError(error);
    }
    return this.#known;
  }
}
