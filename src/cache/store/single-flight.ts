import { ErrorCode } from '../../errors.ts';
import { isCurrent, type Versions } from '../versions/versions.ts';

/**
 * Errors that the next load would come to as well, after as long a time. Who has met one twice takes it
 * for its own; the first may be of a load that was given up before it was joined.
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
export interface Flight<Result> {
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
  readonly #flights = new Map<string, Flight<Result>>();

  under(key: string, versions: Versions): Flight<Result> | undefined {
    const flight = this.#flights.get(key);
    return flight && isCurrent(flight.versions, versions) && isCurrent(versions, flight.versions) ? flight : undefined;
  }

  /** Loads, and lets others join until it is done. */
  async run(
    key: string,
    versions: Versions,
    load: () => Promise<Result>,
    whenJoined: () => void = () => {},
  ): Promise<Result> {
    const flight = { versions, result: load(), whenJoined };
    this.#flights.set(key, flight);
    try {
      return await flight.result;
    } finally {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    }
  }
}
