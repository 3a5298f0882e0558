import { ArgsType, Field, Int } from 'type-graphql';
import { badUserInput } from '../errors.ts';
import { cursorOf, parseCursor } from '../paging/cursor.ts';
import type { KeysetOrder, KeysetRow, Page, PageRequest } from '../paging/keyset.ts';
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
 * @throws BAD_USER_INPUT for sizes out of range, `first` together with `last`, and cursors of another list
 */
export function pageRequest(args: ConnectionArgs, order: KeysetOrder, fields: readonly SelectedField[]): PageRequest {
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
  totalCount: number,
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
    totalCount,
  };
}

/** Counting reads every row of the list: only for those who show the number. */
export async function ifSelected<Count>(
  fields: readonly SelectedField[],
  names: readonly string[],
  count: () => Promise<Count>,
): Promise<Count | undefined> {
  return fields.some(({ name }) => names.includes(name)) ? count() : undefined;
}
