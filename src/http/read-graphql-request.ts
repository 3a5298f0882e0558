import type { IncomingHttpHeaders } from 'node:http';
import { badRequest } from '../errors.ts';
import type { GraphqlRequest } from '../graphql/graphql-request.ts';
import { answerMediaType, checkBodyType } from './media-types.ts';
import type { PersistedQueries, PersistedQuery } from './persisted-queries.ts';

/** A request as it came. */
export interface HttpRequest {
  /** POST carries the request in its body, every other method in its search parameters. */
  readonly method: string;
  /** The request target, as it stands in the request line. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The bytes of a POST. */
  readonly body?: unknown;
  /** In how many small pieces that came, where its length was not known ahead. */
  readonly smallPieces?: number;
}

const PART_NAMES = ['query', 'operationName', 'variables', 'extensions'] as const;
/** The parts of a request before their types are checked. */
type Parts = Partial<Record<(typeof PART_NAMES)[number], unknown>>;
type JsonObject = Readonly<Record<string, unknown>>;

/** How much JSON may stand in a part of a request. */
interface Bounds {
  /** In one object. */
  readonly names: number;
  /** Those in lists and objects included. */
  readonly values: number;
}

/**
 * No input object has nearly as many fields, no document as many variables. A thousand transactions
 * have half as many values.
 */
const OF_VARIABLES: Bounds = { names: 250, values: 20_000 };
/** Clients send a persisted query and who they are: six values. */
const OF_EXTENSIONS: Bounds = { names: 20, values: 100 };

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads an HTTP request (GraphQL over HTTP, with Apollo's persisted queries). This is the only
 * place that does.
 * @param mayRegister whether a text that comes with its hash is remembered: not for strangers
 * @throws a GraphQLError with the HTTP status, which names what is wrong
 */
export function readGraphqlRequest(
  request: HttpRequest,
  persistedQueries: PersistedQueries,
  mayRegister: boolean,
): GraphqlRequest {
  if (request.url.includes('#')) throw badRequest('The request target must have no fragment; write # as %23.');
  const mediaType = answerMediaType(request.headers.accept);
  const isReadOnly = request.method !== 'POST';
  const parts = isReadOnly ? partsOfSearch(request.url) : partsOfBody(request);
  const operationName = optionalText('operationName', parts.operationName) ?? null;
  const variables = bounded('variables', optionalObject('variables', parts.variables) ?? {}, OF_VARIABLES);
  const extensions = bounded('extensions', optionalObject('extensions', parts.extensions) ?? {}, OF_EXTENSIONS);
  const persisted = persistedQueryOf(extensions);
  const query = documentOf(optionalText('query', parts.query), persisted, persistedQueries);
  if (persisted && mayRegister) persistedQueries.register(persisted.sha256Hash, query);
  return {
    ...{ query, operationName, variables, mediaType, isReadOnly },
    ...(persisted && { persistedHash: persisted.sha256Hash }),
  };
}

/** The search parameters of a request target: empty where it has none. */
export function searchOf(url: string): URLSearchParams {
  const start = url.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : url.slice(start + 1));
}

function partsOfSearch(url: string): Parts {
  const search = searchOf(url);
  const parts: Parts = {};
  for (const name of PART_NAMES) {
    const [text, ...more] = search.getAll(name);
    if (more.length > 0) throw badRequest(`${name} must be given once, but got: ${more.length + 1} of them.`);
    if (text !== undefined) parts[name] = name === 'variables' || name === 'extensions' ? parsed(name, text) : text;
  }
  return parts;
}

function partsOfBody({ headers, body }: HttpRequest): Parts {
  if (!(body instanceof Uint8Array) || body.length === 0)
    throw badRequest('The body must be a JSON object with a query, but it is empty.');
  checkBodyType(headers);
  const value = parsed('The body', decoded(body));
  if (!isObject(value)) throw badRequest(`The body must be a JSON object with a query, but got: ${kindOf(value)}.`);
  return value;
}

/** A byte order mark is left out. */
function decoded(body: Uint8Array): string {
  try {
    return UTF8.decode(body);
  } catch {
    throw badRequest('The body must be UTF-8.');
  }
}

function parsed(name: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw badRequest(`${name} must be JSON.`);
  }
}

function optionalText(name: string, value: unknown): string | undefined {
  if (value == null) return undefined;
  if (typeof value !== 'string') throw badRequest(`${name} must be a string, but got: ${kindOf(value)}.`);
  return value;
}

function optionalObject(name: string, value: unknown): JsonObject | undefined {
  if (value == null) return undefined;
  if (!isObject(value)) throw badRequest(`${name} must be a JSON object, but got: ${kindOf(value)}.`);
  return value;
}

/**
 * What is wrong with a value is told with all that it stands in: it must not be large before
 * anybody looks.
 */
function bounded(name: string, object: JsonObject, most: Bounds): JsonObject {
  const open: unknown[] = [object];
  let values = 0;
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    const parts = Object.values(value);
    values += parts.length;
    if (!Array.isArray(value) && parts.length > most.names)
      throw badRequest(`An object in ${name} may have ${most.names} names, but one has ${parts.length}.`);
    if (values > most.values)
      throw badRequest(
        `${name} may have ${most.values} values, those in lists and objects included, but they have more.`,
      );
    for (const part of parts) open.push(part);
  }
  return object;
}

function persistedQueryOf(extensions: JsonObject): PersistedQuery | undefined {
  const persisted = optionalObject('extensions.persistedQuery', extensions.persistedQuery);
  if (!persisted) return undefined;
  const { version, sha256Hash } = persisted;
  if (version !== 1)
    throw badRequest('Unsupported persisted query version: extensions.persistedQuery.version must be 1.');
  if (typeof sha256Hash !== 'string' || !/^[\da-f]{64}$/.test(sha256Hash))
    throw badRequest('extensions.persistedQuery.sha256Hash must be 64 hexadecimal digits in lower case.');
  return { version, sha256Hash };
}

function documentOf(
  text: string | undefined,
  persisted: PersistedQuery | undefined,
  persistedQueries: PersistedQueries,
): string {
  if (text === undefined && persisted) return persistedQueries.textOf(persisted);
  if (!text) throw badRequest('query must be a GraphQL document, but got: none.');
  if (persisted) persistedQueries.check(persisted, text);
  return text;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}
