import { ArgsType, Field, Int } from 'type-graphql';
import { badUserInput, countTimedOut, searchTimedOut } from '../errors.ts';
import type { Count } from '../paging/bounded-count.ts';
import { cursorOf, parseCursor } from '../paging/cursor.ts';
import type { KeysetOrder, KeysetRow, Page, PageRequest } from '../paging/keyset.ts';
import { StatementStopped } from '../tenancy/statement-stopped.ts';
import { checkedSize, DEFAULT_PAGE_SIZE } from './input-checks.ts';
import type { ConnectionPage } from './pagination.type.ts';
import { fieldsBelow, namesOf, type SelectedField } from './selection.ts';

@ArgsType()
export class ConnectionArgs {
  @Field(() => Int, {
    nullable: true,
    description: 'How many rows from the start of the range, 1 to 100; not with last. Absent without last: 20.',
  })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Only rows after this cursor. Absent: from the first row on.' })
  after?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many rows from the end of the range, 1 to 100; not with first.',
  })
  last?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only rows before this cursor; given alone, the last 20 of them. Absent: up to the last row.',
  })
  before?: string | null;
}

/**
 * What a connection's arguments ask for.
 * @param isSearched of `PageRequest`
 * @throws BAD_USER_INPUT for sizes out of range, `first` together with `last`, and cursors of
 *   another list
 */
export function pageRequest(
  args: ConnectionArgs,
  order: KeysetOrder,
  fields: readonly SelectedField[],
  isSearched: boolean,
): PageRequest {
  const { first, last, after, before } = args;
  if (first != null && last != null) throw badUserInput('last', 'absent when first is given', last);
  const backward = last != null || (first == null && before != null && after == null);
  const pageInfo = namesOf(fieldsBelow(fields, 'pageInfo'));
  return {
    size: last != null ? checkedSize('last', last) : checkedSize('first', first ?? DEFAULT_PAGE_SIZE),
    backward,
    after: after == null ? null : parseCursor('after', after, order),
    before: before == null ? null : parseCursor('before', before, order),
    exactEnds: pageInfo.has('hasNextPage') || pageInfo.has('hasPreviousPage'),
    isSearched,
  };
}

/** What is selected of a connection's nodes, wherever they are shown. */
export function nodeFields(fields: readonly SelectedField[]): SelectedField[] {
  return [...fieldsBelow(fields, 'nodes'), ...fieldsBelow(fields, 'edges', 'node')];
}

/** Shows a page as its connection type does. Cursors are made only when selected. */
export function connection<Node extends object>(
  page: Page<Node>,
  order: KeysetOrder,
  count: Count | undefined,
  fields: readonly SelectedField[],
): ConnectionPage<Node & KeysetRow> {
  const withEdges = fields.some(({ name }) => name === 'edges');
  const { rows, hasNextPage, hasPreviousPage } = page;
  const [first, last] = [rows[0], rows.at(-1)];
  return {
    nodes: rows,
    edges: withEdges ? rows.map((node) => ({ cursor: cursorOf(order, node), node })) : [],
    pageInfo: {
      hasNextPage,
      hasPreviousPage,
      startCursor: first ? cursorOf(order, first) : null,
      endCursor: last ? cursorOf(order, last) : null,
    },
    totalCount: count?.count ?? 0,
    totalCountIsExact: count?.isExact ?? true,
  };
}

/** The fields of a connection that show how many rows there are, the number first. */
export const CONNECTION_COUNT = ['totalCount', 'totalCountIsExact'] as const;

/**
 * Counting reads rows of the list, up to a limit: only for those who show the number.
 * @param names of the fields that show it, the number first
 * @throws TIMEOUT naming the field, when the count was stopped
 */
export async function countIfSelected<Counted>(
  fields: readonly SelectedField[],
  names: readonly [string, ...string[]],
  count: () => Promise<Counted>,
): Promise<Counted | undefined> {
  if (!fields.some(({ name }) => names.includes(name))) return undefined;
  try {
    return await count();
  } catch (error) {
    throw error instanceof StatementStopped ? countTimedOut(names[0], error.limitMs, error) : error;
  }
}

/**
 * Finds the page of a list whose search has a time limit.
 * @param remedy what to do when it takes too long
 * @throws TIMEOUT naming the list, when the search was stopped
 */
export async function searchIn<Found>(list: string, remedy: string, find: () => Promise<Found>): Promise<Found> {
  try {
    return await find();
  } catch (error) {
    throw error instanceof StatementStopped ? searchTimedOut(list, remedy, error.limitMs, error) : error;
  }
}
