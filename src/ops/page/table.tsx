import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { NONE, whole } from './format.ts';

const ROWS_SHOWN = 10;
/** A table of so few is as wide as its content: figures stay near what they are of. */
const NARROW_COLUMNS = 4;

export interface Column<Row> {
  readonly title: string;
  /** What is shown; a number as whole. */
  readonly cell: (row: Row) => ComponentChildren;
  /** What it is sorted by. Absent: not at all. */
  readonly sortBy?: (row: Row) => number | string;
  /** Figures stand at the right. */
  readonly isFigure?: boolean;
}

interface DataTableProps<Row> {
  /** What the figures are of, their window and processes: for everybody, and for screen readers. */
  readonly caption: ComponentChildren;
  /** Of the region that scrolls. */
  readonly name: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Instead of a table without rows. */
  readonly empty: string;
}

interface Order {
  readonly title: string;
  readonly isDescending: boolean;
}

/** A table that scrolls within itself, and is sorted by its headings. */
export function DataTable<Row>({ caption, name, columns, rows, keyOf, empty }: DataTableProps<Row>) {
  const [order, setOrder] = useState<Order>();
  const [showsAll, setShowsAll] = useState(false);
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  const sorted = sort(rows, columns, order);
  const shown = showsAll ? sorted : sorted.slice(0, ROWS_SHOWN);
  return (
    <>
      <p class="caption">{caption}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <section class="scroll" aria-label={name} tabIndex={0}>
        <table class={columns.length <= NARROW_COLUMNS ? 'narrow' : ''}>
          <thead>
            <tr>
              {columns.map((column) => (
                <Heading key={column.title} column={column} order={order} onSort={setOrder} />
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={keyOf(row)}>
                {columns.map((column, at) => (
                  <Cell key={column.title} isHead={at === 0} isFigure={column.isFigure}>
                    {column.cell(row)}
                  </Cell>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {rows.length > ROWS_SHOWN && (
        <button type="button" class="quiet" onClick={() => setShowsAll(!showsAll)}>
          {showsAll ? `Show the first ${ROWS_SHOWN}` : `Show all ${whole(rows.length)}`}
        </button>
      )}
    </>
  );
}

interface HeadingProps<Row> {
  readonly column: Column<Row>;
  readonly order: Order | undefined;
  readonly onSort: (order: Order) => void;
}

function Heading<Row>({ column: { title, sortBy, isFigure }, order, onSort }: HeadingProps<Row>) {
  const isSorted = order?.title === title;
  const sorting = isSorted ? (order.isDescending ? 'descending' : 'ascending') : 'none';
  if (!sortBy)
    return (
      <th scope="col" class={isFigure ? 'figure' : ''}>
        {title}
      </th>
    );
  const next = isSorted ? !order.isDescending : Boolean(isFigure);
  return (
    <th scope="col" aria-sort={sorting} class={isFigure ? 'figure' : ''}>
      <button type="button" onClick={() => onSort({ title, isDescending: next })}>
        {title}
        <span aria-hidden="true" class="arrow">
          {isSorted ? (order.isDescending ? '↓' : '↑') : ''}
        </span>
      </button>
    </th>
  );
}

interface CellProps {
  readonly isHead: boolean;
  readonly isFigure: boolean | undefined;
  readonly children: ComponentChildren;
}

function Cell({ isHead, isFigure, children }: CellProps) {
  const shown = typeof children === 'number' ? whole(children) : (children ?? NONE);
  if (isHead) return <th scope="row">{shown}</th>;
  return <td class={isFigure ? 'figure' : ''}>{shown}</td>;
}

function sort<Row>(rows: readonly Row[], columns: readonly Column<Row>[], order: Order | undefined): readonly Row[] {
  const sortBy = columns.find(({ title }) => title === order?.title)?.sortBy;
  if (!order || !sortBy) return rows;
  const sign = order.isDescending ? -1 : 1;
  return rows.toSorted((one, other) => {
    const [a, b] = [sortBy(one), sortBy(other)];
    return a === b ? 0 : sign * (a < b ? -1 : 1);
  });
}
