import type { Versions } from '../versions/versions.ts';

/**
 * The versions that a request's data entries are judged by: those that its response was looked up
 * under, or else read when they are first needed. Once for all entries, so that they are of one
 * moment.
 */
export class RequestVersions {
  #known: Promise<Versions | null> | undefined;

  /**
   * @param known as they were read at the request's begin; null when they could not be read or were
   *   not trusted
   * @param isShown whether anybody is shown what is read; else what is kept stays as it is
   */
  constructor(
    known?: Versions | null,
    readonly isShown = true,
  ) {
    this.#known = known === undefined ? undefined : Promise.resolve(known);
  }

  get(read: () => Promise<Versions | null>): Promise<Versions | null> {
    this.#known ??= read();
    return this.#known;
  }

  /**
   * After a write or an invalidation of the request's own: what it reads from now on has to show
   * it.
   */
  forget(): void {
    this.#known = undefined;
  }
}
