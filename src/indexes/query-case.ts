import type { PageRequest, Position } from '../paging/keyset.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { RecordingDatabase } from './record-statements.ts';

/** One way in which the product asks the database. */
export interface QueryCase {
  /** As people call it, for example `accounts by balance, next page`. */
  readonly name: string;
  /** The indexes that its plan must use; of those within a list any one. */
  readonly uses: readonly (string | readonly string[])[];
  /**
   * It looks at every row of the tenant, in whatever index. Of a tenant that owns a good part of
   * the table PostgreSQL then rightly reads the table from its start.
   */
  readonly readsAll?: boolean;
  /** Calls the repository. */
  readonly call: (recording: RecordingDatabase, scope: TenantScope) => Promise<unknown>;
}

const PAGE_SIZE = 20;

/** The pages that a list is asked for: where it begins, further on, and back from there. */
export function samplePages(middle: Position): readonly { readonly name: string; readonly page: PageRequest }[] {
  const none = { size: PAGE_SIZE, backward: false, after: null, before: null, exactEnds: false };
  return [
    { name: 'first page', page: none },
    { name: 'next page', page: { ...none, after: middle, exactEnds: true } },
    { name: 'previous page', page: { ...none, backward: true, before: middle, exactEnds: true } },
  ];
}

/**
 * What a count uses: one of these indexes, or none of its own, when it looks at all rows of the
 * tenant.
 */
export function countedBy(indexes: readonly string[]): Pick<QueryCase, 'uses' | 'readsAll'> {
  return indexes.length ? { uses: [indexes] } : { uses: [], readsAll: true };
}
