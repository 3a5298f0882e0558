import { type AnswerKind, KINDS } from '../dependencies/answer-kinds.ts';
import { type CacheDependency, derivedDependencies } from '../dependencies/dependencies.ts';

/**
 * What is learned about an answer while it is resolved: what it depends on and how long it may be
 * kept. What is read for it tells the one, and resolvers tell its kind and what else it is
 * invalidated by; nothing is guessed from the query's text. An answer that told nothing, not even
 * its kind, or that has errors, is not kept.
 */
export class AnswerPolicy {
  readonly dependencies = new Set<CacheDependency>();
  readonly #kinds = new Set<AnswerKind>();
  /** Milliseconds since 1970 from which on the answer is another, whatever is written. */
  expiresAtMs = Number.POSITIVE_INFINITY;
  /** The code of its first error, which is known at the end. */
  errorCode: string | undefined;
  /**
   * Whether it shows what a write has invalidated. Such an answer is its own reader's: kept or
   * shared, it could be shown when a later one has been.
   */
  isOld = false;
  /** Whether the answer is whole, without errors and not old, which is known at the end. */
  isComplete = false;

  dependsOn(...dependencies: readonly CacheDependency[]): void {
    for (const dependency of dependencies) this.dependencies.add(dependency);
  }

  isOfKind(kind: AnswerKind): void {
    this.#kinds.add(kind);
    if (kind !== 'other') this.dependencies.add(kind);
  }

  /**
   * @param tables that were read for the answer
   * @returns false when one of them may change without the cache being told
   */
  dependsOnTables(tables: Iterable<string>): boolean {
    const dependencies = derivedDependencies(tables, this.dependencies);
    if (dependencies) this.dependsOn(...dependencies);
    return dependencies !== undefined;
  }

  /** Of all its root fields, in an order that does not depend on theirs. */
  get kinds(): readonly AnswerKind[] {
    return KINDS.filter((kind) => this.#kinds.has(kind));
  }

  /** @param found what the answer is made of */
  shows({ isOld }: { readonly isOld: boolean }): void {
    this.isOld ||= isOld;
  }

  holdsUntil(instantMs: number): void {
    this.expiresAtMs = Math.min(this.expiresAtMs, instantMs);
  }
}
