import { type Finding, FindingStatus } from './finding.type.ts';

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
  #looking: Promise<Finding[]> | undefined;
  #last: { readonly found: Finding[]; readonly atMs: number } | undefined;

  /** @param examine absent: nobody looks */
  constructor(
    private readonly examine: Examine = async () => [],
    private readonly now = () => performance.now(),
  ) {}

  /** @throws when looking fails; the next who asks looks again */
  async read(): Promise<Finding[]> {
    if (this.#last && this.now() - this.#last.atMs < KEPT_MS) return this.#last.found;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<Finding[]> {
    const found = (await this.examine()).flatMap(({ name, status, found, remedy }) =>
      status === 'ok' || status === 'skipped' ? [] : [{ check: name, status: STATUS[status], found, remedy }],
    );
    this.#last = { found, atMs: this.now() };
    return found;
  }
}
