import DataLoader from 'dataloader';

/**
 * Data loaders that differ in a parameter, such as a limit or the columns: one loader for each value, so that equal
 * requests of one level share a statement and different ones do not mix.
 */
export class LoaderFamily<Parameter, Key, Value> {
  readonly #loaders = new Map<string, DataLoader<Key, Value>>();

  /** @param load answers all keys in one statement; a key that is absent from its map gets `absent` */
  constructor(
    private readonly load: (keys: readonly Key[], parameter: Parameter) => Promise<ReadonlyMap<Key, Value>>,
    private readonly absent: () => Value,
  ) {}

  /** @param identity text that is equal for equal parameters */
  of(identity: string, parameter: Parameter): DataLoader<Key, Value> {
    let loader = this.#loaders.get(identity);
    if (!loader) {
      loader = new DataLoader<Key, Value>(async (keys) => {
        const found = await this.load(keys, parameter);
        return keys.map((key) => found.get(key) ?? this.absent());
      });
      this.#loaders.set(identity, loader);
    }
    return loader;
  }
}

/** The identity of a set of columns. */
export function columnsIdentity(columns: ReadonlySet<string>): string {
  return [...columns].sort().join(',');
}
