import type { ClassType } from 'type-graphql';
import {
  type FOLLOWED_TABLES,
  type FollowedTable,
  type ParentKey,
  TOLD_TABLES,
} from '../cache/dependencies/dependencies.ts';
import type { RequestContext } from '../context/request-context.ts';
import { instantText } from '../database/sql-text.ts';
import { TABLE_OF_MODEL } from '../database/tables.ts';
import { Prisma } from '../generated/prisma/client.ts';
import type { KeysetOrder } from '../paging/keyset.ts';
import type { Column } from './columns.ts';

const { sql } = Prisma;

type Following = (typeof FOLLOWED_TABLES)[FollowedTable];

/** The models of FOLLOWED_TABLES that have a parent: those made as docs/add-a-model.md tells. */
export type MadeModel = Extract<Following, { readonly parent: ParentKey }>['model'];

/** What the type of each of these models has. */
export interface ModelRow {
  readonly id: string;
  readonly createdAt: string;
}

/** The rows that a model's rows belong to. */
export interface Parent {
  readonly type: () => ClassType;
  /** The field of the row that shows it. */
  readonly field: string;
  /** The property that has its id. */
  readonly key: string;
  /** Reads them, in the order of the ids; null where there is none. */
  readonly load: (
    context: RequestContext,
    ids: readonly string[],
    wanted: ReadonlySet<string>,
  ) => Promise<readonly ({ readonly id: string } | null)[]>;
}

interface Definition<Row extends ModelRow> {
  readonly model: MadeModel;
  /** The name of its lists, in the schema and in messages. */
  readonly list: string;
  readonly type: ClassType<Row>;
  readonly connection: ClassType;
  /** Absent: its rows belong to the tenant alone. */
  readonly parent?: Parent;
  /** Every property of the type beside `id` and `createdAt`. */
  readonly columns: Readonly<Record<Exclude<keyof Row, keyof ModelRow>, Column>>;
}

/**
 * A model that is listed newest first, under a filter by its columns, for the tenant and for each
 * row that it belongs to.
 */
export interface Model extends Omit<Definition<ModelRow>, 'columns'> {
  readonly table: string;
  /** The column that has the parent's id. */
  readonly parentColumn: string | undefined;
  readonly columns: Readonly<Record<string, Column>>;
  /** All properties and the SQL that reads them. */
  readonly selects: Readonly<Record<string, Prisma.Sql>>;
}

/** Newest first; equal instants by id, the younger first. */
export const NEWEST_FIRST: KeysetOrder = {
  name: 'CREATED_AT',
  column: sql`created_at`,
  text: instantText(sql`created_at`),
  type: sql`timestamptz`,
  descending: true,
};

export function defineModel<Row extends ModelRow>(definition: Definition<Row>): Model {
  const table = TABLE_OF_MODEL[definition.model];
  const parent = TOLD_TABLES.find((told) => told.table === table)?.parent;
  const columns: Readonly<Record<string, Column>> = definition.columns;
  const read = Object.entries(columns).map(([property, { select }]) => [property, select] as const);
  return {
    ...definition,
    table,
    parentColumn: parent?.key,
    columns,
    selects: { id: sql`id`, ...Object.fromEntries(read), createdAt: instantText(sql`created_at`) },
  };
}
