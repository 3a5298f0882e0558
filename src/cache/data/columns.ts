import type { Data } from './data.ts';

/** Rows, or what else was read with some columns and not with others. */
export interface WithColumns<Value> {
  readonly columns: readonly string[];
  readonly value: Value;
}

/**
 * Rows of which readers ask for different columns. Who asks for more reads them anew with all that anybody asked for, and
 * not the missing columns alone: beside older ones these could make a row that never was.
 */
export function withColumns<Value>(
  kept: Pick<Data<never>, 'key' | 'dependencies' | 'ttlSeconds' | 'maxStalenessMs'>,
  asked: ReadonlySet<string>,
  load: (columns: ReadonlySet<string>) => Promise<Value>,
): Data<WithColumns<Value>> {
  return {
    ...kept,
    asked: [...asked].sort().join(),
    covers({ columns }) {
      const there = new Set(columns);
      return [...asked].every((column) => there.has(column));
    },
    async load(known) {
      const columns = new Set([...(known?.columns ?? []), ...asked]);
      return { columns: [...columns].sort(), value: await load(columns) };
    },
    merge: (_, latest) => latest,
  };
}
