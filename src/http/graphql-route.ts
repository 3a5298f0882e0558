import type { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance } from 'fastify';
import { RequestContext } from '../context/request-context.ts';
import type { Services } from '../context/services.ts';
import type { TokenVerifier } from '../context/token-verifier.ts';
import { RequestTiming, requestStorage } from '../monitoring/request-timing.ts';
import { createAuthentication } from './authenticate.ts';

/** Long enough for any operation that the limits let through. */
const MAX_BODY_BYTES = 1024 * 1024;

export interface GraphqlRoute {
  readonly apollo: ApolloServer<RequestContext>;
  readonly services: Services;
  readonly verifier: TokenVerifier;
}

/** POST and GET /graphql: the caller is found, then Apollo answers. */
export function registerGraphqlRoute(app: FastifyInstance, { apollo, services, verifier }: GraphqlRoute): void {
  const answer = fastifyApolloHandler(apollo, {
    context: async (request) => new RequestContext(request.caller, services),
  });
  app.decorateRequest('caller', null);
  app.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    bodyLimit: MAX_BODY_BYTES,
    preHandler: createAuthentication(verifier),
    handler: (request, reply) =>
      requestStorage.run(new RequestTiming(), () =>
        (answer as (...args: unknown[]) => unknown).call(app, request, reply),
      ),
  });
}
