import { type DocumentNode, Kind, type OperationDefinitionNode, parse } from 'graphql';
import type { Difference } from './difference.ts';
import type { AskedOperation, Executions } from './executions.ts';
import type { GeneratedOperation } from './operation-generator.ts';

/** The compiler takes over at the third. */
const EXECUTIONS = 4;
/** What they leave behind for graphql-js itself is looked at after one operation in so many. */
const AFTERWARDS_EVERY = 10;

/**
 * Executes a generated operation again and again, with its sets of variables in turn: what one of
 * them leaves behind must not show with the next.
 * @returns the first answer that is not graphql-js's
 */
export async function differenceInProcess(
  executions: Executions,
  seed: number,
  generated: GeneratedOperation,
): Promise<Difference | undefined> {
  const document = parse(generated.document);
  const operation = operationOf(document, generated.operationName);
  const asked = generated.variables.map((variables): AskedOperation => ({ document, operation, variables }));
  const expected = await Promise.all(asked.map((each) => executions.byGraphqlJs(each)));
  const last = seed % AFTERWARDS_EVERY === 0 ? EXECUTIONS + 1 : EXECUTIONS;
  for (let execution = 1; execution <= last; execution++) {
    const isLast = execution > EXECUTIONS;
    for (const [index, each] of asked.entries()) {
      const got = await (isLast ? executions.byGraphqlJs(each) : executions.byExecutor(each));
      const wanted = expected[index] ?? '';
      const by = isLast ? 'by graphql-js again' : `execution ${execution} in the process`;
      if (got !== wanted) return { seed, generated, variables: each.variables, execution: by, expected: wanted, got };
    }
  }
  return undefined;
}

function operationOf({ definitions }: DocumentNode, name: string): OperationDefinitionNode {
  const operation = definitions.find((part) => part.kind === Kind.OPERATION_DEFINITION && part.name?.value === name);
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error(`the document has no operation ${name}`);
  return operation;
}
