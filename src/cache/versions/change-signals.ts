/** Told whose versions were bumped; null: anybody's may have been. */
export type ChangeListener = (tenantId: string | null) => void;

/**
 * Tells that a tenant's versions may be others. A signal is a hint, which may come twice, late or
 * never: the versions say what is so.
 */
export class ChangeSignals {
  readonly #listeners = new Set<ChangeListener>();

  /** @returns ends it */
  listen(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(tenantId: string | null): void {
    for (const listener of this.#listeners) listener(tenantId);
  }
}
