import type { GraphQLField, GraphQLFieldResolver, GraphQLResolveInfo, GraphQLSchema } from 'graphql';
import { isObjectType } from 'graphql';
import { Extensions } from 'type-graphql';
import type { RequestContext } from '../context/request-context.ts';
import { counted } from '../counted.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { type SelectedField, selectionOf } from '../graphql/selection.ts';

/** SQL that reads a field's value as JSON in the statement of the rows that it hangs on. */
export type JoinedColumn = (context: RequestContext, field: SelectedField) => Prisma.Sql | undefined;

/**
 * A resolver method that is called once for all rows of a level instead of once for each: its
 * `@Root()` is the list of the rows, its `@Info()` a `SelectedField`, and it answers one value for
 * each row, in their order. Everything else of the method is as TypeGraphQL has it: arguments,
 * authorization, complexity.
 * @param column reads the value together with the rows; absent, or undefined where it does not
 *   apply: the method does it. Not for a field with `@Authorized`, which would not be asked.
 */
export function BatchMapping(column?: JoinedColumn): MethodDecorator {
  return (prototype, method, descriptor) => {
    const mapping: Mapping = { column, target: prototype.constructor, method };
    (Extensions({ [BATCH_MAPPING]: mapping }) as MethodDecorator)(prototype, method, descriptor);
  };
}

const BATCH_MAPPING = 'batchMapping';

interface Mapping {
  readonly column: JoinedColumn | undefined;
  /** The method, by its class and name. */
  readonly target: unknown;
  readonly method: string | symbol;
}

/** A field whose value is not in the row: it is read for all rows of a level at once. */
interface Relation {
  readonly load: (context: RequestContext, rows: readonly unknown[], field: SelectedField) => Promise<unknown[]>;
  readonly column?: JoinedColumn | undefined;
}

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
  rows: readonly Row[],
  fields: readonly SelectedField[],
): Promise<readonly Row[]> {
  if (rows.length === 0 || !fields.some(isRelation)) return rows;
  const loaded = await loadRelations(context, rows, fields);
  if (loaded.length === 0) return rows;
  return rows.map((row, index) => ({ ...row, ...slotsOf(loaded, index) }));
}

/** The same for a list of rows each: what hangs on the rows of all lists is still read at once. */
export async function withRelationsInLists<Row extends object>(
  context: RequestContext,
  lists: readonly (readonly Row[])[],
  fields: readonly SelectedField[],
): Promise<readonly (readonly Row[])[]> {
  if (!fields.some(isRelation)) return lists;
  const rows = await withRelations(context, lists.flat(), fields);
  let begin = 0;
  return lists.map(({ length }) => {
    const end = begin + length;
    const list = rows.slice(begin, end);
    begin = end;
    return list;
  });
}

/** The relations alone, for a row that is being read at the same time. */
export async function relationsOf(
  context: RequestContext,
  row: object,
  fields: readonly SelectedField[],
): Promise<object> {
  return slotsOf(await loadRelations(context, [row], fields), 0);
}

/** Those of the selected relations that can be read in the rows' own statement. */
export function joinedRelations(context: RequestContext, fields: readonly SelectedField[]): JoinedRelation[] {
  return [...wantedRelations(fields)].flatMap(([slot, { relation, field }]) => {
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

/** Whether a selected field hangs on its row and is read for all rows of a level at once. */
export function isRelation({ definition }: SelectedField): boolean {
  return relations.has(definition);
}

/** Of the schemas of this process. */
const relations = new WeakMap<GraphQLField<unknown, unknown>, Relation>();

/**
 * Gives the fields with a `BatchMapping` their resolvers: plain functions that hand out what was
 * read ahead, and read it where nobody did, as below mutations. TypeGraphQL's own are asynchronous
 * for each row and copy it (docs/decisions.md).
 */
export function resolveRelations(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap()).filter(isObjectType))
    for (const field of Object.values(type.getFields())) {
      const mapping = field.extensions[BATCH_MAPPING] as Mapping | undefined;
      if (!mapping) continue;
      if (mapping.column && isAuthorized(mapping))
        throw new Error(`${type.name}.${field.name} is read with its rows: @Authorized on it would not be asked.`);
      const relation = { load: loaderOf(field), column: mapping.column };
      relations.set(field, relation);
      field.resolve = resolverOf(field.name, relation);
    }
}

/** TypeGraphQL tells nobody but its own storage which methods have `@Authorized`. */
function isAuthorized({ target, method }: Mapping): boolean {
  const { TypeGraphQLMetadataStorage: storage } = globalThis as {
    TypeGraphQLMetadataStorage?: { authorizedFields: readonly { target: unknown; fieldName: string | symbol }[] };
  };
  if (!storage) throw new Error('TypeGraphQL keeps what it knows of decorators elsewhere.');
  return storage.authorizedFields.some((field) => field.target === target && field.fieldName === method);
}

/** Calls the method as TypeGraphQL does, for all rows together. */
function loaderOf({ name, resolve }: GraphQLField<unknown, unknown>): Relation['load'] {
  if (!resolve) throw new Error(`The field ${name} has a BatchMapping and no method.`);
  return async (context, rows, field) => {
    // The method's @Info() is the selection: below another relation there is no other one.
    const values = await resolve(rows, field.arguments, context, field as unknown as GraphQLResolveInfo);
    // A row without a value would be read again, alone.
    if (!Array.isArray(values) || values.length !== rows.length)
      throw new Error(`${name} must give ${counted(rows.length, 'value')}, one for each row.`);
    return values;
  };
}

function resolverOf(name: string, relation: Relation): GraphQLFieldResolver<Record<string, unknown>, RequestContext> {
  return (row, args, context, info) => {
    const value = row[slotOf(name, args)];
    if (value === undefined) return relation.load(context, [row], selectionOf(info, context)).then(([only]) => only);
    if (value instanceof Failure) throw value.error;
    return value;
  };
}

function joinedAlias(index: number): string {
  return `joined${index}`;
}

async function loadRelations(
  context: RequestContext,
  rows: readonly unknown[],
  fields: readonly SelectedField[],
): Promise<LoadedRelation[]> {
  const missing = [...wantedRelations(fields)].filter(([slot]) => !isJoined(rows, slot));
  return Promise.all(
    missing.map(async ([slot, { relation, field }]) => ({
      slot,
      values: await loaded(relation, context, rows, field),
    })),
  );
}

function wantedRelations(fields: readonly SelectedField[]) {
  const wanted = new Map<string, { readonly relation: Relation; readonly field: SelectedField }>();
  for (const field of fields) {
    const relation = relations.get(field.definition);
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

async function loaded(
  { load }: Relation,
  context: RequestContext,
  rows: readonly unknown[],
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
function slotOf(name: string, args: Readonly<Record<string, unknown>>): string {
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
