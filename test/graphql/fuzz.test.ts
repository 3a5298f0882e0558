import { isObjectType, parse, TypeInfo, validate, visit, visitWithTypeInfo } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSchema } from '../../src/app/schema.ts';
import { describeDifference } from './fuzz/difference.ts';
import { generateOperation, MOMENTARY } from './fuzz/operation-generator.ts';
import { runFuzz } from './fuzz/run-fuzz.ts';

const OPERATIONS = 2_000;

// Most errors of these answers are expected: finding out where they were made takes longer than
// making them.
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

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
    'ErrorCount.',
    'UsageReport.',
    'TenantUsage.',
  ];
  const coordinates = Object.values(schema.getTypeMap()).flatMap((type) =>
    isObjectType(type) && !type.name.startsWith('__')
      ? Object.keys(type.getFields()).map((field) => `${type.name}.${field}`)
      : [],
  );
  const missed = coordinates.filter((coordinate) => !selected.has(coordinate));
  expect(missed.filter((coordinate) => !ofTheMoment.some((prefix) => coordinate.startsWith(prefix)))).toEqual([]);
});

test('an operation means the same however often it is executed, and whatever executes it', {
  timeout: 300_000,
}, async () => {
  const { first, differences, compiled, hits } = await runFuzz({ operations: OPERATIONS, seed: 1 });
  expect(first && describeDifference(first)).toBeUndefined();
  expect(differences).toBe(0);
  expect(compiled).toBeGreaterThan(OPERATIONS);
  expect(hits).toBeGreaterThan(OPERATIONS / 20);
});
