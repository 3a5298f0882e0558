import type { CacheDependency } from './namespaces.ts';

/** Kinds of answers, each with a time to live of its own. */
export type AnswerKind = 'dashboard' | 'statistics' | 'accounts' | 'other';

/**
 * What is learned about an answer while it is resolved: what it depends on and how long it may hold. Resolvers tell it
 * what they read; nothing is guessed from the query's text. An answer that told nothing, or that has errors, is not kept.
 */
export class AnswerPolicy {
  readonly dependencies = new Set<CacheDependency>();
  readonly kinds = new Set<AnswerKind>();
  /** Milliseconds since 1970 from which on the answer is another, whatever is written. */
  expiresAtMs = Number.POSITIVE_INFINITY;
  /** Whether the answer is whole and without errors, which is known at the end. */
  isComplete = false;

  dependsOn(...dependencies: readonly CacheDependency[]): void {
    for (const dependency of dependencies) this.dependencies.add(dependency);
  }

  isOfKind(kind: AnswerKind): void {
    this.kinds.add(kind);
  }

  holdsUntil(instantMs: number): void {
    this.expiresAtMs = Math.min(this.expiresAtMs, instantMs);
  }
}
