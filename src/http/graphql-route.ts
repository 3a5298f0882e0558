import { performance } from 'node:perf_hooks';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../auth/caller.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { Refusal } from '../budget/budget.ts';
import type { CacheableOperations } from '../cache/response/cacheable-operations.ts';
import type { Services } from '../context/services.ts';
import { badRequest, unauthenticated } from '../errors.ts';
import type { Documents } from '../graphql/documents.ts';
import { OPERATION_POINTS, piecesPoints } from '../graphql/prices.ts';
import { RequestTrace } from '../telemetry/request-trace.ts';
import { isTracing, withoutSpans } from '../telemetry/tracing.ts';
import { AskedOperations, type AskedSubscription } from './asked-operation.ts';
import { authenticate, MAX_STRANGERS_BYTES } from './authenticate.ts';
import { boundedBody, hasUnknownLength, MAX_BODY_BYTES, unread } from './bounded-body.ts';
import type { CorsHeaders } from './cors.ts';
import { Exchange, type ExchangeServices } from './exchange.ts';
import { answerFast } from './hits.ts';
import { type FastPath, sayContinue } from './listener.ts';
import { tooLarge } from './refusals.ts';

/** Of bodies whose length is not known ahead. */
const OF_CALLERS = { bytes: MAX_BODY_BYTES, tooLong: () => tooLarge() };
const OF_STRANGERS = { bytes: MAX_STRANGERS_BYTES, tooLong: () => unauthenticated() };

declare module 'fastify' {
  interface FastifyRequest {
    /** Of a request to /graphql, as soon as its headers have come; null for a stranger's. */
    caller: Caller | null;
    /** Why its body was not read: no points are left to pay for anything. */
    refusal: Refusal | undefined;
    /** In how many small pieces its body came, where its length was not known ahead. */
    smallPieces: number;
    /** Null when it is not recorded. */
    trace: RequestTrace | null;
  }
}

/** Answers subscriptions by server-sent events. */
export interface EventStreams {
  /** @throws why it is refused */
  answer(request: FastifyRequest, reply: FastifyReply, asked: AskedSubscription): FastifyReply;
}

export interface GraphqlRoute extends ExchangeServices {
  /** Whether a stranger may read the schema; else nothing is read of a request without a token. */
  readonly allowsIntrospection: boolean;
  readonly documents: Documents;
  readonly operations: CacheableOperations;
  readonly verifier: TokenVerifier;
  readonly fastPath: FastPath;
  readonly eventStreams: EventStreams;
  /** For answers that are sent past Fastify and its plugin. */
  readonly corsHeaders: CorsHeaders;
}

/**
 * POST and GET /graphql: the caller is found by the headers, then the body is read, then the
 * response cache answers, or Apollo Server does.
 * @returns what reads the requests, for other ways to ask
 */
export function registerGraphqlRoute(app: FastifyInstance, route: GraphqlRoute): AskedOperations {
  const asked = new AskedOperations(route.documents, route.operations, route.services.config.cache.enabled);
  route.fastPath.answerBy((request, response) => answerFast(route, asked, request, response));
  // In a scope of its own: here a body stays the bytes that it came as, and is parsed only for what
  // the cache cannot answer.
  app.register(async (scope) => {
    scope.decorateRequest('caller', null);
    scope.decorateRequest('refusal', undefined);
    scope.decorateRequest('smallPieces', 0);
    scope.decorateRequest('trace', null);
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.route({
      method: ['GET', 'POST'],
      url: '/graphql',
      bodyLimit: MAX_BODY_BYTES,
      onRequest: (request, reply, done) => {
        const startedAtMs = performance.now();
        const known = (caller: Caller | null) => {
          request.caller = caller;
          // A stranger could have any number of requests traced, by a header.
          if (caller && isTracing()) request.trace = traced(request, reply, startedAtMs);
          done();
        };
        const authentication = authenticate(route, request.headers, request.id);
        if (authentication instanceof Promise) authentication.then(known, done);
        else known(authentication);
      },
      preParsing: (request, reply, payload, done) => {
        const { caller, headers } = request;
        request.refusal = route.services.budget.spentOf(caller);
        if (request.refusal) return done(null, unread(request.raw));
        if (request.method !== 'POST') return done(null, payload); // nobody reads it
        if (!(Number(headers['content-length']) > MAX_BODY_BYTES)) sayContinue(reply.raw);
        if (!hasUnknownLength(request)) return done(null, payload);
        const bounds = caller ? OF_CALLERS : OF_STRANGERS;
        const counted = (pieces: number, isRefused: boolean) => {
          request.smallPieces = pieces;
          if (isRefused) payRefused(route.services, caller, OPERATION_POINTS + piecesPoints(pieces));
        };
        done(null, boundedBody(request.raw, payload, bounds, counted));
      },
      handler: (request, reply) => {
        const events = takesEvents(request) ? asked.subscription(request) : undefined;
        if (events) return route.eventStreams.answer(request, reply, events);
        const answer = () => new Exchange(route, asked, request, reply, request.caller, performance.now()).answer();
        // The spans of all that it does are its own: instrumentations would make each a second time.
        return isTracing() ? withoutSpans(answer) : answer();
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
  return asked;
}

/** Not when it is refused in any case. */
function takesEvents({ caller, refusal, headers }: FastifyRequest): boolean {
  return caller !== null && !refusal && (headers.accept?.includes('text/event-stream') ?? false);
}

/** Begins the spans of a request, which end with its answer. */
function traced({ method, headers }: FastifyRequest, { raw }: FastifyReply, startedAtMs: number): RequestTrace | null {
  const trace = RequestTrace.begin({ method, headers }, startedAtMs);
  if (trace) raw.once('close', () => trace.end(raw.statusCode));
  return trace;
}

/** For a request that no exchange is made of. */
function payRefused({ budget, monitor }: Services, caller: Caller | null, points: number): void {
  if (!budget.charge(caller, points) && caller?.tenant) monitor.usage.charged(caller.tenant.scope.tenantId, points);
}
