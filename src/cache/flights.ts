import { isCurrent, type Versions } from './versions.ts';

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
export class Flights<Result> {
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
