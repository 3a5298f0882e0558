import {
  type DocumentNode,
  GraphQLError,
  Kind,
  Lexer,
  type OperationDefinitionNode,
  parse,
  Source,
  TokenKind,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { LimitsConfig } from '../config/config.ts';
import { ErrorCode, httpHead, operationRefused, unauthenticated } from '../errors.ts';
import { extentsOf, isIntrospection, type Measured, rootFields } from './document-extent.ts';
import type { GraphqlRequest } from './graphql-request.ts';
import { MAX_NESTING, TOO_NESTED } from './nesting-rule.ts';

/**
 * In characters of all documents that are remembered by their text. One takes up to a hundred bytes
 * for each, read.
 */
const MAX_REMEMBERED = 1024 * 1024;

const OPENING: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSING: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);
/** As `nestingRule` says it. */
const NOT_VALID = { code: 'GRAPHQL_VALIDATION_FAILED', http: httpHead(400) };

/** Fragments within fragments can make billions of fields of a short text. */
const MAX_SELECTIONS = 10_000;

const SELECTIONS = 'fields and fragments, those within fragments counted at each spread,';

/** What an operation may be that only introspects: it needs no token. */
const INTROSPECTION = { characters: 8_000, selections: 500, rootFields: 3, aliases: 5 };

/** A document as far as it could be read without the schema. */
export interface ReadDocument {
  readonly document: DocumentNode;
  /** Absent when the document has none of the name asked for. */
  readonly operation: OperationDefinitionNode | undefined;
}

/**
 * Reads documents, and refuses those that are too large before anything is validated: validating
 * costs far more than counting, and grows faster than the document.
 */
export class Documents {
  readonly #documents = new LRUCache<string, DocumentNode>({
    maxSize: MAX_REMEMBERED,
    sizeCalculation: (_, query) => query.length,
  });
  /** Those of which no part is too large. One that comes again is the same node. */
  readonly #passed = new WeakSet<DocumentNode>();

  constructor(private readonly limits: LimitsConfig) {}

  /**
   * @param hasCaller whether a token was verified; without one only introspection goes on
   * @returns undefined for what is no GraphQL: Apollo Server tells the client what is wrong with it
   * @throws QUERY_TOO_COMPLEX or QUERY_TOO_DEEP with the limit and what came; UNAUTHENTICATED
   */
  read(request: GraphqlRequest, hasCaller: boolean): ReadDocument | undefined {
    const read = unlessTooNested(() => this.#read(request, hasCaller));
    if (!hasCaller && !read?.operation) throw unauthenticated();
    return read;
  }

  #read({ query, operationName }: GraphqlRequest, hasCaller: boolean): ReadDocument | undefined {
    const document = this.#documents.get(query) ?? this.#parse(query, hasCaller);
    if (!document) return undefined;
    const operation = operationOf(document, operationName);
    if (!hasCaller && !(operation && isIntrospection(document, operation))) throw unauthenticated();
    if (!(hasCaller && this.#passed.has(document))) this.#check(document, hasCaller);
    return { document, operation };
  }

  /** Strangers leave nothing behind. */
  #parse(query: string, hasCaller: boolean): DocumentNode | undefined {
    if (!hasCaller && query.length > INTROSPECTION.characters) throw unauthenticated();
    this.#refuseNested(query);
    try {
      const document = parse(query, { noLocation: true, maxTokens: this.limits.tokens });
      if (hasCaller) this.#documents.set(query, document);
      return document;
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      const tokens = countTokens(query, this.limits.tokens);
      if (tokens !== undefined && tokens > this.limits.tokens) throw tooManyTokens(tokens, this.limits.tokens);
      return undefined;
    }
  }

  /**
   * Ahead of the parser, which goes down by recursion: at which depth the stack ends differs from one
   * time to the next.
   */
  #refuseNested(query: string): void {
    if (query.length <= MAX_NESTING) return;
    const { tokens } = this.limits;
    const counted = countTokens(query, tokens);
    if (counted !== undefined && counted > tokens) throw tooManyTokens(counted, tokens);
    if (bracketsWithin(query) > MAX_NESTING) throw new GraphQLError(TOO_NESTED, { extensions: NOT_VALID });
  }

  /** All of it is validated, whichever operation is asked for. */
  #check(document: DocumentNode, hasCaller: boolean): void {
    for (const measured of extentsOf(document)) this.#checkExtent(document, measured, hasCaller);
    this.#passed.add(document);
  }

  #checkExtent(document: DocumentNode, { definition, extent }: Measured, hasCaller: boolean): void {
    const { limits } = this;
    const isOperation = definition.kind === Kind.OPERATION_DEFINITION;
    const isBounded = !hasCaller || (isOperation && isIntrospection(document, definition));
    const what = isOperation ? 'operation' : `fragment ${definition.name.value}`;
    const check = (unit: string, count: number, limit: number) => {
      if (count > limit) throw tooLarge(what, unit, count, limit);
    };
    if (isOperation)
      check(
        'root fields',
        rootFields(document, definition).length,
        isBounded ? INTROSPECTION.rootFields : limits.rootFields,
      );
    check('aliases', extent.aliases, isBounded ? INTROSPECTION.aliases : limits.aliases);
    check('directives', extent.directives, limits.directives);
    check('fields that repeat a name', extent.repeatedFields, limits.repeatedFields);
    check(SELECTIONS, extent.selections, isBounded ? INTROSPECTION.selections : MAX_SELECTIONS);
    if (!isBounded && extent.depth > limits.depth) throw tooDeep(what, extent.depth, limits.depth);
  }
}

