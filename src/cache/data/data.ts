import type { CacheDependency, FollowedTable } from '../dependencies/dependencies.ts';

/** What is kept under a key, and how it is come by. */
export interface Data<Value> {
  /** Behind the tenant's prefix; the first part is the namespace. */
  readonly key: readonly string[];
  /** What `load` reads: the same for all that is ever kept under the key. */
  readonly tables: readonly FollowedTable[];
  /** What else the value depends on: by what it is invalidated by hand. */
  readonly dependencies: readonly CacheDependency[];
  readonly ttlSeconds: number;
  /** Text that is equal for equal parts of the value: those who ask for the same share a load. */
  readonly asked: string;
  /** Whether the value has the parts that are asked for. */
  covers(value: Value): boolean;
  /**
   * Reads the parts that are asked for and those that `kept` has, all of them from one snapshot of
   * the database: what was read at two moments is never put together.
   */
  load(kept: Value | undefined): Promise<Value>;
  /** When the value is another, whatever is written: milliseconds since 1970. */
  endsAtMs?(value: Value): number;
  /** When the load began, where that was before the call. */
  readonly beganAtMs?: number | undefined;
  /** Of values that may be shown when a write has made them old. */
  readonly ageing?: Ageing<Value> | undefined;
}

export interface Ageing<Value> {
  /** How old a value may be that a write has invalidated. */
  readonly maxStalenessMs: number;
  /** The `momentOf` its snapshot: no value takes the place of a later one. */
  readonly momentOf: (value: Value) => number;
}

/** A value as it was computed or found. */
export interface Found<Value> {
  readonly value: Value;
  /** Before the database was read for it. Milliseconds since 1970. */
  readonly createdAtMs: number;
  /** Whether it is older than the last write, for a reader that accepts that. */
  readonly isOld: boolean;
}
