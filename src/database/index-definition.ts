import pg from 'pg';

import { modelOfTable } from './tables.ts';

/** A key of an index. */
export interface IndexColumn {
  /** The column, or an expression in PostgreSQL's own wording. */
  readonly name: string;
  readonly descending: boolean;
  /** By default nulls come first in a descending order, and last in an ascending one. */
  readonly nullsFirst: boolean;
  /** Null for the column's own. */
  readonly collation: string | null;
  /** With its parameters; null for the default of the column's type. */
  readonly operatorClass: string | null;
}

/**
 * An index, as the catalogue, the database and the advice tell of one alike: everything that
 * decides what it finds, in which order, and what it forbids.
 */
export interface IndexDefinition {
  readonly name: string;
  readonly table: string;
  readonly unique: boolean;
  readonly primary: boolean;
  /** Of a unique index: two nulls are equal. */
  readonly nullsNotDistinct: boolean;
  /** Of a unique constraint: it may be broken until the transaction ends. */
  readonly deferrable: boolean;
  /** A `btree` has an order; a `hash` finds equal values only. */
  readonly method: string;
  readonly columns: readonly IndexColumn[];
  /** Carried in the index, so that the table need not be read for them, and not searched by. */
  readonly include: readonly string[];
  /** The condition of a partial index in PostgreSQL's own wording, with its parentheses. */
  readonly where: string | null;
  /**
   * Storage parameters that decide what it finds, as `pages_per_range=32`; not those that only tune
   * it.
   */
  readonly storage: string | null;
}

export interface IndexKind {
  readonly method?: 'btree' | 'hash';
  readonly unique?: boolean;
  readonly primary?: boolean;
  readonly include?: readonly string[];
  readonly where?: string;
}

/** @param columns as in CREATE INDEX, for example `tenant_id, booked_at DESC` */
export function defineIndex(table: string, name: string, columns: string, kind: IndexKind = {}): IndexDefinition {
  const primary = kind.primary ?? false;
  return {
    name,
    table,
    unique: primary || (kind.unique ?? false),
    primary,
    nullsNotDistinct: false,
    deferrable: false,
    method: kind.method ?? 'btree',
    columns: columns.split(', ').map((column) => {
      const [name = '', direction] = column.split(' ');
      return indexColumn(name, direction === 'DESC');
    }),
    include: kind.include ?? [],
    where: kind.where ?? null,
    storage: null,
  };
}

/** A column with the defaults of its type. */
export function indexColumn(name: string, descending = false): IndexColumn {
  return { name, descending, nullsFirst: descending, collation: null, operatorClass: null };
}

/** The statement that makes the index without keeping anybody from reading or writing the table. */
export function createStatement(index: IndexDefinition): string {
  const unique = index.unique ? 'UNIQUE ' : '';
  const name = pg.escapeIdentifier(index.name);
  return `CREATE ${unique}INDEX CONCURRENTLY ${name} ON ${pg.escapeIdentifier(index.table)} ${keyText(index)};`;
}

export function dropStatement(name: string): string {
  return `DROP INDEX CONCURRENTLY IF EXISTS ${pg.escapeIdentifier(name)};`;
}

/**
 * The statement that rebuilds the index, valid or not, without keeping anybody from reading or
 * writing the table.
 */
export function reindexStatement(name: string): string {
  return `REINDEX INDEX CONCURRENTLY ${pg.escapeIdentifier(name)};`;
}

/**
 * What an index is on as CREATE INDEX says it, for example `(tenant_id, created_at, id) WHERE
 * (...)`.
 */
export function keyText({ method, columns, include, nullsNotDistinct, storage, where }: IndexDefinition): string {
  return [
    ...(method === 'btree' ? [] : [`USING ${method}`]),
    `(${columns.map(columnText).join(', ')})`,
    ...(include.length ? [`INCLUDE (${include.join(', ')})`] : []),
    ...(nullsNotDistinct ? ['NULLS NOT DISTINCT'] : []),
    ...(storage ? [`WITH (${storage})`] : []),
    ...(where ? [`WHERE ${where}`] : []),
  ].join(' ');
}

function columnText({ name, descending, nullsFirst, collation, operatorClass }: IndexColumn): string {
  return [
    name,
    ...(collation ? [`COLLATE ${collation}`] : []),
    ...(operatorClass ? [operatorClass] : []),
    ...(descending ? ['DESC'] : []),
    ...(nullsFirst === descending ? [] : [nullsFirst ? 'NULLS FIRST' : 'NULLS LAST']),
  ].join(' ');
}

/**
 * How prisma/schema.prisma says the index: an attribute of the model, or of its only field (`@id`,
 * `@unique`). Prisma knows no INCLUDE; it finds no drift when the carried columns stand behind the
 * key's.
 */
export function prismaAttribute(index: IndexDefinition): string {
  const block = isFieldAttribute(index) ? '@' : '@@';
  const kind = index.primary ? 'id' : index.unique ? 'unique' : 'index';
  const fields = [
    ...index.columns.map(({ name, descending }) => `${camelCase(name)}${descending ? '(sort: Desc)' : ''}`),
    ...index.include.map(camelCase),
  ];
  const parts = [
    ...(block === '@@' ? [`[${fields.join(', ')}]`] : []),
    ...(index.primary ? [] : [`map: "${index.name}"`]),
    ...(index.method === 'hash' ? ['type: Hash'] : []),
    ...(index.where ? [`where: raw("${index.where}")`] : []),
  ];
  return `${block}${kind}${parts.length ? `(${parts.join(', ')})` : ''}`;
}

/** Where the attribute stands: the model, and the field when it is a field's. */
export function prismaPlace(index: IndexDefinition): string {
  const model = modelOfTable(index.table) ?? index.table;
  return isFieldAttribute(index) ? `${model}.${camelCase(index.columns[0]?.name ?? '')}` : model;
}

/** Whether two indexes find, order and forbid the same, whatever their names. */
export function isSameKey(one: IndexDefinition, other: IndexDefinition): boolean {
  if (one.table !== other.table || one.unique !== other.unique || one.deferrable !== other.deferrable) return false;
  return keyText(one) === keyText(other);
}

/** Whether two keys find the same values by the same comparison, whatever their order. */
export function isSameComparison(one: IndexColumn, other: IndexColumn): boolean {
  return one.name === other.name && one.collation === other.collation && one.operatorClass === other.operatorClass;
}

/**
 * Whether the first keys come all in the order of the others, or all in the reverse: an index is
 * read backwards as well.
 */
export function isSameOrder(ones: readonly IndexColumn[], others: readonly IndexColumn[]): boolean {
  const turned = new Set<boolean>();
  for (const [at, other] of others.entries()) {
    const one = ones[at];
    if (!one || !isSameComparison(one, other)) return false;
    const isTurned = one.descending !== other.descending;
    if (isTurned !== (one.nullsFirst !== other.nullsFirst)) return false;
    turned.add(isTurned);
  }
  return turned.size <= 1;
}

function isFieldAttribute({ unique, columns, where }: IndexDefinition): boolean {
  return unique && columns.length === 1 && where === null;
}

function camelCase(column: string): string {
  return column.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
