import { GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { CacheableOperation, CacheableOperations } from '../cache/cacheable-operations.ts';
import type { GraphqlRequest } from '../graphql/graphql-request.ts';
import type { BypassReason } from '../monitoring/cache-statistics.ts';
import { PersistedQueries } from './persisted-queries.ts';
import { type HttpRequest, readGraphqlRequest } from './read-graphql-request.ts';

/** In characters of the requests as they came. Clients repeat few; one that falls out is read again. */
const MAX_REMEMBERED = 16 * 1024 * 1024;
const MAX_REMEMBERED_REQUEST = 64 * 1024;

/** What a request asks for, or why it is refused. */
export type AskedOperation = ReadOperation | { readonly refusal: GraphQLError; readonly cacheable?: undefined };

type ReadOperation = { readonly request: GraphqlRequest; readonly refusal?: undefined } & (
  | { readonly cacheable: CacheableOperation }
  /** Its answer never comes from the cache. */
  | { readonly cacheable?: undefined; readonly bypass: BypassReason }
);

/**
 * Reads what requests ask for, and remembers it by all of them that is read: a request that came before is neither
 * parsed nor hashed again.
 */
export class AskedOperations {
  readonly #persistedQueries = new PersistedQueries();
  readonly #remembered = new LRUCache<string, ReadOperation>({
    maxSize: MAX_REMEMBERED,
    sizeCalculation: (_, text) => text.length + 200,
  });

  constructor(private readonly operations: CacheableOperations) {}

  /** @param hasCaller whether a token was verified: strangers leave nothing behind */
  of(request: HttpRequest, hasCaller: boolean): AskedOperation {
    const text = textOf(request);
    const known = this.#remembered.get(text);
    const hash = known?.request.persistedHash;
    // What is named by a hash is known for as long as the hash is.
    if (known && (hash === undefined || this.#persistedQueries.knows(hash))) return known;
    const read = this.#read(request, hasCaller);
    if (hasCaller && !read.refusal && text.length <= MAX_REMEMBERED_REQUEST) this.#remembered.set(text, read);
    return read;
  }

  #read(httpRequest: HttpRequest, hasCaller: boolean): AskedOperation {
    try {
      const request = readGraphqlRequest(httpRequest, this.#persistedQueries, hasCaller);
      const described = this.#describe(request);
      return typeof described === 'string' ? { request, bypass: described } : { request, cacheable: described };
    } catch (error) {
      if (error instanceof GraphQLError) return { refusal: error };
      throw error;
    }
  }

  #describe(request: GraphqlRequest): CacheableOperation | BypassReason {
    try {
      return this.operations.describe(request);
    } catch (error) {
      if (error instanceof RangeError) return 'unreadable'; // nested too deep, which validation refuses
      throw error;
    }
  }
}

/** Everything that `readGraphqlRequest` looks at. A header has no line break, and latin1 keeps each byte. */
function textOf({ method, url, headers, body }: HttpRequest): string {
  const { accept = '', 'content-type': type = '', 'content-encoding': encoding = '' } = headers;
  const bytes = body instanceof Buffer ? body.toString('latin1') : '';
  return `${method} ${url}\n${accept}\n${type}\n${encoding}\n${bytes}`;
}
