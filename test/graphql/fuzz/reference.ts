import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type FieldNode,
  type FragmentDefinitionNode,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
} from 'graphql';
import { collectFields } from 'graphql/execution/collectFields.js';

/**
 * What graphql-js answers. Where it reports errors of several root fields, or one of several
 * reasons to give up the answer, that depends on which field is found out first: then the order of
 * the fields decides, as if each waited for those before it.
 */
export async function referenceAnswer(
  args: ExecutionArgs,
  operation: OperationDefinitionNode,
): Promise<ExecutionResult> {
  const whole = await execute(args);
  if (operation.operation !== 'query' || !whole.errors?.some(({ path }) => path)) return whole;
  if (!whole.data) return inTurn(args, operation);
  const names = Object.keys(whole.data);
  const place = ({ path }: { path?: readonly unknown[] | undefined }) => names.indexOf(String(path?.[0]));
  return { data: whole.data, errors: whole.errors.toSorted((a, b) => place(a) - place(b)) };
}

async function inTurn(args: ExecutionArgs, operation: OperationDefinitionNode): Promise<ExecutionResult> {
  const errors = [];
  for (const nodes of rootFields(args, operation)) {
    const { data, errors: found = [] } = await execute({ ...args, document: only(args.document, operation, nodes) });
    errors.push(...found);
    if (!data) return { data: null, errors };
  }
  throw new Error('graphql-js gave up an answer of which each field can be had');
}

function rootFields(
  { schema, document, variableValues }: ExecutionArgs,
  { variableDefinitions = [], selectionSet }: OperationDefinitionNode,
): Iterable<readonly FieldNode[]> {
  const fragments: Record<string, FragmentDefinitionNode> = {};
  for (const part of document.definitions)
    if (part.kind === Kind.FRAGMENT_DEFINITION) fragments[part.name.value] = part;
  const { coerced } = getVariableValues(schema, variableDefinitions, variableValues ?? {});
  const type = schema.getQueryType();
  if (!coerced || !type) throw new Error('fields were resolved with variables that do not fit');
  return collectFields(schema, fragments, coerced, type, selectionSet).values();
}

function only(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  selections: readonly FieldNode[],
): DocumentNode {
  const alone = { ...operation, selectionSet: { kind: Kind.SELECTION_SET, selections } } as const;
  return { kind: Kind.DOCUMENT, definitions: document.definitions.map((part) => (part === operation ? alone : part)) };
}
