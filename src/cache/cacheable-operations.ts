import { createHash } from 'node:crypto';
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  parse,
  printSchema,
  type SelectionSetNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { GraphqlRequest } from '../graphql/graphql-request.ts';
import type { BypassReason } from '../monitoring/cache-statistics.ts';

/** Documents remembered by their text. Clients use few; one that falls out is read again. */
const MAX_DOCUMENTS = 1_000;
/** A document longer than this is nobody's regular one. */
const MAX_DOCUMENT_LENGTH = 100_000;

/** What can be said of an operation before it is executed. */
export interface CacheableOperation {
  /**
   * SHA-256 of the schema, the document, the operation's name, the variables and the answer's media type: no two that
   * differ in one of these meet, whatever clients send, and a deployment with another schema never reads these entries.
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

/** Tells which operations may be answered from the cache, by the `@cacheControl` of the root fields they select. */
export class CacheableOperations {
  /** Of what clients can ask. */
  readonly schemaHash: string;
  readonly #policies: ReadonlyMap<string, FieldPolicy>;
  readonly #documents = new LRUCache<string, DocumentNode>({ max: MAX_DOCUMENTS });

  constructor(schema: GraphQLSchema) {
    this.#policies = fieldPolicies(schema);
    this.schemaHash = sha256(printSchema(schema));
  }

  /** @returns why not: mutations, answers of the moment, refreshes, and whatever Apollo Server has to refuse */
  describe(request: GraphqlRequest): CacheableOperation | BypassReason {
    const { query, operationName } = request;
    const document = this.#document(query);
    const operation = document && operationOf(document, operationName);
    if (!document || !operation) return 'unreadable';
    if (operation.operation !== 'query') return 'mutation';
    const fields = rootFields(document, operation.selectionSet);
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

  #document(query: string): DocumentNode | undefined {
    const known = this.#documents.get(query);
    if (known || query.length > MAX_DOCUMENT_LENGTH) return known;
    try {
      const document = parse(query, { noLocation: true });
      this.#documents.set(query, document);
      return document;
    } catch {
      return undefined; // not GraphQL: Apollo Server tells the client what is wrong with it
    }
  }
}

/**
 * A text that is equal for equal requests only. JSON also writes lone surrogates apart from one another.
 * @returns undefined for what JSON writes as something else (Infinity, which 1e999 is read as, and -0), or not at all
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

function operationOf(document: DocumentNode, name: string | null): OperationDefinitionNode | undefined {
  const operations = document.definitions.filter((part) => part.kind === Kind.OPERATION_DEFINITION);
  if (name === null) return operations.length === 1 ? operations[0] : undefined;
  return operations.find((operation) => operation.name?.value === name);
}

function rootFields(document: DocumentNode, set: SelectionSetNode, visited = new Set<string>()): FieldNode[] {
  return set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection];
    if (selection.kind === Kind.INLINE_FRAGMENT) return rootFields(document, selection.selectionSet, visited);
    if (visited.has(selection.name.value)) return [];
    visited.add(selection.name.value);
    const fragment = document.definitions.find(
      (part) => part.kind === Kind.FRAGMENT_DEFINITION && part.name.value === selection.name.value,
    );
    return fragment?.kind === Kind.FRAGMENT_DEFINITION ? rootFields(document, fragment.selectionSet, visited) : [];
  });
}

/** An argument `refresh` that is not plainly false, a variable too: such an operation goes to the resolver. */
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
