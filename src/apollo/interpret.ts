import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type FieldNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
} from 'graphql';
import { collectFields } from 'graphql/execution/collectFields.js';
import { fragmentsOf } from '../graphql/fragments.ts';
import { coercedVariables } from './coerced-variables.ts';
import { wholeAnswer } from './root-fields.ts';

/** Executes by graphql-js, the root fields of a query each by itself. */
export async function interpret(args: ExecutionArgs, operation?: OperationDefinitionNode): Promise<ExecutionResult> {
  const fields = operation?.operation === 'query' ? rootFields(args, operation) : [];
  if (!operation || fields.length < 2) return execute(args);
  const alone = fields.map((nodes) => ({ ...args, document: withSelections(args.document, operation, nodes) }));
  return wholeAnswer(await Promise.all(alone.map((each) => execute(each))));
}

/**
 * The nodes of each response name. None where there is only one, and where graphql-js has to say
 * what is wrong with the variables.
 */
function rootFields(
  { schema, document, variableValues }: ExecutionArgs,
  { variableDefinitions = [], selectionSet }: OperationDefinitionNode,
): (readonly FieldNode[])[] {
  const [only, ...others] = selectionSet.selections;
  const type = schema.getQueryType();
  if (!type || (only?.kind === Kind.FIELD && others.length === 0)) return [];
  const coerced = coercedVariables(schema, variableDefinitions, variableValues ?? {});
  if (!coerced) return [];
  try {
    return [...collectFields(schema, fragmentsOf(document), coerced, type, selectionSet).values()];
  } catch (error) {
    if (error instanceof GraphQLError) return [];
    throw error;
  }
}

function withSelections(
  { definitions, ...document }: DocumentNode,
  operation: OperationDefinitionNode,
  selections: readonly FieldNode[],
): DocumentNode {
  const alone = { ...operation, selectionSet: { kind: Kind.SELECTION_SET, selections } } as const;
  return { ...document, definitions: definitions.map((part) => (part === operation ? alone : part)) };
}
