import type { IndexDefinition } from '../database/index-definition.ts';

/** Why an index is there. */
export interface CatalogEntry {
  readonly definition: IndexDefinition;
  readonly purpose: string;
  /**
   * The product's statements that search it, as `Model.action` of `SqlStatement`; empty when
   * something else needs it.
   */
  readonly queries: readonly string[];
  /**
   * What needs it beside or instead of queries. Such an index stays, however seldom it is scanned.
   */
  readonly keeps?: string;
  /** Why it is on a part of the rows only. */
  readonly partial?: string;
}
