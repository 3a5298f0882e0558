import type { Prisma } from '../generated/prisma/client.ts';
import type { Count } from '../paging/bounded-count.ts';
import type { KeysetOrder, Page, PageRequest } from '../paging/keyset.ts';
import { columnsIdentity, type ShapedLoad, ShapedLoader } from './shaped-loader.ts';

/** A page of the same shape for each row of a level. */
export interface PageOfEach {
  readonly conditions: readonly Prisma.Sql[];
  readonly page: PageRequest;
  readonly wanted: ReadonlySet<string>;
  /** Absent: the order that the list has where none is asked for. */
  readonly order?: KeysetOrder;
}

/** Loaders of the lists that hang on the rows of a level; one statement for all rows. */
export function pageLoaders<Row>(
  loadPages: ShapedLoad<PageOfEach, Page<Row>>,
  loadCounts: ShapedLoad<readonly Prisma.Sql[], Count>,
) {
  const pages = new ShapedLoader(loadPages);
  const counts = new ShapedLoader(loadCounts);
  return {
    /** A page of each list. */
    pageOfEach: (ids: readonly string[], asked: PageOfEach) => pages.all(ids, pageIdentity(asked), asked),
    /** How many rows each list has under these conditions. */
    countOfEach: (ids: readonly string[], conditions: readonly Prisma.Sql[]) =>
      counts.all(ids, identityOf(conditions), conditions),
  };
}

function pageIdentity({ conditions, page, wanted, order }: PageOfEach): string {
  const place = JSON.stringify([page, order?.name, order?.descending]);
  return `${identityOf(conditions)} ${place} ${columnsIdentity(wanted)}`;
}

function identityOf(conditions: readonly Prisma.Sql[]): string {
  return JSON.stringify(conditions.map(({ sql, values }) => [sql, values]));
}
