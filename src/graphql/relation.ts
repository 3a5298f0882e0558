import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql';
import { isObjectType } from 'graphql';
import type { RequestContext } from '../context/request-context.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { type SelectedField, selectionOf } from './selection.ts';

type Arguments = Readonly<Record<string, unknown>>;

/**
 * A field whose value is not in the row: it is read for all rows of a level at once, together with
 * what hangs on it.
 */
export interface Relation<Row> {
  /** One value for each row, in their order; null where there is none. */
  readonly load: (context: RequestContext, rows: readonly Row[], field: SelectedField) => Promise<readonly unknown[]>;
  /**
   * SQL that reads the value as JSON in the rows' own statement; absent, or undefined, where only
   * `load` can read it.
   */
  readonly column?: (context: RequestContext, field: SelectedField) => Prisma.Sql | undefined;
}

/** The relations of a type by the names of their fields. */
export type Relations<Row> = Readonly<Record<string, Relation<Row>>>;

/** A relation that the statement of the rows reads with them. */
export interface JoinedRelation {
  readonly name: string;
  readonly slot: string;
  readonly column: Prisma.Sql;
}

/** What was read for the rows of one level. A failure belongs to the field, not to the rows. */
interface LoadedRelation {
  readonly slot: string;
  readonly values: readonly unknown[] | Failure;
}

class Failure {
  constructor(readonly error: unknown) {}
}

/**
 * The rows with all relations that are selected of them, level by level below, so that their
 * resolvers need not wait. The given rows may be shared and stay as they are.
 */
export async function withRelations<Row extends object>(
  context: RequestContext,
  relations: Relations<Row>,
  rows: readonly Row[],
  fields: readonly SelectedField[],
): Promise<readonly Row[]> {
  if (rows.length === 0 || !fields.some(({ name }) => name in relations)) return rows;
  const loaded = await loadRelations(context, relations, rows, fields);
  if (loaded.length === 0) return rows;
  return rows.map((row, index) => ({ ...row, ...slotsOf(loaded, index) }));
}

/** The same for a list of rows each: what hangs on the rows of all lists is still read at once. */
export async function withRelationsInLists<Row extends object>(
  context: RequestContext,
  relations: Relations<Row>,
  lists: readonly (readonly Row[])[],
  fields: readonly SelectedField[],
): Promise<readonly (readonly Row[])[]> {
  if (!fields.some(({ name }) => name in relations)) return lists;
  const rows = await withRelations(context, relations, lists.flat(), fields);
  let begin = 0;
  return lists.map(({ length }) => {
    const end = begin + length;
    const list = rows.slice(begin, end);
    begin = end;
    return list;
  });
}

/** The relations alone, for a row that is being read at the same time. */
export async function relationsOf<Row>(
  context: RequestContext,
  relations: Relations<Row>,
  row: Row,
  fields: readonly SelectedField[],
): Promise<object> {
  return slotsOf(await loadRelations(context, relations, [row], fields), 0);
}

/** Those of the selected relations that can be read in the rows' own statement. */
export function joinedRelations<Row>(
  context: RequestContext,
  relations: Relations<Row>,
  fields: readonly SelectedField[],
): JoinedRelation[] {
  return [...wantedRelations(relations, fields)].flatMap(([slot, { relation, field }]) => {
    const column = relation.column?.(context, field);
    return column ? [{ name: field.name, slot, column }] : [];
  });
}

/** Their columns. The aliases are no slots: a statement's text must not depend on arguments. */
export function joinedColumns(joined: readonly JoinedRelation[]): Prisma.Sql[] {
  return joined.map(({ column }, index) => Prisma.sql`${column} AS ${Prisma.raw(joinedAlias(index))}`);
}

/** Puts joined relations where their resolvers look, in rows that nobody shares. */
export function placeJoined(rows: readonly object[], joined: readonly JoinedRelation[]): void {
  for (const row of rows as readonly Record<string, unknown>[])
    for (const [index, { slot }] of joined.entries()) row[slot] = row[joinedAlias(index)];
}

/**
 * Gives the fields of relations their resolvers: plain functions that hand out what was read ahead,
 * and read it where nobody did, as below mutations. TypeGraphQL's own are asynchronous for each row
 * and copy it (docs/decisions.md).
 */
export function resolveRelations(schema: GraphQLSchema, typeName: string, relations: Relations<never>): void {
  const type = schema.getType(typeName);
  for (const [name, relation] of Object.entries(relations)) {
    const field = isObjectType(type) ? type.getFields()[name] : undefined;
    if (!field) throw new Error(`The schema has no field ${typeName}.${name}, for which there is a relation.`);
    field.resolve = resolverOf(name, relation);
  }
}

/**
 * The body of a resolver method that is there for the schema's sake: `resolveRelations` has
 * replaced it.
 */
export function resolvedAsRelation(): never {
  throw new Error('This field is resolved by its relation.');
}

function resolverOf(
  name: string,
  relation: Relation<never>,
): GraphQLFieldResolver<Record<string, unknown>, RequestContext> {
  return (row, args, context, info) => {
    const value = row[slotOf(name, args)];
    if (value === undefined)
      return relation.load(context, [row as never], selectionOf(info, context)).then(([only]) => only);
    if (value instanceof Failure) throw value.error;
    return value;
  };
}

function joinedAlias(index: number): string {
  return `joined${index}`;
}

async function loadRelations<Row>(
  context: RequestContext,
  relations: Relations<Row>,
  rows: readonly Row[],
  fields: readonly SelectedField[],
): Promise<LoadedRelation[]> {
  const missing = [...wantedRelations(relations, fields)].filter(([slot]) => !isJoined(rows, slot));
  return Promise.all(
    missing.map(async ([slot, { relation, field }]) => ({
      slot,
      values: await loaded(relation, context, rows, field),
    })),
  );
}

function wantedRelations<Row>(relations: Relations<Row>, fields: readonly SelectedField[]) {
  const wanted = new Map<string, { readonly relation: Relation<Row>; readonly field: SelectedField }>();
  for (const field of fields) {
    const relation = relations[field.name];
    if (!relation) continue;
    const slot = slotOf(field.name, field.arguments);
    const same = wanted.get(slot)?.field;
    // Aliases of the same value share it: it is read with the columns of both.
    wanted.set(slot, { relation, field: same ? { ...same, fields: [...same.fields, ...field.fields] } : field });
  }
  return wanted;
}

function isJoined(rows: readonly unknown[], slot: string): boolean {
  const [first] = rows;
  return typeof first === 'object' && first !== null && slot in first;
}

async function loaded<Row>(
  { load }: Relation<Row>,
  context: RequestContext,
  rows: readonly Row[],
  field: SelectedField,
): Promise<readonly unknown[] | Failure> {
  try {
    return await load(context, rows, field);
  } catch (error) {
    return new Failure(error);
  }
}

/**
 * A property that no column and no field can be called, the same for arguments that mean the same
 * value: whatever their order, and whether one is null or absent.
 */
function slotOf(name: string, args: Arguments): string {
  return `${name}(${JSON.stringify(args, canonical)})`;
}

function canonical(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const given = Object.entries(value).filter(([, part]) => part != null);
  return Object.fromEntries(given.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function slotsOf(loaded: readonly LoadedRelation[], index: number): Record<string, unknown> {
  const slots: Record<string, unknown> = {};
  for (const { slot, values } of loaded) slots[slot] = values instanceof Failure ? values : values[index];
  return slots;
}
