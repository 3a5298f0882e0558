import { Int } from 'type-graphql';
import { instantText } from '../database/sql-text.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { checkedDay, checkedDecimal, checkedId, checkedInstant, checkedSearchText } from '../graphql/input-checks.ts';
import { DateScalar, DateTimeScalar, DecimalScalar } from '../graphql/scalars.ts';

const { sql, raw } = Prisma;

/** How a column is read, and what the filter of its model says of it. */
export interface Column {
  readonly select: Prisma.Sql;
  readonly filters: readonly ColumnFilter[];
}

/** A field of a filter. */
export interface ColumnFilter {
  /** Its name, given that of the property. */
  readonly name: (property: string) => string;
  /** As `@Field` takes it. */
  readonly type: () => object;
  /** Which rows it lets through, as "whose <property> is …". */
  readonly which: string;
  /**
   * @param argument its name in errors
   * @throws BAD_USER_INPUT naming it
   */
  readonly condition: (argument: string, value: never) => Prisma.Sql;
}

/** SQL of a filter's value. */
type Checked<Value> = (argument: string, value: Value) => Prisma.Sql;

/** A foreign key. */
export function reference(column: string): Column {
  return exact<string>(
    column,
    () => String,
    (argument, id) => sql`${checkedId(argument, id)}::uuid`,
  );
}

export function text(column: string): Column {
  return exact<string>(
    column,
    () => String,
    (argument, value) => sql`${checkedSearchText(argument, value)}`,
  );
}

/** @param type its name in PostgreSQL */
export function enumeration(column: string, values: object, type: string): Column {
  return exact<string>(
    column,
    () => values,
    (_argument, value) => sql`${value}::${raw(type)}`,
  );
}

export function flag(column: string): Column {
  return exact<boolean>(
    column,
    () => Boolean,
    (_argument, value) => sql`${value}`,
  );
}

export function integer(column: string): Column {
  return range<number>(
    column,
    BOUNDS,
    () => Int,
    (_argument, value) => sql`${value}::integer`,
  );
}

/** Money: numeric(19,4), shown as exact text. */
export function decimal(column: string): Column {
  const checked: Checked<string> = (argument, value) => sql`${checkedDecimal(argument, value)}::numeric`;
  return range(column, BOUNDS, () => DecimalScalar, checked, sql`${named(column)}::text`);
}

export function day(column: string): Column {
  const checked: Checked<string> = (argument, value) => sql`${checkedDay(argument, value)}::date`;
  return range(column, TIMES, () => DateScalar, checked, sql`to_char(${named(column)}, 'YYYY-MM-DD')`);
}

export function instant(column: string): Column {
  const checked: Checked<string> = (argument, value) => sql`${checkedInstant(argument, value)}::timestamptz`;
  return range(column, TIMES, () => DateTimeScalar, checked, instantText(named(column)));
}

function exact<Value>(column: string, type: ColumnFilter['type'], checked: Checked<Value>): Column {
  const condition: Checked<Value> = (argument, value) => sql`${named(column)} = ${checked(argument, value)}`;
  return { select: named(column), filters: [{ name: (property) => property, type, which: 'exactly this', condition }] };
}

/** How the fields of a range are called. */
const BOUNDS = [(name: string) => `min${capital(name)}`, (name: string) => `max${capital(name)}`] as const;
const TIMES = [(name: string) => `${name}From`, (name: string) => `${name}To`] as const;

function range<Value>(
  column: string,
  [lowest, highest]: typeof BOUNDS | typeof TIMES,
  type: ColumnFilter['type'],
  checked: Checked<Value>,
  select = named(column),
): Column {
  const from: Checked<Value> = (argument, value) => sql`${named(column)} >= ${checked(argument, value)}`;
  const to: Checked<Value> = (argument, value) => sql`${named(column)} <= ${checked(argument, value)}`;
  return {
    select,
    filters: [
      { name: lowest, type, which: 'this or more', condition: from },
      { name: highest, type, which: 'this or less', condition: to },
    ],
  };
}

/** In quotes: it may be a word of SQL. */
function named(column: string): Prisma.Sql {
  return raw(`"${column}"`);
}

function capital(name: string): string {
  return `${name[0]?.toUpperCase()}${name.slice(1)}`;
}
