import { type GraphQLSchema, getVariableValues, type VariableDefinitionNode } from 'graphql';
import { ErrorCode, operationRefused } from '../errors.ts';
import { MAX_NESTING } from '../graphql/nesting-rule.ts';

/**
 * The values of an operation's variables; undefined when one does not fit, which graphql-js words
 * when it executes. The first that does not ends the work: each of thousands would be worded, with
 * all that it stands in.
 * @throws BAD_USER_INPUT for one nested so deep that what reads it by recursion might overflow the
 *   stack: filters hold filters
 */
export function coercedVariables(
  schema: GraphQLSchema,
  definitions: readonly VariableDefinitionNode[],
  variables: Readonly<Record<string, unknown>>,
): Record<string, unknown> | undefined {
  for (const { variable } of definitions) checkNesting(variable.name.value, variables[variable.name.value]);
  return getVariableValues(schema, definitions, variables, { maxErrors: 0 }).coerced;
}

function checkNesting(name: string, value: unknown): void {
  let level = [value].filter(isObject);
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_NESTING)
      throw operationRefused(
        ErrorCode.BadUserInput,
        `Variable "$${name}" is nested too deep: at most ${MAX_NESTING} lists and objects within one another are read.`,
      );
    level = level.flatMap((outer) => Object.values(outer).filter(isObject));
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
