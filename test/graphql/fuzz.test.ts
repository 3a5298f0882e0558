import { isObjectType, parse, TypeInfo, validate, visit, visitWithTypeInfo } from 'graphql';
import { expect, test } from 'vitest';
import { createSchema } from '../../src/app/schema.ts';
import { generateOperation, MOMENTARY } from './fuzz/operation-generator.ts';

const OPERATIONS = 2_000;

test('generated operations are valid, and the same for the same seed', () => {
  const schema = createSchema();
  for (let seed = 0; seed < 200; seed++) {
    const generated = generateOperation(schema, seed);
    expect(validate(schema, parse(generated.document)), `seed ${seed}`).toEqual([]);
    expect(generateOperation(schema, seed)).toEqual(generated);
  }
});

test('generated operations select every field that there is, but for those that tell of the moment', () => {
  const schema = createSchema();
  const selected = new Set<string>();
  const types = new TypeInfo(schema);
  const note = visitWithTypeInfo(types, {
    Field: ({ name }) => void selected.add(`${types.getParentType()?.name}.${name.value}`),
  });
  for (let seed = 1; seed <= OPERATIONS; seed++) visit(parse(generateOperation(schema, seed).document), note);
  const ofTheMoment = [
    ...MOMENTARY,
    'ResourceUsage.',
    'OperationPerformance.',
    'OperationQuery.',
    'ErrorCount.',
    'UsageReport.',
    'TenantUsage.',
    // Not asked for as queries are.
    'Subscription.',
    'TenantChange.',
  ];
  const coordinates = Object.values(schema.getTypeMap()).flatMap((type) =>
    isObjectType(type) && !type.name.startsWith('__')
      ? Object.keys(type.getFields()).map((field) => `${type.name}.${field}`)
      : [],
  );
  const missed = coordinates.filter((coordinate) => !selected.has(coordinate));
  expect(missed.filter((coordinate) => !ofTheMoment.some((prefix) => coordinate.startsWith(prefix)))).toEqual([]);
});
