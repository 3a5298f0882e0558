import { Prisma } from '../generated/prisma/client.ts';

const { sql, empty, raw } = Prisma;

/** Rows of one page at most, of any list. */
export const MAX_PAGE_SIZE = 100;

/**
 * Told to the planner as a number: of a LIMIT that is a parameter it expects a tenth of all rows,
 * and plans the page anew each time for the size it has then, for more than its execution takes.
 * The size itself only ends the execution early.
 */
export const LONGEST_PAGE = raw(`LIMIT ${MAX_PAGE_SIZE + 1}`);

/**
 * An order that ends with the id, so that no two rows are equal in it and pages never overlap or
 * skip.
 */
export interface KeysetOrder {
  /** Names the order in cursors: a cursor of one order is refused by another. */
  readonly name: string;
  /** The column or expression that is sorted by, ahead of the id. */
  readonly column: Prisma.Sql;
  /** The same as text that reads back to the identical value. */
  readonly text: Prisma.Sql;
  /** PostgreSQL type that the text is cast to. */
  readonly type: Prisma.Sql;
  readonly descending: boolean;
}

/** A row's place in an order. */
export interface Position {
  readonly value: string;
  readonly id: string;
}

/** Which rows of an order are asked for. */
export interface PageRequest {
  readonly size: number;
  /**
   * Whether the last rows of the bounds are asked for and not the first. They come in the order's
   * direction all the same.
   */
  readonly backward: boolean;
  readonly after: Position | null;
  readonly before: Position | null;
  /**
   * Whether to look beyond `after` and `before`, so that the page knows exactly what lies on either
   * side.
   */
  readonly exactEnds: boolean;
  /**
   * Whether rows are read that are not on the page: then it has the time limit of searches. Absent:
   * none are.
   */
  readonly isSearched?: boolean;
}

export interface Page<Row> {
  readonly rows: readonly (Row & KeysetRow)[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** What every row of a keyset query carries. */
export interface KeysetRow {
  readonly id: string;
  readonly sortValue: string;
}

interface EndsRow {
  readonly id: string | null;
  readonly precedes: boolean;
  readonly follows: boolean;
}

/**
 * The SQL of one page: its rows, one more to see whether it goes on, and what lies beyond the
 * bounds. It always yields at least one row; on an empty page that row's id is null. Costs the same
 * on every page: the bounds are index keys.
 * @param source table, and what its rows must satisfy
 */
export function keysetSelect(
  columns: Prisma.Sql,
  source: { readonly table: Prisma.Sql; readonly where: Prisma.Sql },
  order: KeysetOrder,
  page: PageRequest,
): Prisma.Sql {
  const { table, where } = source;
  const [backwards, onwards] = order.descending ? [sql`ASC`, sql`DESC`] : [sql`DESC`, sql`ASC`];
  const [later, earlier] = order.descending ? [sql`<`, sql`>`] : [sql`>`, sql`<`];
  const [laterOrAt, earlierOrAt] = order.descending ? [sql`<=`, sql`>=`] : [sql`>=`, sql`<=`];
  // In order and the nearest first, so that the index of the order answers: for EXISTS, which
  // cannot be ordered, PostgreSQL reads the whole table from its start when the tenant owns much of
  // it.
  const beyond = (position: Position | null, comparison: Prisma.Sql, towards: Prisma.Sql) =>
    page.exactEnds && position
      ? sql`(SELECT true FROM ${table} WHERE ${where} AND ${compare(order, comparison, position)}
          ORDER BY ${order.column} ${towards}, id ${towards} LIMIT 1) IS NOT NULL`
      : sql`false`;
  const direction = order.descending === page.backward ? sql`ASC` : sql`DESC`;
  // OFFSET 0 keeps the ends a subquery: within a LATERAL, PostgreSQL would look beyond the bounds
  // anew for each row of the page.
  return sql`SELECT ends.*, page.* FROM (
      SELECT ${beyond(page.after, earlierOrAt, backwards)} AS precedes, ${beyond(page.before, laterOrAt, onwards)} AS follows OFFSET 0
    ) ends LEFT JOIN LATERAL (
      SELECT * FROM (
        SELECT ${columns}, ${order.text} AS "sortValue" FROM ${table} WHERE ${where}
          ${page.after ? sql`AND ${compare(order, later, page.after)}` : empty}
          ${page.before ? sql`AND ${compare(order, earlier, page.before)}` : empty}
        ORDER BY ${order.column} ${direction}, id ${direction} ${LONGEST_PAGE}
      ) longest LIMIT ${page.size + 1}
    ) page ON true`;
}

/** Makes the page from the rows of `keysetSelect`. */
export function keysetPage<Row extends KeysetRow>(rows: readonly Row[], page: PageRequest): Page<Row> {
  const ends = rows[0] as unknown as EndsRow | undefined;
  if (!ends || ends.id === null)
    return { rows: [], hasNextPage: ends?.follows ?? false, hasPreviousPage: ends?.precedes ?? false };
  const overflows = rows.length > page.size;
  const kept = overflows ? rows.slice(0, page.size) : [...rows];
  return {
    rows: page.backward ? kept.reverse() : kept,
    hasNextPage: ends.follows || (overflows && !page.backward),
    hasPreviousPage: ends.precedes || (overflows && page.backward),
  };
}

function compare(order: KeysetOrder, comparison: Prisma.Sql, { value, id }: Position): Prisma.Sql {
  return sql`(${order.column}, id) ${comparison} (${value}::${order.type}, ${id}::uuid)`;
}
