import pg from 'pg';

import { modelOfTable } from './tables.ts';

export interface IndexColumn {
  readonly name: string;
  readonly descending: boolean;
}

/** An index, as the catalogue, the database and the advice tell of one alike. */
export interface IndexDefinition {
  readonly name: string;
  readonly table: string;
  readonly unique: boolean;
  readonly primary: boolean;
  /** A hash finds equal values only and has no order. */
  readonly method: IndexMethod;
  readonly columns: readonly IndexColumn[];
  /** Carried in the index, so that the table need not be read for them, and not searched by. */
  readonly include: readonly string[];
  /** The condition of a partial index in PostgreSQL's own wording, with its parentheses. */
  readonly where: string | null;
}

export type IndexMethod = 'btree' | 'hash';

export interface IndexKind {
  readonly method?: IndexMethod;
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
    method: kind.method ?? 'btree',
    columns: columns.split(', ').map((column) => {
      const [name = '', direction] = column.split(' ');
      return { name, descending: direction === 'DESC' };
    }),
    include: kind.include ?? [],
    where: kind.where ?? null,
  };
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

/** What an index is on, for example `(tenant_id, created_at, id) WHERE (...)`. */
export function keyText({ method, columns, include, where }: IndexDefinition): string {
  const keys = columns.map(({ name, descending }) => (descending ? `${name} DESC` : name)).join(', ');
  const carried = include.length ? ` INCLUDE (${include.join(', ')})` : '';
  const using = method === 'hash' ? 'USING hash ' : '';
  return `${using}(${keys})${carried}${where ? ` WHERE ${where}` : ''}`;
}

/**
 * How prisma/schema.prisma says the index: an attribute of the model, or of its only field (`@id`, `@unique`).
 * Prisma knows no INCLUDE; it finds no drift when the carried columns stand behind the key's.
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

/** Whether two indexes are on the same, whatever their names. */
export function isSameKey(one: IndexDefinition, other: IndexDefinition): boolean {
  return one.table === other.table && one.unique === other.unique && keyText(one) === keyText(other);
}

function isFieldAttribute({ unique, columns, where }: IndexDefinition): boolean {
  return unique && columns.length === 1 && where === null;
}

function camelCase(column: string): string {
  return column.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
