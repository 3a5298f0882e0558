import { runInNewContext } from 'node:vm';
import {
  FOLLOWED_TABLES,
  maskOf,
  NAMESPACES,
  type Namespace,
  TOLD_TABLES,
} from '../cache/dependencies/dependencies.ts';
import { TABLE_OF_MODEL } from '../database/tables.ts';
import { OperatorError } from '../errors.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { type AskedField, readFields, refused, TAKEN_PROPERTIES } from './fields.ts';
import { columnName, fileName, lastWord, pluralOf, propertyName } from './names.ts';

/** What was asked for, as it was typed. */
export interface Asked {
  readonly model: string;
  readonly fields: string | undefined;
  readonly of: string;
  readonly plural: string | undefined;
  readonly namespace: string | undefined;
}

/** The rows that a model's rows belong to. */
export interface AskedParent {
  readonly model: string;
  readonly table: string;
  /** The field that shows it, and those that have its id. */
  readonly field: string;
  readonly key: string;
  readonly column: string;
  readonly folder: string;
  /** Of its `<file>.type.ts`. */
  readonly file: string;
  /** Of a model that this command wrote: the constant that has it. */
  readonly constant: string | undefined;
}

/** A model to write, with all its names. */
export interface AskedModel {
  readonly model: string;
  /** Of its lists, as `giftCards`. */
  readonly list: string;
  readonly table: string;
  readonly folder: string;
  readonly file: string;
  readonly constant: string;
  readonly fields: readonly AskedField[];
  /** Absent: the tenant alone. */
  readonly parent: AskedParent | undefined;
  readonly namespace: Namespace;
  readonly bits: number;
}

const TENANT = 'Tenant';
/**
 * Listed tables that are no model's parent: their rows are the tenant's own doing, or have no type.
 */
const PARENTS = TOLD_TABLES.filter(({ model, parent }) => model === 'BankAccount' || parent !== undefined);
const OF = [TENANT, ...PARENTS.map(({ model }) => model)];
const NAMED = NAMESPACES.filter((name) => name !== 'tenant');
/** Names of indexes and constraints are made from it, and PostgreSQL cuts them at 63. */
const LONGEST_NAME = 24;
/** Names of TypeScript and GraphQL that the files of a model use. */
const TAKEN = [
  'Boolean',
  'Date',
  'Int',
  'Float',
  'Field',
  'Object',
  'ObjectType',
  'Prisma',
  'Record',
  'String',
  'ID',
  'Query',
];
/** The globals of the language, such as Promise, without those of Node.js. */
const LANGUAGE: readonly string[] = runInNewContext('Object.getOwnPropertyNames(globalThis)');

/**
 * @throws OperatorError naming what does not hold, what was expected and what came
 */
export function readAsked(asked: Asked): AskedModel {
  const model = modelNamed(asked.model);
  const list = listNamed(asked.plural ?? pluralOf(model));
  const table = columnName(list);
  if (Object.values(TABLE_OF_MODEL).includes(table))
    throw refused('--plural', 'a name that no table has yet', asked.plural ?? list);
  const parent = parentNamed(asked.of);
  const namespace = namespaceNamed(asked.namespace, asked.of);
  return {
    model,
    list,
    table,
    folder: fileName(list),
    file: fileName(model),
    constant: columnName(list).toUpperCase(),
    fields: readFields(model, asked.fields, parent ? [parent.field, parent.key] : []),
    parent,
    namespace,
    bits: maskOf([namespace]),
  };
}

function modelNamed(name: string): string {
  if (!/^[A-Z][A-Za-z0-9]*$/.test(name) || name.length > LONGEST_NAME || TAKEN.includes(name))
    throw refused(
      '<model>',
      `a name such as GiftCard, of ${LONGEST_NAME} letters and digits at most, none of ${TAKEN.join(', ')}`,
      name,
    );
  if (LANGUAGE.includes(name)) throw refused('<model>', 'a name that JavaScript itself does not have', name);
  if (Object.hasOwn(TABLE_OF_MODEL, name)) throw refused('<model>', 'a name that no model has yet', name);
  return name;
}

function listNamed(name: string): string {
  if (/^[a-z][A-Za-z0-9]*$/.test(name) && name.length <= LONGEST_NAME + 2 && !(name in {})) return name;
  throw refused('--plural', `a name such as giftCards, of ${LONGEST_NAME + 2} letters and digits at most`, name);
}

function parentNamed(name: string): AskedParent | undefined {
  if (name === TENANT) return undefined;
  const told = PARENTS.find(({ model }) => model === name);
  if (!told) throw refused('--of', `one of ${OF.join(', ')}`, name);
  const field = parentField(name);
  const isMade = told.parent !== undefined;
  return {
    model: name,
    table: told.table,
    field,
    key: `${field}Id`,
    column: `${columnName(field)}_id`,
    folder: isMade ? told.table.replaceAll('_', '-') : 'accounts',
    file: isMade ? fileName(name) : 'account',
    constant: isMade ? told.table.toUpperCase() : undefined,
  };
}

/**
 * The field that shows a parent: the last word of its name, or the whole name where every row has
 * that one, as `subTenant`.
 * @throws OperatorError when every row has both
 */
export function parentField(model: string): string {
  const isTaken = (word: string) => [word, `${word}Id`].some((name) => TAKEN_PROPERTIES.includes(name));
  const field = [lastWord(model), propertyName(model)].find((word) => !isTaken(word));
  if (field) return field;
  throw refused('--of', `a model whose name no row has as a property (${TAKEN_PROPERTIES.join(', ')})`, model);
}

function namespaceNamed(name: string | undefined, of: string): Namespace {
  if (name === undefined && of !== TENANT)
    return FOLLOWED_TABLES[TABLE_OF_MODEL[of as Prisma.ModelName] as keyof typeof FOLLOWED_TABLES].readersDependOn;
  const found = NAMED.find((namespace) => namespace === name);
  if (found) return found;
  if (name === undefined)
    throw new OperatorError(
      `--namespace is missing: give one of ${NAMED.join(', ')}, or --of a model whose namespace it takes.`,
      'Nothing was written.',
    );
  throw refused('--namespace', `one of ${NAMED.join(', ')}`, name);
}
