/** The media types of answers, best first (GraphQL over HTTP). */
export const MEDIA_TYPES = ['application/json', 'application/graphql-response+json'] as const;
export type MediaType = (typeof MEDIA_TYPES)[number];

/**
 * What an HTTP request asks for. It is read once; the cache's key, the limits and the execution use
 * this value and nothing else of the request.
 */
export interface GraphqlRequest {
  /** The document: never empty. A persisted query's text is in its place already. */
  readonly query: string;
  /** Null where the client names none. */
  readonly operationName: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
  /** The media type of the answer that the client prefers. */
  readonly mediaType: MediaType;
  /** Whether only queries may be executed: what came by GET must not change anything. */
  readonly isReadOnly: boolean;
  /** The hash that the client names the document by; absent where it sends the text alone. */
  readonly persistedHash?: string;
}
