import type { WriteStream } from 'node:tty';

/** Often enough to look alive, seldom enough to cost nothing. */
const LIVE_INTERVAL_MS = 100;
/** In a log file, a line now and then says that it goes on. */
const LOG_INTERVAL_MS = 5_000;
const CLEAR_LINE = '\r\u001b[2K';

/** Where progress is shown: stderr, as a rule. */
export type ProgressStream = Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;

/** Shows how far a long command is: one live line on a terminal, sparse lines elsewhere. */
export class Progress {
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  #shownAt = Number.NEGATIVE_INFINITY;
  #live = false;

  constructor(stream: ProgressStream = process.stderr, now: () => number = Date.now) {
    this.#stream = stream;
    this.#now = now;
  }

  /** Called as often as one likes. `line` is only asked for when it is going to be shown. */
  update(line: () => string): void {
    const interval = this.#stream.isTTY ? LIVE_INTERVAL_MS : LOG_INTERVAL_MS;
    if (this.#now() - this.#shownAt < interval) return;
    this.#show(line(), Boolean(this.#stream.isTTY));
  }

  /** A line that stays: a phase is done, or something is worth knowing. */
  log(line: string): void {
    this.#show(line, false);
  }

  /** Takes the live line away. */
  close(): void {
    if (this.#live) this.#stream.write(CLEAR_LINE);
    this.#live = false;
  }

  #show(line: string, live: boolean): void {
    this.close();
    const columns = this.#stream.columns ?? 80;
    this.#stream.write(live ? line.slice(0, columns - 1) : `${line}\n`);
    this.#live = live;
    this.#shownAt = this.#now();
  }
}
