import type { DocumentNode, ExecutionResult, GraphQLSchema } from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import { isBeyondCompiler } from './compiler-limits.ts';
import { compilerSchema } from './compiler-schema.ts';
import { isRefusal } from './refused-whole.ts';
import { asGraphqlJsError, reportedErrors } from './reported-errors.ts';
import { wholeAnswer } from './root-fields.ts';

interface CompiledField {
  readonly settled: DocumentNode;
  readonly code: CompiledQuery;
}

/**
 * A query as code, the root fields each by itself. It is made from a settled one: the compiler
 * mistakes directives and fragments.
 */
export class CompiledOperation {
  private constructor(
    private readonly schema: GraphQLSchema,
    private readonly fields: readonly CompiledField[],
  ) {}

  /**
   * @param fields a document for each root field
   * @returns undefined for what the compiler cannot do, or does otherwise than graphql-js
   */
  static of(schema: GraphQLSchema, fields: readonly DocumentNode[]): CompiledOperation | undefined {
    const compiled = fields.map((settled) => compiledField(schema, settled));
    return compiled.every((field) => field !== undefined) ? new CompiledOperation(schema, compiled) : undefined;
  }

  /**
   * @returns undefined for variables that do not fit, which graphql-js words as clients know it;
   *   nothing has run then
   */
  async execute(context: unknown, variables: Readonly<Record<string, unknown>>): Promise<ExecutionResult | undefined> {
    const answers = [];
    for (const { settled, code } of this.fields) {
      const answer = code.query(undefined, context, variables);
      // Those before it have taken the same variables.
      if (!(answer instanceof Promise) && !('data' in answer)) return undefined;
      answers.push(this.#answerOf(settled, answer));
    }
    const { data, errors } = wholeAnswer(await Promise.all(answers));
    if (!errors) return { data };
    // A busy service makes one error for what it refuses, not one for each of its fields.
    const refusal = errors.find(isRefusal);
    return { errors: (refusal ? [refusal] : errors).map(asGraphqlJsError), data };
  }

  async #answerOf(settled: DocumentNode, answer: ExecutionResult | Promise<ExecutionResult>): Promise<ExecutionResult> {
    const { data, errors } = await answer;
    return errors ? { data, errors: reportedErrors(this.schema, settled, errors) } : { data };
  }
}

function compiledField(schema: GraphQLSchema, settled: DocumentNode): CompiledField | undefined {
  if (isBeyondCompiler(schema, settled)) return undefined;
  // The original error has its stack.
  const code = compileQuery(compilerSchema(schema), settled, undefined, { disablingCapturingStackErrors: true });
  return isCompiledQuery(code) ? { settled, code } : undefined;
}
