import { createHash } from 'node:crypto';
import { type FieldNode, type GraphQLSchema, Kind, printSchema } from 'graphql';
import { rootFields } from '../../graphql/document-extent.ts';
import type { ReadDocument } from '../../graphql/documents.ts';
import type { GraphqlRequest } from '../../graphql/graphql-request.ts';
import type { BypassReason } from '../../monitoring/cache-statistics.ts';

/** What can be said of an operation before it is executed. */
export interface CacheableOperation {
  /**
   * SHA-256 of the schema, the document, the operation's name, the variables and the answer's media
   * type: no two that differ in one of these meet, whatever clients send, and a deployment with
   * another schema never reads these entries.
   */
  readonly hash: string;
  readonly name: string | null;
  /** Whether the answer shows who is asking. */
  readonly isPerViewer: boolean;
}

interface FieldPolicy {
  readonly isPerViewer: boolean;
  readonly isVolatile: boolean;
}

/**
 * Tells which operations may be answered from the cache, by the `@cacheControl` of the root fields
 * they select.
 */
export class CacheableOperations {
  /** Of what clients can ask. */
  readonly schemaHash: string;
  readonly #policies: ReadonlyMap<string, FieldPolicy>;

  constructor(schema: GraphQLSchema) {
    this.#policies = fieldPolicies(schema);
    this.schemaHash = sha256(printSchema(schema));
  }

  /**
   * @returns why not: mutations, answers of the moment, refreshes, and whatever Apollo Server has
   *   to refuse
   */
  describe(request: GraphqlRequest, read: ReadDocument | undefined): CacheableOperation | BypassReason {
    const { document, operation } = read ?? {};
    if (!document || !operation) return 'unreadable';
    if (operation.operation !== 'query') return 'mutation';
    const fields = rootFields(document, operation);
    const policies = fields.map(({ name }) => this.#policies.get(name.value));
    if (policies.some((policy) => !policy)) return 'unreadable';
    if (policies.some((policy) => policy?.isVolatile)) return 'momentary';
    if (fields.some(mayRefresh)) return 'refresh';
    const text = exactText(request);
    if (text === undefined) return 'unreadable';
    return {
      hash: sha256(this.schemaHash + text),
      name: operation.name?.value ?? null,
      isPerViewer: policies.some((policy) => policy?.isPerViewer),
    };
  }
}

/**
 * A text that is equal for equal requests only. JSON also writes lone surrogates apart from one
 * another.
 * @returns undefined for what JSON writes as something else (Infinity, which 1e999 is read as, and
 *   -0), or not at all
 */
function exactText({ query, operationName, variables, mediaType }: GraphqlRequest): string | undefined {
  let isExact = true;
  const look = (_name: string, value: unknown) => {
    if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) isExact = false;
    return value;
  };
  try {
    const text = JSON.stringify([query, operationName, variables, mediaType], look);
    return isExact ? text : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined; // nested too deep
    throw error;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * An argument `refresh` that is not plainly false, a variable too: such an operation goes to the
 * resolver.
 */
function mayRefresh(field: FieldNode): boolean {
  const refresh = field.arguments?.find(({ name }) => name.value === 'refresh')?.value;
  return refresh !== undefined && !(refresh.kind === Kind.BOOLEAN && !refresh.value);
}

function fieldPolicies(schema: GraphQLSchema): Map<string, FieldPolicy> {
  const fields = Object.values(schema.getQueryType()?.getFields() ?? {});
  const policies = new Map(
    fields.map(({ name, astNode }): [string, FieldPolicy] => {
      const control = astNode?.directives?.find((directive) => directive.name.value === 'cacheControl');
      const argument = (wanted: string) =>
        control?.arguments?.find((candidate) => candidate.name.value === wanted)?.value;
      const [scope, maxAge] = [argument('scope'), argument('maxAge')];
      return [
        name,
        {
          isPerViewer: scope?.kind === Kind.ENUM && scope.value === 'PRIVATE',
          isVolatile: maxAge?.kind === Kind.INT && maxAge.value === '0',
        },
      ];
    }),
  );
  return policies.set('__typename', { isPerViewer: false, isVolatile: false });
}
