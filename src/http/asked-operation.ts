import type { IncomingHttpHeaders } from 'node:http';
import { LRUCache } from 'lru-cache';
import type { CacheableOperation, CacheableOperations, GraphqlRequest } from '../cache/cacheable-operations.ts';
import type { BypassReason } from '../monitoring/cache-statistics.ts';

/** In characters of the requests as they came. Clients repeat few; one that falls out is read again. */
const MAX_REMEMBERED = 16 * 1024 * 1024;
const MAX_REMEMBERED_REQUEST = 64 * 1024;

/** What a request asks for. */
export type AskedOperation =
  | { readonly cacheable: CacheableOperation }
  /** Its answer never comes from the cache. */
  | { readonly cacheable: undefined; readonly bypass: BypassReason };

/** A request as it came. */
export interface AskingRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The bytes of a POST. */
  readonly body?: unknown;
  /** The search parameters of a GET. */
  readonly query?: unknown;
}

/** Apollo Server says what is wrong with it. */
const UNREADABLE: AskedOperation = { cacheable: undefined, bypass: 'unreadable' };

/**
 * Reads what requests ask for, and remembers it by their very bytes: a request that came before is neither parsed nor
 * hashed again.
 */
export class AskedOperations {
  readonly #remembered = new LRUCache<string, AskedOperation>({
    maxSize: MAX_REMEMBERED,
    sizeCalculation: (_, request) => request.length + 200,
  });

  constructor(private readonly operations: CacheableOperations) {}

  of(request: AskingRequest): AskedOperation {
    if (request.method === 'POST' && !request.headers['content-type']?.includes('json')) return UNREADABLE;
    const accept = request.headers.accept ?? '';
    const text =
      request.method === 'GET' ? request.url : ((request.body as Buffer | undefined)?.toString('latin1') ?? '');
    const key = `${request.method} ${accept}\n${text}`;
    return this.#remembered.get(key) ?? this.#read(request, accept, key);
  }

  #read(request: AskingRequest, accept: string, key: string): AskedOperation {
    const asked = request.method === 'GET' ? parseSearch(request.query) : parseBody(request.body);
    const operation = asked ? this.#describe(asked, accept) : UNREADABLE;
    // A persisted query whose text is not known yet may be known the next time.
    if (key.length <= MAX_REMEMBERED_REQUEST && (operation.cacheable || asked?.query !== undefined))
      this.#remembered.set(key, operation);
    return operation;
  }

  #describe(asked: GraphqlRequest, accept: string): AskedOperation {
    try {
      const described = this.operations.describe(asked, accept);
      return typeof described === 'string' ? { cacheable: undefined, bypass: described } : { cacheable: described };
    } catch (error) {
      if (error instanceof RangeError) return UNREADABLE; // variables nested too deep to be written again
      throw error;
    }
  }
}

function parseBody(body: unknown): GraphqlRequest | undefined {
  return parseObject(body instanceof Buffer ? body.toString() : undefined);
}

/** The request that a GET carries in its search parameters. */
function parseSearch(search: unknown): GraphqlRequest | undefined {
  const { query, operationName, ...json } = search as Record<string, string | undefined>;
  const [variables, extensions] = [json.variables, json.extensions].map((text) => (text ? parseObject(text) : {}));
  if (!variables || !extensions) return undefined;
  return { ...(query !== undefined && { query }), ...(operationName && { operationName }), variables, extensions };
}

/** @returns undefined for what is no JSON object: Apollo Server tells the client so */
function parseObject(json: string | undefined): object | undefined {
  try {
    const value: unknown = json === undefined ? undefined : JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
