import { buildSchema, GraphQLScalarType, parse } from 'graphql';
import { expect, test } from 'vitest';
import { coercedVariables } from '../../src/apollo/coerced-variables.ts';

test('the first value that does not fit ends the work', () => {
  const schema = buildSchema('scalar Odd type Query { a(odds: [Odd!]!): Int }');
  let parsed = 0;
  (schema.getType('Odd') as GraphQLScalarType).parseValue = (value) => {
    parsed++;
    if (Number(value) % 2 === 0) throw new Error('even');
    return value;
  };
  const [operation] = parse('query($odds: [Odd!]!) { a(odds: $odds) }').definitions;
  const definitions = operation?.kind === 'OperationDefinition' ? (operation.variableDefinitions ?? []) : [];
  expect(coercedVariables(schema, definitions, { odds: [1, 3, 5] })).toEqual({ odds: [1, 3, 5] });
  parsed = 0;
  expect(coercedVariables(schema, definitions, { odds: Array(10_000).fill(2) })).toBeUndefined();
  expect(parsed).toBe(1);
});
