import { type ClassType, Field, Int, ObjectType } from 'type-graphql';
import { sentences } from './sentences.ts';

@ObjectType({ description: 'Where a page lies in its list. Both flags are exact.', simpleResolvers: true })
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether the list has rows after endCursor.' })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'Whether the list has rows before startCursor.' })
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first row; null on an empty page.' })
  startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Cursor of the last row; null on an empty page.' })
  endCursor!: string | null;
}

/** A page as the connection types show it. The count means nothing when it was not selected. */
export interface ConnectionPage<Node> {
  readonly edges: readonly { readonly cursor: string; readonly node: Node }[];
  readonly nodes: readonly Node[];
  readonly pageInfo: PageInfo;
  readonly totalCount: number;
  readonly totalCountIsExact: boolean;
}

/** What descriptions of counts say of their limit. */
export const BOUND =
  'Where no totals are kept, counted no further than a limit of the service, 10,000 unless it is set otherwise.';

/**
 * Makes the connection and edge types of a node type, after the Relay cursor connections
 * specification.
 */
export function connectionTypes<Node extends object>(name: string, node: () => ClassType<Node>) {
  @ObjectType(`${name}Edge`, { description: `One row of ${name}Connection, with its cursor.`, simpleResolvers: true })
  class Edge {
    @Field(() => String, { description: 'Place of the row in the list; pass it as after or before.' })
    cursor!: string;

    @Field(node, { description: 'The row.' })
    node!: Node;
  }

  @ObjectType(`${name}Connection`, { description: 'One page of a list, read by cursors.', simpleResolvers: true })
  class Connection implements ConnectionPage<Node> {
    @Field(() => [Edge], { description: 'The rows with their cursors.' })
    edges!: readonly Edge[];

    @Field(() => [node()], { description: 'The rows alone.' })
    nodes!: readonly Node[];

    @Field(() => PageInfo, { description: 'Where the page lies in the list.' })
    pageInfo!: PageInfo;

    @Field(() => Int, {
      description: sentences('Rows of the whole list under this filter; counted only when selected.', BOUND),
    })
    totalCount!: number;

    @Field(() => Boolean, { description: 'Whether totalCount is all there are; false: there are more.' })
    totalCountIsExact!: boolean;
  }

  return { Connection, Edge };
}
