import { ErrorCode } from '../../errors.ts';
import { isCurrent, type Versions } from '../versions/versions.ts';

/**
 * Errors that the next load would come to as well, after as long a time. Who has met one twice
 * takes it for its own; the first may be of a load that was given up before it was joined.
 */
const LASTING: ReadonlySet<unknown> = new Set([ErrorCode.Timeout, ErrorCode.Unavailable]);

/** How somebody who waits for one load after another decides that the error of one is its own. */
export class FailedLoads {
  #lasting = 0;

  /** @param code of the error that a load came to */
  isOwn(code: unknown): boolean {
    return LASTING.has(code) && ++this.#lasting === 2;
  }
}

/** A load that others may join, with the versions it began under. */
export interface RunningLoad<Result> {
  readonly versions: Versions;
  readonly result: Promise<Result>;
  /** Called by whoever joins it. */
  readonly whenJoined: () => void;
}

/**
 * The loads under way in this process, at most one for a key and versions. One that began before a
 * write would answer a reader that comes after it: it is joined only under the versions that it
 * began under.
 */
export class SingleFlight<Result> {
  readonly #loads = new Map<string, RunningLoad<Result>>();

  under(key: string, versions: Versions): RunningLoad<Result> | undefined {
    const running = this.#loads.get(key);
    return running && isCurrent(running.versions, versions) && isCurrent(versions, running.versions)
      ? running
      : undefined;
  }

  /** Loads, and lets others join until it is done. */
  async run(
    key: string,
    versions: Versions,
    load: () => Promise<Result>,
    whenJoined: () => void = () => {},
  ): Promise<Result> {
    const running = { versions, result: load(), whenJoined };
    this.#loads.set(key, running);
    try {
      return await running.result;
    } finally {
      if (this.#loads.get(key) === running) this.#loads.delete(key);
    }
  }
}
