import { shortCopy } from './short-copy.ts';

/**
 * Takes what comes after the limit. No GraphQL name can be spelled like this, so that no client's
 * name meets it.
 */
export const OTHER = '(other)';
/** Longer names are nobody's who wants to find them again. */
const MAX_NAME_LENGTH = 100;

/**
 * One entry for each name, up to a limit; names after that, and very long ones, share `OTHER`. The
 * first names keep their entries, so that counters never fall and a metrics store sees no more than
 * `limit + 1` series however long the process runs.
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

  values(): IterableIterator<Entry> {
    return this.#entries.values();
  }

  get size(): number {
    return this.#entries.size;
  }

  #add(name: string): Entry {
    const refused = this.#entries.size >= this.limit || name.length > MAX_NAME_LENGTH;
    if (refused && name !== OTHER) return this.entry(OTHER);
    const key = shortCopy(name, MAX_NAME_LENGTH);
    const entry = this.create(key);
    this.#entries.set(key, entry);
    return entry;
  }
}
