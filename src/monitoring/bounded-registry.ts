/** Takes what comes after the limit. No GraphQL name can be spelled like this, so that no client's name meets it. */
export const OTHER = '(other)';

/**
 * One entry for each name, up to a limit; all names after that share `OTHER`. The first names keep their entries, so
 * that counters never fall and a metrics store sees no more than `limit + 1` series however long the process runs.
 */
export class BoundedRegistry<Entry> {
  readonly #entries = new Map<string, Entry>();

  constructor(
    private readonly limit: number,
    private readonly create: (name: string) => Entry,
  ) {}

  /** The entry to record into. */
  entry(name: string): Entry {
    return this.#entries.get(name) ?? this.#add(name);
  }

  entries(): IterableIterator<[string, Entry]> {
    return this.#entries.entries();
  }

  get size(): number {
    return this.#entries.size;
  }

  #add(name: string): Entry {
    if (this.#entries.size >= this.limit && name !== OTHER) return this.entry(OTHER);
    const entry = this.create(name);
    this.#entries.set(name, entry);
    return entry;
  }
}
