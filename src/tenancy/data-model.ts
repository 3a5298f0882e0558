import type { PrismaClient } from '../generated/prisma/client.ts';

const COMMENT_OR_STRING = /("(?:[^"\\]|\\.)*")|\/\/.*/g;
const MODEL = /^model (\w+) \{$([\s\S]*?)^\}/gm;
const FIELD = /^\s*(\w+)\s+(\w+)(\[\])?\??(.*)$/;

/** A side of a relation. The side that has the foreign key says of which columns it is made. */
export interface Relation {
  readonly field: string;
  /** The model at the other side. */
  readonly target: string;
  readonly isList: boolean;
  /** Tells relations between the same two models apart; absent when there is one. */
  readonly name: string | undefined;
  readonly key: RelationKey | undefined;
}

export interface RelationKey {
  readonly fields: readonly string[];
  readonly references: readonly string[];
  /** As the schema says it; absent means Cascade. */
  readonly onUpdate: string | undefined;
}

export interface Model {
  readonly name: string;
  readonly table: string;
  /** Fields that are columns, with the column's name. */
  readonly columns: ReadonlyMap<string, string>;
  readonly relations: ReadonlyMap<string, Relation>;
}

export type DataModel = ReadonlyMap<string, Model>;

/**
 * The schema that the client was generated from: it travels with the client, so that the two are
 * always of one mind.
 */
export function schemaOf(client: PrismaClient): string {
  const { inlineSchema } = (client as unknown as { _engineConfig: { inlineSchema: unknown } })._engineConfig;
  if (typeof inlineSchema !== 'string')
    throw new Error('this version of Prisma does not carry its schema: expected text in _engineConfig.inlineSchema');
  return inlineSchema;
}

/**
 * Reads models and their relations from a schema that Prisma has accepted. Of what Prisma's own
 * description at run time leaves out, the columns of the relations are what tenant isolation rests
 * on.
 */
export function readDataModel(schema: string): DataModel {
  const text = schema.replace(COMMENT_OR_STRING, (_, string) => string ?? '');
  const blocks = [...text.matchAll(MODEL)].map(([, name = '', body = '']) => ({ name, lines: body.split('\n') }));
  const names = new Set(blocks.map(({ name }) => name));
  return new Map(blocks.map(({ name, lines }) => [name, readModel(name, lines, names)]));
}

function readModel(name: string, lines: readonly string[], models: ReadonlySet<string>): Model {
  const columns = new Map<string, string>();
  const relations = new Map<string, Relation>();
  let table = name;
  for (const line of lines) {
    table = /^\s*@@map\("(.+?)"\)/.exec(line)?.[1] ?? table;
    const [, field, type, list, attributes = ''] = FIELD.exec(line) ?? [];
    if (!field || !type) continue;
    if (models.has(type)) relations.set(field, readRelation(field, type, list !== undefined, attributes));
    else columns.set(field, /@map\("(.+?)"\)/.exec(attributes)?.[1] ?? field);
  }
  return { name, table, columns, relations };
}

function readRelation(field: string, target: string, isList: boolean, attributes: string): Relation {
  const list = (name: string) => new RegExp(`\\b${name}: \\[(.*?)\\]`).exec(attributes)?.[1]?.split(/\s*,\s*/);
  const fields = list('fields');
  const references = list('references');
  const onUpdate = /\bonUpdate: (\w+)/.exec(attributes)?.[1];
  return {
    field,
    target,
    isList,
    name: /@relation\((?:name: )?"(.+?)"/.exec(attributes)?.[1],
    key: fields && references && { fields, references, onUpdate },
  };
}
