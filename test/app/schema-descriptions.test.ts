import {
  isEnumType,
  isInputObjectType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedDirective,
  isSpecifiedScalarType,
} from 'graphql';
import { expect, test } from 'vitest';
import { createSchema } from '../../src/app/schema.ts';
import { schemaFileText } from '../../src/app/schema-file.ts';
import { sentences } from '../../src/graphql/sentences.ts';

const MAX_COLUMNS = 100;

/** Words for which the schema has others: transaction, invalidate, status, store. */
const GIVEN_UP = /\b(movements?|bumps?|flights?|recalls?|drainers?|in its life|ma(?:de|kes?) old|hangs? on)\b/i;

const schema = createSchema();
const descriptions = describedParts();

test('every type, field, argument, input field, enum value and directive says what it is', () => {
  const missing = [...descriptions].flatMap(([part, description]) => (description ? [] : [part]));
  expect(descriptions.size).toBeGreaterThan(400);
  expect(missing).toEqual([]);
});

test('every description ends its sentences and uses the words of the schema', () => {
  const open = [...descriptions].filter(([, description]) => !description?.endsWith('.'));
  const dated = [...descriptions].filter(([, description]) => GIVEN_UP.test(description ?? ''));
  expect({ open, dated }).toEqual({ open: [], dated: [] });
});

test('no line of a description in schema.graphql has more than 100 columns', () => {
  const printed = schemaFileText(schema).match(/^ *""".*?"""$/gms) ?? [];
  const long = printed.flatMap((block) => block.split('\n')).filter((line) => line.length > MAX_COLUMNS);
  expect(printed.length).toBe([...descriptions.values()].filter(Boolean).length);
  expect(long).toEqual([]);
});

test('sentences stand on lines of their own, and long ones are wrapped between words', () => {
  expect(sentences('One.', 'Two is short.')).toBe('One.\nTwo is short.');
  const [first = '', ...others] = sentences(`${'word '.repeat(30)}end.`).split('\n');
  expect(first).toBe('word '.repeat(19).trim());
  expect(others).toEqual([`${'word '.repeat(11)}end.`]);
});

/**
 * What a description can stand at, by its schema coordinate, for example `Query.dashboard(date:)`.
 */
function describedParts(): Map<string, string | null | undefined> {
  const parts = new Map<string, string | null | undefined>();
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
  );
  for (const type of types) {
    parts.set(type.name, type.description);
    if (isEnumType(type))
      for (const value of type.getValues()) parts.set(`${type.name}.${value.name}`, value.description);
    if (!isObjectType(type) && !isInputObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      parts.set(`${type.name}.${field.name}`, field.description);
      if ('args' in field)
        for (const { name, description } of field.args) parts.set(`${type.name}.${field.name}(${name}:)`, description);
    }
  }
  for (const directive of schema.getDirectives().filter((directive) => !isSpecifiedDirective(directive))) {
    parts.set(`@${directive.name}`, directive.description);
    for (const { name, description } of directive.args) parts.set(`@${directive.name}(${name}:)`, description);
  }
  return parts;
}
