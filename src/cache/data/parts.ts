import type { Data } from './data.ts';

/** A value, and what of it was read. */
export interface WithParts<Parts, Value> {
  readonly parts: Parts;
  readonly value: Value;
}

/** How parts are compared and put together. */
export interface PartsAlgebra<Parts> {
  /** Whether all of `asked` is in `there`. */
  contain(there: Parts, asked: Parts): boolean;
  /** What both have. The same text of JSON for the same parts. */
  join(one: Parts, other: Parts): Parts;
}

/** Parts that are names, such as columns. Sorted. */
export const NAMES: PartsAlgebra<readonly string[]> = {
  contain(there, asked) {
    const names = new Set(there);
    return asked.every((name) => names.has(name));
  },
  join: (one, other) => [...new Set([...one, ...other])].sort(),
};

type Kept = Pick<Data<never>, 'key' | 'tables' | 'dependencies' | 'ttlSeconds'>;

/**
 * A value of which readers ask for different parts. Who asks for more reads it anew, with all that
 * the kept one has, and not the missing parts alone: beside older ones these could make an answer
 * that never was true.
 */
export function withParts<Parts, Value>(
  kept: Kept,
  { contain, join }: PartsAlgebra<Parts>,
  asked: Parts,
  load: (parts: Parts) => Promise<Value>,
): Data<WithParts<Parts, Value>> {
  return {
    ...kept,
    asked: JSON.stringify(asked),
    covers: ({ parts }) => contain(parts, asked),
    async load(there) {
      const parts = there ? join(there.parts, asked) : asked;
      return { parts, value: await load(parts) };
    },
  };
}

/** The same for parts that are names. */
export function withNames<Value>(
  kept: Kept,
  asked: Iterable<string>,
  load: (names: ReadonlySet<string>) => Promise<Value>,
): Data<WithParts<readonly string[], Value>> {
  return withParts(kept, NAMES, NAMES.join([...asked], []), (names) => load(new Set(names)));
}
