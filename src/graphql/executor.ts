import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';

/** Compiling costs two to three times what validating does (docs/decisions.md): it is for operations that come again. */
const COMPILED_AT_USE = 3;
/** Compiled operations kept. Frontends have some dozens; one holds 15 KB of code and closures, the largest 300 KB. */
const MAX_COMPILED = 200;
/** Fields with fragments spread: the compiler writes out each of them, 0.2 to 0.5 ms apiece. */
const MAX_FIELDS = 300;

/** An operation to execute; Apollo Server has parsed and validated it. */
export interface ExecutionRequest {
  readonly document: DocumentNode;
  /** Absent when the document has no operation of the name asked for. */
  readonly operation?: OperationDefinitionNode | undefined;
  readonly operationName?: string | null | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  readonly context: unknown;
}

/** What became of operations in this process. */
export interface ExecutionCounts {
  /** Executed by compiled code. */
  jit: number;
  /** Executed by graphql-js. */
  graphqlJs: number;
  compiled: number;
  /** Too large, or beyond what the compiler can do: graphql-js goes on with them. */
  notCompiled: number;
}

/**
 * Executes queries that come again by code compiled for them, everything else by graphql-js; a client cannot tell
 * which. Mutations stay with graphql-js: their order matters more than their CPU.
 */
export class CompilingExecutor {
  readonly counts: ExecutionCounts = { jit: 0, graphqlJs: 0, compiled: 0, notCompiled: 0 };
  /** An operation's node stands for its document and name: Apollo Server hands out the same one for the same text. */
  readonly #uses = new WeakMap<OperationDefinitionNode, number>();
  readonly #refused = new WeakSet<OperationDefinitionNode>();
  /** One that falls out counts its uses anew, or more hot operations than fit would be compiled at every use. */
  readonly #compiled = new LRUCache<OperationDefinitionNode, CompiledQuery>({
    max: MAX_COMPILED,
    dispose: (_query, operation) => this.#uses.delete(operation),
  });

  constructor(private readonly schema: GraphQLSchema) {}

  async execute(request: ExecutionRequest): Promise<ExecutionResult> {
    const query = request.operation && this.#queryOf(request.document, request.operation);
    const result = await query?.query(undefined, request.context, request.variables ?? {});
    // Without data nothing has run yet: the variables do not fit, and graphql-js words that as clients know it.
    if (!result || !('data' in result)) return this.#interpret(request);
    this.counts.jit++;
    return result.errors ? { ...result, errors: result.errors.map(asGraphqlJsError) } : result;
  }

  #queryOf(document: DocumentNode, operation: OperationDefinitionNode): CompiledQuery | undefined {
    if (operation.operation !== 'query' || this.#refused.has(operation)) return undefined;
    const known = this.#compiled.get(operation);
    if (known) return known;
    const uses = (this.#uses.get(operation) ?? 0) + 1;
    this.#uses.set(operation, uses);
    return uses < COMPILED_AT_USE ? undefined : this.#compile(document, operation);
  }

  #compile(document: DocumentNode, operation: OperationDefinitionNode): CompiledQuery | undefined {
    const query =
      fieldCount(document, operation) <= MAX_FIELDS ? compiled(this.schema, document, operation) : undefined;
    if (query) {
      this.counts.compiled++;
      this.#compiled.set(operation, query);
    } else {
      this.counts.notCompiled++;
      this.#refused.add(operation);
    }
    return query;
  }

  async #interpret({ document, operationName, variables, context }: ExecutionRequest): Promise<ExecutionResult> {
    this.counts.graphqlJs++;
    return execute({
      schema: this.schema,
      document,
      contextValue: context,
      variableValues: variables,
      operationName,
    });
  }
}

function compiled(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): CompiledQuery | undefined {
  const query = compileQuery(schema, document, operation.name?.value, {
    // Its older way lets one spread of a fragment decide for all others of it.
    useExperimentalPathBasedSkipInclude: true,
    // The original error has its stack.
    disablingCapturingStackErrors: true,
  });
  return isCompiledQuery(query) ? query : undefined;
}

/** The compiler's errors are of a class of their own, which Apollo Server would mask without path and code. */
function asGraphqlJsError(error: GraphQLError): GraphQLError {
  const { message, path, locations, originalError } = error;
  // The original error's extensions become its own.
  const made = new GraphQLError(message, { ...(path && { path }), ...(originalError && { originalError }) });
  if (locations) Object.defineProperty(made, 'locations', { value: locations, enumerable: true });
  return made;
}

/** Fields with fragments spread, counted up to a little over the limit. */
function fieldCount({ definitions }: DocumentNode, operation: OperationDefinitionNode): number {
  const fragments = new Map(
    definitions.flatMap((part) => (part.kind === 'FragmentDefinition' ? [[part.name.value, part]] : [])),
  );
  let count = 0;
  const add = (set: SelectionSetNode | undefined): void => {
    for (const selection of set?.selections ?? []) {
      if (count > MAX_FIELDS) return;
      if (selection.kind === 'Field') count++;
      if (selection.kind === 'FragmentSpread') add(fragments.get(selection.name.value)?.selectionSet);
      else add(selection.selectionSet);
    }
  };
  add(operation.selectionSet);
  return count;
}
