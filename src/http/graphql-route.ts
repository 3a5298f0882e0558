import { type ApolloServer, HeaderMap } from '@apollo/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { CacheableOperations, GraphqlRequest } from '../cache/cacheable-operations.ts';
import type { Answer, LoadedAnswer } from '../cache/response-cache.ts';
import { callerKey } from '../context/caller.ts';
import { RequestContext } from '../context/request-context.ts';
import type { Services } from '../context/services.ts';
import type { TokenVerifier } from '../context/token-verifier.ts';
import { NAMELESS } from '../monitoring/monitor-events.ts';
import { RequestTiming, requestStorage, serverTiming } from '../monitoring/request-timing.ts';
import { createAuthentication } from './authenticate.ts';
import { parseSearch } from './graphql-search.ts';

/** Long enough for any operation that the limits let through. */
const MAX_BODY_BYTES = 1024 * 1024;

/** An answer from the cache is found in the time of a few fields. */
const COST_OF_A_HIT = 1;

/** Answers belong to their caller, and only the service knows whether they still hold. */
const CACHE_CONTROL = 'private, no-cache';

export interface GraphqlRoute {
  readonly apollo: ApolloServer<RequestContext>;
  readonly operations: CacheableOperations;
  readonly services: Services;
  readonly verifier: TokenVerifier;
}

/** POST and GET /graphql: the caller is found, then the response cache answers, or Apollo Server does. */
export function registerGraphqlRoute(app: FastifyInstance, route: GraphqlRoute): void {
  app.decorateRequest('caller', null);
  app.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    bodyLimit: MAX_BODY_BYTES,
    preHandler: createAuthentication(route.verifier),
    handler: (request, reply) => {
      const timing = new RequestTiming();
      return requestStorage.run(timing, () => answer(route, request, reply, timing));
    },
  });
}

async function answer(
  route: GraphqlRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  timing: RequestTiming,
): Promise<FastifyReply> {
  const { operations, services } = route;
  const scope = request.caller?.tenant?.scope;
  const asked = request.method === 'GET' ? parseSearch(request.query) : (request.body as GraphqlRequest | null);
  const operation = scope && asked && operations.describe(asked);
  const load = () => execute(route, request);
  if (!scope || !operation) return send(reply, { outcome: 'bypass', loaded: await load() }, timing);

  const found = await services.cache.answer(
    scope,
    {
      schemaHash: services.schemaHash,
      operation: `${request.headers.accept ?? ''}\n${operation.identity}`,
      ...(operation.isPerViewer && request.caller && { viewer: JSON.stringify(request.caller) }),
    },
    load,
  );
  if (found.outcome === 'hit') recordHit(services, request, operation.name, timing);
  return send(reply, found, timing);
}

/** Apollo Server's answer, and what was learned about it on the way. */
async function execute({ apollo, services }: GraphqlRoute, request: FastifyRequest): Promise<LoadedAnswer> {
  const context = new RequestContext(request.caller, services);
  const { status, headers, body } = await apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method: request.method,
      headers: headerMap(request.headers),
      search: new URL(request.url, 'http://localhost').search,
      body: request.body ?? {},
    },
    context: async () => context,
  });
  if (body.kind !== 'complete') throw new Error('the schema has no incremental delivery');
  return {
    status: status ?? 200,
    headers: Object.fromEntries(headers),
    body: Buffer.from(body.string),
    operationName: requestStorage.getStore()?.operation ?? null,
    ...(context.policy.isComplete && { policy: context.policy }),
  };
}

function send(reply: FastifyReply, found: Answer, timing: RequestTiming): FastifyReply {
  timing.cache = found.outcome;
  reply.headers({
    'cache-control': CACHE_CONTROL,
    'cache-status': found.outcome === 'hit' ? 'tenantry; hit' : `tenantry; fwd=${found.outcome}`,
    vary: 'accept, authorization',
  });
  if (found.outcome === 'hit') {
    const { entry } = found;
    return reply.headers({ 'content-type': entry.contentType, 'server-timing': serverTiming(timing) }).send(entry.body);
  }
  return reply
    .code(found.loaded.status)
    .headers({ ...found.loaded.headers, 'server-timing': serverTiming(timing) })
    .send(found.loaded.body);
}

/** What Apollo Server's plugins do for a miss. */
function recordHit(
  { monitor, rateLimiter }: Services,
  { caller }: FastifyRequest,
  name: string | null,
  timing: RequestTiming,
): void {
  if (caller) rateLimiter.spend(callerKey(caller), COST_OF_A_HIT);
  monitor.recordOperation(
    {
      name: name ?? NAMELESS.anonymous,
      tenantId: caller?.tenant?.scope.tenantId ?? null,
      durationMs: timing.elapsedMs(),
      errors: 0,
      cacheHit: true,
    },
    timing,
  );
}

function headerMap(headers: FastifyRequest['headers']): HeaderMap {
  const map = new HeaderMap();
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) map.set(name, Array.isArray(value) ? value.join(', ') : value);
  return map;
}
