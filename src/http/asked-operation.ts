import { type DocumentNode, GraphQLError, type OperationDefinitionNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { CacheableOperation, CacheableOperations } from '../cache/response/cacheable-operations.ts';
import type { Documents } from '../graphql/documents.ts';
import type { GraphqlRequest } from '../graphql/graphql-request.ts';
import { piecesPoints, readingPoints } from '../graphql/prices.ts';
import type { BypassReason } from '../monitoring/cache-statistics.ts';
import { PersistedQueries } from './persisted-queries.ts';
import { type HttpRequest, readGraphqlRequest } from './read-graphql-request.ts';

/**
 * In characters of the requests as they came. Clients repeat few; one that falls out is read again.
 */
const MAX_REMEMBERED = 16 * 1024 * 1024;
const MAX_REMEMBERED_REQUEST = 64 * 1024;
const MAX_REMEMBERED_HEADERS = 1_024;

/** An operation whose answer may be in the cache. */
interface KnownOperation {
  readonly cacheable: CacheableOperation;
  /** Reads the request, for an answer that has to be computed. */
  readonly read: () => GraphqlRequest;
  readonly refusal?: undefined;
  readonly isUnread?: undefined;
}

/** What a request asks for, or why it is refused. */
export type AskedOperation =
  | KnownOperation
  | {
      readonly cacheable?: undefined;
      readonly read: () => GraphqlRequest;
      /** Why its answer never comes from the cache. */
      readonly bypass: BypassReason;
      readonly refusal?: undefined;
      readonly isUnread?: undefined;
    }
  | {
      readonly cacheable?: undefined;
      readonly refusal: GraphQLError;
      /** Whether it was refused before anything of it was looked at. */
      readonly isUnread?: true;
    };

/** A subscription as it was asked for; not validated yet. */
export interface AskedSubscription {
  readonly asked: GraphqlRequest;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** Of the request as it came. */
  readonly bytes: number;
}

/** What is remembered of a request whose answer may be in the cache. */
interface Remembered {
  readonly cacheable: CacheableOperation;
  readonly persistedHash?: string | undefined;
}

/**
 * Reads what requests ask for, and remembers of those that the cache may answer what their entries
 * are found by, by all of them that is read: a request that came before is neither parsed nor
 * hashed again.
 */
export class AskedOperations {
  readonly #persistedQueries = new PersistedQueries();
  readonly #remembered = new LRUCache<string, Remembered>({
    maxSize: MAX_REMEMBERED,
    sizeCalculation: (_, text) => text.length + 400,
  });

  /** @param remembers whether there is a cache to find answers in */
  constructor(
    private readonly documents: Documents,
    private readonly operations: CacheableOperations,
    private readonly remembers: boolean,
  ) {}

  /** What came before and need not be read. */
  known(request: HttpRequest): Pick<KnownOperation, 'cacheable'> | undefined {
    const text = this.remembers ? textOf(request) : undefined;
    return text === undefined ? undefined : this.#knownBy(text);
  }

  /**
   * @param hasCaller whether a token was verified: strangers leave nothing behind
   * @param payReading takes the points of reading, ahead of it, and not of what is known. @returns
   *   why it must not be read, if so
   */
  of(
    request: HttpRequest,
    hasCaller: boolean,
    payReading: (points: number) => GraphQLError | undefined,
  ): AskedOperation {
    const ofPieces = piecesPoints(request.smallPieces ?? 0);
    const cannotPay = ofPieces > 0 && payReading(ofPieces);
    if (cannotPay) return { refusal: cannotPay, isUnread: true };
    const text = hasCaller && this.remembers ? textOf(request) : undefined;
    const known = text === undefined ? undefined : this.#knownBy(text);
    const pay = () => payReading(readingPoints(bytesOf(request)));
    if (known) {
      const read = () => {
        pay(); // that of an operation is taken by then: this one is answered
        return this.#requestOf(request, true);
      };
      return { cacheable: known.cacheable, read };
    }
    const refusal = pay();
    if (refusal) return { refusal, isUnread: true };
    const asked = this.#read(request, hasCaller);
    if (text !== undefined && asked.cacheable)
      this.#remembered.set(text, { cacheable: asked.cacheable, persistedHash: asked.read().persistedHash });
    return asked;
  }

  /**
   * What a request asks for that takes events as its answer. @returns undefined when it is no
   * subscription. @throws why it cannot be read
   */
  subscription(request: HttpRequest): AskedSubscription | undefined {
    const { accept: _, ...headers } = request.headers;
    const { method, url, body } = request; // Fastify's own are getters
    const asked = this.#requestOf({ method, url, headers, body }, true);
    const { document, operation } = this.documents.read(asked, true) ?? {};
    if (!document || operation?.operation !== 'subscription') return undefined;
    return { asked, document, operation, bytes: bytesOf(request) };
  }

  #knownBy(text: string): Remembered | undefined {
    const known = this.#remembered.get(text);
    // What is named by a hash is known for as long as the hash is.
    const isKnown = known?.persistedHash === undefined || this.#persistedQueries.knows(known.persistedHash);
    return isKnown ? known : undefined;
  }

  #read(httpRequest: HttpRequest, hasCaller: boolean): AskedOperation {
    try {
      const request = this.#requestOf(httpRequest, hasCaller);
      const described = this.operations.describe(request, this.documents.read(request, hasCaller));
      const read = () => request;
      return typeof described === 'string' ? { read, bypass: described } : { read, cacheable: described };
    } catch (error) {
      if (error instanceof GraphQLError) return { refusal: error };
      throw error;
    }
  }

  #requestOf(request: HttpRequest, hasCaller: boolean): GraphqlRequest {
    return readGraphqlRequest(request, this.#persistedQueries, hasCaller);
  }
}

/**
 * Everything that `readGraphqlRequest` looks at; undefined for long requests, which do not come
 * again. A header has no line break, and latin1 keeps each byte.
 */
function textOf({ method, url, headers, body }: HttpRequest): string | undefined {
  if (body instanceof Buffer && body.length > MAX_REMEMBERED_REQUEST) return undefined;
  const { accept, 'content-type': type, 'content-encoding': encoding } = headers;
  const read = `${given(accept)}\n${given(type)}\n${given(encoding)}\n`;
  if (read.length > MAX_REMEMBERED_HEADERS) return undefined;
  const bytes = body instanceof Buffer ? body.toString('latin1') : '';
  return `${method} ${url}\n${read}${bytes}`;
}

/** Of what is decoded, headers included. */
function bytesOf({ url, headers, body }: HttpRequest): number {
  const { accept = '', 'content-type': type = '', 'content-encoding': encoding = '' } = headers;
  const bytes = body instanceof Uint8Array ? body.length : 0;
  return url.length + accept.length + type.length + encoding.length + bytes;
}

/** A header that is empty is another request than one without it. */
function given(header: string | undefined): string {
  return header === undefined ? '' : `=${header}`;
}
