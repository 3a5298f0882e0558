import { Finding, FindingStatus } from './finding.type.ts';

/** Findings of so long ago are shown again: looking takes connections and some seconds. */
const KEPT_MS = 30_000;

/** What a check of the doctor came to. */
export interface Examined {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'fault' | 'skipped';
  readonly found: string;
  readonly remedy: string;
}

export type Examine = () => Promise<readonly Examined[]>;

const STATUS = { warning: FindingStatus.WARNING, fault: FindingStatus.FAULT } as const;

/** What is wrong now. Looks at most every half minute, once for all who ask meanwhile. */
export class Findings {
  #last: Promise<Finding[]> | undefined;
  #doneMs = Number.NaN;

  /** @param examine absent: nobody looks */
  constructor(
    private readonly examine: Examine = async () => [],
    private readonly now = () => performance.now(),
  ) {}

  read(): Promise<Finding[]> {
    if (this.now() - this.#doneMs >= KEPT_MS) this.#last = undefined;
    this.#last ??= this.#look();
    return this.#last;
  }

  async #look(): Promise<Finding[]> {
    this.#doneMs = Number.NaN; // while it is under way it is not old
    try {
      return (await this.examine()).flatMap(({ name, status, found, remedy }) =>
        status === 'ok' || status === 'skipped' ? [] : [{ check: name, status: STATUS[status], found, remedy }],
      );
    } finally {
      this.#doneMs = this.now();
    }
  }
}
