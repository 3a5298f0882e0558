import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** A terminal's Ctrl-C comes twice: from the terminal, and handed on by npm. */
const SAME_WITHIN_MS = 500;

/**
 * What is told to stop by signals. Until somebody waits for one, a signal ends the process at once:
 * process 1 of a container would ignore it otherwise. The first one then is for who waits, and a
 * second one ends the process at once again.
 */
export class StopSignals {
  #wake: ((signal: NodeJS.Signals) => void) | undefined;
  #firstMs: number | undefined;

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#received);
  }

  /** Gives the first signal from now on. */
  next(): Promise<NodeJS.Signals> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  readonly #received = (signal: NodeJS.Signals): void => {
    if (this.#wake) {
      this.#wake(signal);
      this.#wake = undefined;
      this.#firstMs = Date.now();
    } else if (this.#firstMs === undefined || Date.now() - this.#firstMs > SAME_WITHIN_MS)
      process.exit(128 + constants.signals[signal]);
  };
}
