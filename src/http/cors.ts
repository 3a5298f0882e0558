import type { FastifyCorsOptions } from '@fastify/cors';

/** What pages may read of an answer, beside its body. */
const EXPOSED_HEADERS = ['cache-status', 'etag', 'retry-after', 'server-timing', 'x-request-id'];

const PREFLIGHT_SECONDS = 86_400;

/**
 * Whose pages may ask. The caller is told by the Authorization header and never by a cookie, so
 * that no credentials are allowed along.
 */
export function corsOptions(origins: readonly string[]): FastifyCorsOptions {
  return {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'POST'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
  };
}

/** Headers of an answer to a page of an origin, as names and values in turn. */
export type CorsHeaders = (origin: string | undefined) => readonly string[];

/**
 * The headers that the plugin gives an answer with `corsOptions`, for answers that it does not see.
 */
export function corsHeaders(origins: readonly string[]): CorsHeaders {
  if (origins.length === 0) return () => [];
  const exposed = ['access-control-expose-headers', EXPOSED_HEADERS.join(', ')];
  const allowing = (origin: string) => ['access-control-allow-origin', origin, ...exposed];
  if (origins.includes('*')) {
    const toAll = allowing('*');
    return () => toAll;
  }
  const vary = ['vary', 'Origin'];
  const toOthers = [...vary, ...exposed];
  const toAllowed = new Map(origins.map((origin) => [origin, [...vary, ...allowing(origin)]]));
  return (origin) => toAllowed.get(origin ?? '') ?? toOthers;
}
