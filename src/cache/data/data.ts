import type { CacheDependency } from '../namespaces.ts';

/** What is kept under a key, and how it is come by. */
export interface Data<Value> {
  /** Behind the tenant's prefix; the first part is the namespace. */
  readonly key: readonly string[];
  /** What the value depends on: the same for all that is ever kept under the key. */
  readonly dependencies: readonly CacheDependency[];
  readonly ttlSeconds: number;
  /** Text that is equal for equal parts of the value: those who ask for the same share a load. */
  readonly asked: string;
  /** Whether the value has the parts that are asked for. */
  covers(value: Value): boolean;
  /** Reads the parts that are asked for and that `known` lacks. @returns them together with those of `known` */
  load(known: Value | undefined): Promise<Value>;
  /** Puts together what was loaded at the same time for two who asked for different parts. */
  merge(one: Value, other: Value): Value;
  /** When the value is another, whatever is written: milliseconds since 1970. */
  endsAtMs?(value: Value): number;
  /** When the load began, where that was before the call. */
  readonly beganAtMs?: number | undefined;
  /** How old a value may be that a write has made old; 0 when absent. */
  readonly maxStalenessMs?: number | undefined;
}

/** A value as it was computed or found. */
export interface Found<Value> {
  readonly value: Value;
  /** Before the database was read for it; of parts that were read one after another, the first. Milliseconds since 1970. */
  readonly createdAtMs: number;
  /** Until when it may be shown: without end, unless it is older than the last write. */
  readonly holdsUntilMs: number;
}
