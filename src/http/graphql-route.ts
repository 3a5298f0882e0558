import { performance } from 'node:perf_hooks';
import type { FastifyInstance } from 'fastify';
import type { Caller } from '../auth/caller.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { CacheableOperations } from '../cache/response/cacheable-operations.ts';
import { badRequest } from '../errors.ts';
import type { Documents } from '../graphql/documents.ts';
import { AskedOperations } from './asked-operation.ts';
import { authenticate } from './authenticate.ts';
import type { CorsHeaders } from './cors.ts';
import { Exchange, type ExchangeServices } from './exchange.ts';
import { answerFast } from './hits.ts';
import type { FastPath } from './listener.ts';
import { MAX_BODY_BYTES } from './refusals.ts';

export interface GraphqlRoute extends ExchangeServices {
  /** Whether a stranger may read the schema; else nothing is read of a request without a token. */
  readonly allowsIntrospection: boolean;
  readonly documents: Documents;
  readonly operations: CacheableOperations;
  readonly verifier: TokenVerifier;
  readonly fastPath: FastPath;
  /** For answers that are sent past Fastify and its plugin. */
  readonly corsHeaders: CorsHeaders;
}

/**
 * POST and GET /graphql: the caller is found, then the response cache answers, or Apollo Server
 * does.
 */
export function registerGraphqlRoute(app: FastifyInstance, route: GraphqlRoute): void {
  const asked = new AskedOperations(route.documents, route.operations, route.services.config.cache.enabled);
  route.fastPath.answerBy((request, response) => answerFast(route, asked, request, response));
  // In a scope of its own: here a body stays the bytes that it came as, and is parsed only for what
  // the cache cannot answer.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.route({
      method: ['GET', 'POST'],
      url: '/graphql',
      bodyLimit: MAX_BODY_BYTES,
      handler: (request, reply) => {
        const startedAtMs = performance.now();
        const authentication = authenticate(route, request, reply);
        const answerTo = (caller: Caller | null | 'refused') =>
          caller === 'refused' ? reply : new Exchange(route, asked, request, reply, caller, startedAtMs).answer();
        return authentication instanceof Promise ? authentication.then(answerTo) : answerTo(authentication);
      },
    });
    scope.route({
      method: ['DELETE', 'PATCH', 'PUT'],
      url: '/graphql',
      onRequest: () => {
        throw badRequest('GraphQL is asked with GET or POST.', 405, ['allow', 'GET, POST']);
      },
      handler: (_request, reply) => reply,
    });
  });
}
