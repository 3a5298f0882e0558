import { expect } from 'vitest';
import type { PageInfoFieldsFragment } from '../generated/graphql.ts';

export interface PageArguments {
  readonly first?: number;
  readonly after?: string;
  readonly last?: number;
  readonly before?: string;
}

export interface ConnectionAnswer<Node> {
  readonly edges: readonly { readonly cursor: string; readonly node: Node }[];
  readonly pageInfo: PageInfoFieldsFragment;
  readonly totalCount: number;
}

export type PageSource<Node> = (page: PageArguments) => Promise<ConnectionAnswer<Node>>;

/**
 * Walks a list from its beginning to its end and back, and holds every page against the rows that
 * it must have.
 */
export async function expectWalks<Node>(source: PageSource<Node>, rows: readonly Node[], size: number): Promise<void> {
  let after: string | undefined;
  for (let from = 0; from === 0 || from < rows.length; from += size) {
    const page = await source({ first: size, ...(after && { after }) });
    expectPage(page, rows, from, Math.min(from + size, rows.length));
    after = page.pageInfo.endCursor ?? undefined;
  }
  let before: string | undefined;
  for (let to = rows.length; to === rows.length || to > 0; to -= size) {
    const page = await source({ last: size, ...(before && { before }) });
    expectPage(page, rows, Math.max(0, to - size), to);
    before = page.pageInfo.startCursor ?? undefined;
  }
}

/** Holds one page against the rows of the whole list from one index up to, and without, another. */
export function expectPage<Node>(
  { edges, pageInfo, totalCount }: ConnectionAnswer<Node>,
  rows: readonly Node[],
  from: number,
  to: number,
): void {
  expect(edges.map(({ node }) => node)).toEqual(rows.slice(from, to));
  expect({ ...pageInfo, totalCount }).toEqual({
    hasPreviousPage: from > 0,
    hasNextPage: to < rows.length,
    startCursor: edges[0]?.cursor ?? null,
    endCursor: edges.at(-1)?.cursor ?? null,
    totalCount: rows.length,
  });
}

/** The cursors of all rows of a list of at most 100. */
export async function cursorsOf<Node>(source: PageSource<Node>): Promise<string[]> {
  return (await source({ first: 100 })).edges.map(({ cursor }) => cursor);
}
