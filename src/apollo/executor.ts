import type { DocumentNode, ExecutionResult, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { type CompilationCounts, CompiledOperations } from './compiled-operations.ts';
import { interpret } from './interpret.ts';
import { refusedWhole } from './refused-whole.ts';

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
export interface ExecutionCounts extends CompilationCounts {
  /** Executed by compiled code. */
  jit: number;
  /** Executed by graphql-js. */
  graphqlJs: number;
}

export interface ExecutorOptions {
  /** Whether queries that come again are compiled; otherwise graphql-js executes everything. */
  readonly compiles: boolean;
  /** Told for whom an operation was compiled, and how many fields it has. */
  readonly onCompiled?: (context: unknown, fields: number) => void;
}

/**
 * Executes queries that come again by code compiled for them, everything else by graphql-js; a
 * client cannot tell which. Mutations stay with graphql-js: their order matters more than their
 * CPU.
 */
export class Executor {
  readonly counts: ExecutionCounts = { jit: 0, graphqlJs: 0, compiled: 0, notCompiled: 0 };
  readonly #operations: CompiledOperations | undefined;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly options: ExecutorOptions,
  ) {
    const { compiles } = options;
    this.#operations = compiles ? new CompiledOperations(schema, this.counts) : undefined;
  }

  async execute(request: ExecutionRequest): Promise<ExecutionResult> {
    const { document, operation, context, variables = {} } = request;
    const compiled =
      operation &&
      this.#operations?.of(document, operation, variables, (fields) => this.options.onCompiled?.(context, fields));
    const result = await compiled?.execute(context, variables);
    if (result) this.counts.jit++;
    const whole = result ?? (await this.#interpret(request));
    return whole.errors ? refusedWhole(whole, operation?.operation) : whole;
  }

  #interpret({ document, operation, operationName, variables, context }: ExecutionRequest): Promise<ExecutionResult> {
    this.counts.graphqlJs++;
    const { schema } = this;
    return interpret({ schema, document, contextValue: context, variableValues: variables, operationName }, operation);
  }
}
