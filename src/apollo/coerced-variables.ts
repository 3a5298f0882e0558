import { type GraphQLSchema, getVariableValues, type VariableDefinitionNode } from 'graphql';

/**
 * The values of an operation's variables; undefined when one does not fit, which graphql-js words
 * when it executes. The first that does not ends the work: each of thousands would be worded, with
 * all that it stands in.
 */
export function coercedVariables(
  schema: GraphQLSchema,
  definitions: readonly VariableDefinitionNode[],
  variables: Readonly<Record<string, unknown>>,
): Record<string, unknown> | undefined {
  return getVariableValues(schema, definitions, variables, { maxErrors: 0 }).coerced;
}
