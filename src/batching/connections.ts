import type { GraphQLResolveInfo } from 'graphql';
import type { RequestContext } from '../context/request-context.ts';
import {
  CONNECTION_COUNT,
  type ConnectionArgs,
  connection,
  countIfSelected,
  nodeFields,
  pageRequest,
  searchIn,
} from '../graphql/pagination.ts';
import type { ConnectionPage } from '../graphql/pagination.type.ts';
import { type SelectedField, selectedFields } from '../graphql/selection.ts';
import type { Count } from '../paging/bounded-count.ts';
import type { KeysetOrder, KeysetRow, Page, PageRequest } from '../paging/keyset.ts';
import { withRelations, withRelationsInLists } from './batch-mapping.ts';

const EMPTY_PAGE: Page<never> = { rows: [], hasNextPage: false, hasPreviousPage: false };

/** A list that is shown as a connection, and how it is read. */
interface ConnectionList<Found, Counted> {
  /** The field that shows it, as errors name it. */
  readonly name: string;
  /** What to do when a search takes too long. */
  readonly remedy: string;
  readonly order: KeysetOrder;
  /** Of `PageRequest`. */
  readonly isSearched: boolean;
  /** @param shown what is selected of the rows */
  readonly page: (request: PageRequest, shown: readonly SelectedField[]) => Promise<Found>;
  readonly count: () => Promise<Counted>;
}

/**
 * The page of a list that the arguments ask for, with what hangs on its rows, and with how many
 * rows the list has where that is selected.
 * @throws what `pageRequest`, `searchIn` and `countIfSelected` do
 */
export async function connectionOf<Row extends object>(
  context: RequestContext,
  args: ConnectionArgs,
  info: GraphQLResolveInfo,
  list: ConnectionList<Page<Row>, Count>,
): Promise<ConnectionPage<Row & KeysetRow>> {
  const fields = selectedFields(info);
  const shown = nodeFields(fields);
  const [page, count] = await read(list, args, fields, shown);
  const rows = await withRelations(context, page.rows, shown);
  return connection({ ...page, rows }, list.order, count, fields);
}

/**
 * The same for a list of each row of a level, in the rows' order. For null in the place of a page
 * it is an empty one.
 */
export async function connectionsOf<Row extends object>(
  context: RequestContext,
  args: ConnectionArgs,
  { fields }: SelectedField,
  list: ConnectionList<readonly (Page<Row> | null)[], readonly (Count | null)[]>,
): Promise<ConnectionPage<Row & KeysetRow>[]> {
  const shown = nodeFields(fields);
  const [found, counts] = await read(list, args, fields, shown);
  const pages: readonly Page<Row>[] = found.map((page) => page ?? EMPTY_PAGE);
  const rowsOfPages = pages.map(({ rows }) => rows);
  const rows = await withRelationsInLists(context, rowsOfPages, shown);
  return pages.map((page, index) =>
    connection({ ...page, rows: rows[index] ?? [] }, list.order, counts?.[index] ?? undefined, fields),
  );
}

function read<Found, Counted>(
  { name, remedy, order, isSearched, page, count }: ConnectionList<Found, Counted>,
  args: ConnectionArgs,
  fields: readonly SelectedField[],
  shown: readonly SelectedField[],
): Promise<[Found, Counted | undefined]> {
  const request = pageRequest(args, order, fields, isSearched);
  return Promise.all([
    searchIn(name, remedy, () => page(request, shown)),
    countIfSelected(fields, CONNECTION_COUNT, count),
  ]);
}
