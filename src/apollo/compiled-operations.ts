import {
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type VariableDefinitionNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { coercedVariables } from './coerced-variables.ts';
import { CompiledOperation } from './compiled-operation.ts';
import { decidingVariables, settledOperation } from './settled-operation.ts';

/**
 * Compiling costs more than validating does (docs/performance.md): it is for operations that come
 * again.
 */
const COMPILED_AT_USE = 3;
/**
 * Compiled forms kept of all operations. Frontends have some dozens; one holds 15 KB of code, the
 * largest 300 KB.
 */
const MAX_COMPILED = 200;
/** Forms known of one operation: enough for four flags in all their combinations. */
const MAX_FORMS = 16;

type Values = Readonly<Record<string, unknown>>;

/** An operation together with values of its deciding variables. */
interface Form {
  uses: number;
  /** Absent while it is not decided; null: graphql-js goes on with it. */
  compiled?: CompiledOperation | null;
}

interface KnownOperation {
  readonly deciding: readonly VariableDefinitionNode[];
  readonly forms: Map<string, Form>;
}

/** What became of the forms that came often enough. */
export interface CompilationCounts {
  compiled: number;
  /** Too large, or beyond what the compiler can do: graphql-js goes on with them. */
  notCompiled: number;
}

/**
 * Queries compiled when they come again. What a query selects may depend on its variables: it has a
 * form for each combination of their values that came.
 */
export class CompiledOperations {
  /**
   * An operation's node stands for its document and name: Apollo Server hands out the same one for
   * the same text.
   */
  readonly #known = new WeakMap<OperationDefinitionNode, KnownOperation>();
  /**
   * One that falls out counts its uses anew, or more hot forms than fit would be compiled at every
   * use.
   */
  readonly #kept = new LRUCache<Form, () => void>({ max: MAX_COMPILED, dispose: (forget) => forget() });

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly counts: CompilationCounts,
  ) {}

  /**
   * @param onCompiled told how many fields were compiled for this use
   * @returns undefined where graphql-js executes
   */
  of(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Values,
    onCompiled: (fields: number) => void,
  ): CompiledOperation | undefined {
    if (operation.operation !== 'query') return undefined;
    const known = this.#knownOf(document, operation);
    const values = this.#decided(known, variables);
    if (!values) return undefined;
    const key = known.deciding.map(({ variable }) => JSON.stringify(values[variable.name.value])).join();
    const form = formOf(known.forms, key);
    if (!form) return undefined;
    if (form.compiled) this.#kept.get(form);
    else if (form.compiled === undefined && ++form.uses >= COMPILED_AT_USE) {
      form.compiled = this.#compile(document, operation, values, onCompiled);
      if (form.compiled) this.#kept.set(form, () => known.forms.delete(key));
    }
    return form.compiled ?? undefined;
  }

  #knownOf(document: DocumentNode, operation: OperationDefinitionNode): KnownOperation {
    let known = this.#known.get(operation);
    if (!known) {
      known = { deciding: decidingVariables(document, operation), forms: new Map() };
      this.#known.set(operation, known);
    }
    return known;
  }

  /** @returns undefined for values that do not fit: graphql-js words that */
  #decided({ deciding }: KnownOperation, variables: Values): Values | undefined {
    return deciding.length === 0 ? {} : coercedVariables(this.schema, deciding, variables);
  }

  #compile(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    values: Values,
    onCompiled: (fields: number) => void,
  ): CompiledOperation | null {
    const settled = settledOperation(this.schema, document, operation, values);
    const compiled = settled && CompiledOperation.of(this.schema, settled.fields);
    if (compiled) this.counts.compiled++;
    else this.counts.notCompiled++;
    onCompiled(settled?.size ?? 0);
    return compiled ?? null;
  }
}

/** @returns undefined when the operation has enough others */
function formOf(forms: Map<string, Form>, key: string): Form | undefined {
  const known = forms.get(key);
  if (known) return known;
  // Those that did not come again make room.
  if (forms.size === MAX_FORMS)
    for (const [other, { compiled }] of forms) if (compiled === undefined) forms.delete(other);
  if (forms.size === MAX_FORMS) return undefined;
  const form: Form = { uses: 0 };
  forms.set(key, form);
  return form;
}