/** The parser and the counting go down by recursion. Validation refuses what they cannot. */
function unlessTooNested<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function operationOf(document: DocumentNode, name: string | null): OperationDefinitionNode | undefined {
  const operations = document.definitions.filter((part) => part.kind === Kind.OPERATION_DEFINITION);
  if (name === null) return operations.length === 1 ? operations[0] : undefined;
  return operations.find((operation) => operation.name?.value === name);
}

/** Names, signs and values of a document that was parsed. */
export function tokensOf(query: string): number {
  return countTokens(query, Number.POSITIVE_INFINITY) ?? 0;
}

/** How deep brackets stand within one another, as far as the text can be read. */
function bracketsWithin(query: string): number {
  const lexer = new Lexer(new Source(query));
  let [depth, deepest] = [0, 0];
  try {
    for (let { kind } = lexer.advance(); kind !== TokenKind.EOF; { kind } = lexer.advance()) {
      if (OPENING.has(kind)) deepest = Math.max(deepest, ++depth);
      else if (CLOSING.has(kind)) depth--;
    }
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error; // the parser says what is wrong there
  }
  return deepest;
}

function tooManyTokens(count: number, limit: number): GraphQLError {
  return tooLarge('operation', 'tokens (names, signs and values)', count, limit);
}

/** @returns undefined for a text that ends within a token */
function countTokens(query: string, limit: number): number | undefined {
  const lexer = new Lexer(new Source(query));
  let count = 0;
  try {
    // Ten times the limit is said as it is: nobody needs to know the rest.
    while (lexer.advance().kind !== TokenKind.EOF && count < 10 * limit) count++;
    return count;
  } catch {
    return count > limit ? count : undefined;
  }
}

function tooLarge(what: string, unit: string, count: number, limit: number): GraphQLError {
  const message = `The ${what} has ${count} ${unit}; at most ${limit} are allowed. Ask for fewer, or split it.`;
  return operationRefused(ErrorCode.TooComplex, message.replace(',;', ';'), { count, limit });
}

function tooDeep(what: string, depth: number, limit: number): GraphQLError {
  return operationRefused(
    ErrorCode.TooDeep,
    `The ${what} is ${depth} levels deep; at most ${limit} are allowed. Ask for the inner parts by operations of their own.`,
    { depth, limit },
  );
}
