import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  buildSchema,
  findBreakingChanges,
  type GraphQLArgument,
  type GraphQLInputField,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import { expect, test } from 'vitest';
import { createSchema } from '../../src/app/schema.ts';

const contract = buildSchema(readFileSync(path.join(import.meta.dirname, 'contract.graphql'), 'utf8'));
const schema = createSchema();

/**
 * What can have a description or a default, by its coordinate, for example
 * `Query.dashboard(date:)`.
 */
interface Coordinate {
  readonly description: string | null | undefined;
  readonly defaultValue: unknown;
}

function coordinatesOf(from: typeof schema): Map<string, Coordinate> {
  const all = new Map<string, Coordinate>();
  const add = (name: string, { description, defaultValue }: Partial<GraphQLArgument | GraphQLInputField>) =>
    all.set(name, { description, defaultValue });
  for (const type of Object.values(from.getTypeMap()).filter(({ name }) => !name.startsWith('__'))) {
    add(type.name, type as { description: string });
    if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      add(`${type.name}.${field.name}`, field as GraphQLInputField);
      if ('args' in field) for (const arg of field.args) add(`${type.name}.${field.name}(${arg.name}:)`, arg);
    }
  }
  return all;
}

test('the schema breaks nothing that the contract promises', () => {
  expect(findBreakingChanges(contract, schema).map(({ description }) => description)).toEqual([]);
});

test('every default of an argument or input field is the contract’s', () => {
  const ours = coordinatesOf(schema);
  const promised = [...coordinatesOf(contract)].map(([name, { defaultValue }]) => [name, defaultValue]);
  expect(promised.filter(([, value]) => value !== undefined).length).toBeGreaterThan(10);
  expect(promised.map(([name]) => [name, ours.get(String(name))?.defaultValue])).toEqual(promised);
});

test('what the contract says of a type or field, the schema says too', () => {
  const ours = coordinatesOf(schema);
  const sentences = [...coordinatesOf(contract)].flatMap(([name, { description }]) =>
    description ? [[name, firstSentence(description)]] : [],
  );
  expect(sentences.length).toBeGreaterThan(10);
  expect(sentences.map(([name]) => [name, firstSentence(ours.get(String(name))?.description)])).toEqual(sentences);
});

/** More may be told after it, and less of who may do what than by now is known. */
function firstSentence(description: string | null | undefined): string | undefined {
  // Where lines break says nothing.
  return description?.replace(/\s+/g, ' ').match(/^.*?\.(?= |$)|^.*$/)?.[0];
}
