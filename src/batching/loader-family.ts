import DataLoader from 'dataloader';

/**
 * Data loaders that differ in a parameter, such as a limit or the columns: one loader for each
 * value, so that equal requests of one level share a statement and different ones do not mix. They
 * load lists of keys: a promise for each row of a level would cost more than the rows.
 */
export class LoaderFamily<Parameter, Key, Value> {
  readonly #loaders = new Map<string, DataLoader<readonly Key[], ReadonlyMap<Key, Value>>>();

  /** @param load answers all keys in one statement; keys without a value are absent from its map */
  constructor(
    private readonly load: (keys: readonly Key[], parameter: Parameter) => Promise<ReadonlyMap<Key, Value>>,
  ) {}

  /**
   * The values of these keys, and of the keys that others of the same identity ask for in the same
   * tick.
   * @param identity text that is equal for equal parameters
   */
  async of(keys: readonly Key[], identity: string, parameter: Parameter): Promise<ReadonlyMap<Key, Value>> {
    let loader = this.#loaders.get(identity);
    if (!loader) {
      loader = new DataLoader(
        async (lists) => {
          const found = await this.load([...new Set(lists.flat())], parameter);
          return lists.map(() => found);
        },
        { cache: false },
      );
      this.#loaders.set(identity, loader);
    }
    return loader.load(keys);
  }
}

/** The identity of a set of columns. */
export function columnsIdentity(columns: ReadonlySet<string>): string {
  return [...columns].sort().join(',');
}
