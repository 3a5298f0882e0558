import type { Logger } from 'pino';
import { OperatorError } from '../errors.ts';

/** What goes and comes back within this time is one outage. */
const SETTLED_MS = 1_000;
const SUMMARY_MS = 60_000;

/** What is written when something begins to fail, and when it works again. */
export interface OutageWords {
  readonly began: string;
  readonly over: string;
}

/**
 * Tells the log of an outage once when it begins, once when it is over, and once a minute
 * meanwhile, however often something fails. What a person must fix is told as an error with its
 * remedy, whenever it is something else than before. Stacks are for the level debug.
 */
export class OutageLog {
  #beganMs: number | undefined;
  #failures = 0;
  #summaryMs = 0;
  readonly #told = new Set<string>();
  #ending: NodeJS.Timeout | undefined;

  constructor(
    private readonly logger: Pick<Logger, 'error' | 'warn' | 'info' | 'debug'>,
    private readonly words: OutageWords,
  ) {}

  readonly failed = (error: Error): void => {
    clearTimeout(this.#ending);
    this.#ending = undefined;
    this.#failures++;
    this.logger.debug({ err: error }, this.words.began);
    if (error instanceof OperatorError) this.#tellRemedy(error);
    else this.#tell(error.message);
  };

  readonly recovered = (): void => {
    if (this.#beganMs === undefined) return;
    this.#ending ??= setTimeout(() => this.#end(), SETTLED_MS).unref();
  };

  #tell(reason: string): void {
    if (this.#beganMs === undefined) {
      this.#beganMs = this.#summaryMs = Date.now();
      this.logger.warn({ reason }, this.words.began);
    } else if (Date.now() - this.#summaryMs >= SUMMARY_MS) {
      this.#summaryMs = Date.now();
      this.logger.warn({ reason, failures: this.#failures, ...this.#duration() }, this.words.began);
    }
  }

  #tellRemedy({ message, remedy }: OperatorError): void {
    this.#beganMs ??= this.#summaryMs = Date.now();
    if (this.#told.has(message)) {
      this.#tell(message);
      return;
    }
    this.#told.add(message);
    this.logger.error({ remedy }, message);
  }

  #end(): void {
    this.logger.info({ failures: this.#failures, ...this.#duration() }, this.words.over);
    this.#beganMs = this.#ending = undefined;
    this.#failures = 0;
    this.#told.clear();
  }

  #duration(): { readonly seconds: number } {
    return { seconds: Math.round((Date.now() - (this.#beganMs ?? 0)) / 1_000) };
  }
}
