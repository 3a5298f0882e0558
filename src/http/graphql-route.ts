import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { performance } from 'node:perf_hooks';
import { type ApolloServer, HeaderMap } from '@apollo/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLError } from 'graphql';
import type { Caller } from '../auth/caller.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { Refusal } from '../budget/budget.ts';
import { spent } from '../budget/spent.ts';
import { RequestVersions } from '../cache/data/request-versions.ts';
import type { Answer, LoadedAnswer } from '../cache/response/answer.ts';
import type { CacheableOperations } from '../cache/response/cacheable-operations.ts';
import type { Versions } from '../cache/versions/versions.ts';
import { RequestContext } from '../context/request-context.ts';
import type { Services } from '../context/services.ts';
import { badRequest, ErrorCode } from '../errors.ts';
import { HIT_POINTS, OPERATION_POINTS } from '../graphql/complexity.ts';
import type { Documents } from '../graphql/documents.ts';
import type { GraphqlRequest, MediaType } from '../graphql/graphql-request.ts';
import { NAMELESS } from '../monitoring/monitor-events.ts';
import { RequestTiming, serverTiming } from '../monitoring/request-timing.ts';
import { TurnRefused } from '../tenancy/fair-queue.ts';
import { knownFailure } from '../tenancy/known-failure.ts';
import { RequestAbandoned } from '../tenancy/running-statements.ts';
import { type AskedOperation, AskedOperations } from './asked-operation.ts';
import { authenticate } from './authenticate.ts';
import { asksForReport, withReport } from './cache-report.ts';
import type { CorsHeaders } from './cors.ts';
import { answerFast, entryKey, recordHit } from './hits.ts';
import type { FastPath } from './listener.ts';
import { refusedAnswer } from './refused-answer.ts';
import { sendAnswer, sendReport } from './send-answer.ts';

/** Long enough for any operation that the limits let through. */
const MAX_BODY_BYTES = 1024 * 1024;

/** For the records: nobody is there to be told. As nginx has it. */
const CLIENT_LEFT = 499;

const REQUEST_ID = /^[\w.:/+=-]{1,100}$/;

const NOT_ALLOWED = {
  errors: [{ message: 'GraphQL is asked with GET or POST.', extensions: { code: ErrorCode.BadRequest } }],
};

export interface GraphqlRoute {
  readonly apollo: ApolloServer<RequestContext>;
  readonly documents: Documents;
  readonly operations: CacheableOperations;
  /** Whether a stranger may read the schema; else nothing is read of a request without a token. */
  readonly allowsIntrospection: boolean;
  readonly services: Services;
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
          caller === 'refused' ? reply : answer(route, asked, request, reply, caller, startedAtMs);
        return authentication instanceof Promise ? authentication.then(answerTo) : answerTo(authentication);
      },
    });
    scope.route({
      method: ['DELETE', 'PATCH', 'PUT'],
      url: '/graphql',
      handler: (_request, reply) => reply.code(405).header('allow', 'GET, POST').send(NOT_ALLOWED),
    });
  });
}

/**
 * Without a promise for an answer that lies in the process: each would cost as much as the search
 * for it.
 */
function answer(
  route: GraphqlRoute,
  asked: AskedOperations,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller | null,
  startedAtMs: number,
): FastifyReply | Promise<FastifyReply> {
  const timing = new RequestTiming(startedAtMs);
  const operation = asked.of(request, caller !== null);
  let isLoaded = false;
  let isJoined = false;
  const load = (versions?: Versions | null) => {
    isLoaded = true;
    const { services } = route;
    const leaving = new AbortController();
    const leave = () => {
      if (isJoined || reply.raw.writableFinished) return;
      leaving.abort();
      if (timing.isQuery) services.database.abandon(timing);
    };
    if (reply.raw.destroyed) leave();
    else reply.raw.once('close', leave);
    if (operation.refusal) return refuse(services, caller, operation.refusal, timing);
    const work = () => {
      const asked = operation.read();
      const id = requestId(request.headers['x-request-id']);
      const context = new RequestContext(caller, services, timing, new RequestVersions(versions), asked.isReadOnly, id);
      return execute(route, request.headers, asked, context);
    };
    return services.database
      .admit(caller?.tenant?.scope.tenantId ?? '', work, leaving.signal)
      .catch((error) =>
        refuse(services, caller, notAdmitted(error), timing, operation.cacheable?.name ?? NAMELESS.anonymous),
      );
  };
  /**
   * Whatever comes of it: also what is refused was read, and perhaps validated. A stranger's
   * introspection is free.
   */
  const loadPaid = async (versions?: Versions | null) => {
    const asked = caller ? route.services.budget.spend(caller, OPERATION_POINTS) : undefined;
    const refusal = asked instanceof Promise ? await asked : asked;
    if (!refusal) return load(versions);
    isLoaded = true;
    return refuseSpent(refusal);
  };
  const whenJoined = () => {
    isJoined = true;
  };
  const refuseSpent = (refusal: Refusal) => {
    const loaded = refusedAnswer(spent(refusal));
    const name = operation.cacheable?.name ?? NAMELESS.anonymous;
    const tenantId = caller?.tenant?.scope.tenantId ?? null;
    const durationMs = timing.elapsedMs();
    route.services.monitor.recordOperation({ name, tenantId, durationMs, errors: 1, cacheHit: false }, timing);
    return loaded;
  };
  const send = (found: Answer) => {
    // Found, or loaded for another request that asked the same: Apollo Server knows nothing of it.
    const isGiven = !isLoaded && caller !== null;
    const refusal = isGiven ? route.services.budget.charge(caller, HIT_POINTS) : undefined;
    const sent = refusal ? unasked(refuseSpent(refusal)) : alikeWhenSpent(found);
    timing.cache = sent.outcome;
    if ('loaded' in sent && sent.loaded.errorCode !== undefined)
      route.services.monitor.recordError(sent.loaded.status, sent.loaded.errorCode, caller?.tenant?.scope.tenantId);
    if (isGiven && !refusal) recordHit(route.services, caller, operation, timing, sent);
    if (!asksForReport(request.headers, caller)) return sendAnswer(request, reply, sent, serverTiming(timing));
    return sendReport(request, reply, sent, withReport(sent, keyOf(caller, operation)), serverTiming(timing));
  };
  const found = find(route.services, caller, operation, loadPaid, whenJoined);
  return found instanceof Promise ? found.then(send) : send(found);
}

/** A spent budget is refused alike, whether an answer lies ready or would have to be computed. */
function alikeWhenSpent(found: Answer): Answer {
  const isSpent = found.outcome === 'miss' && 'loaded' in found && found.loaded.errorCode === ErrorCode.RateLimited;
  return isSpent ? unasked(found.loaded) : found;
}

/** Neither what the cache has nor what it lacks is told to who may not have it. */
function unasked(loaded: LoadedAnswer): Answer {
  return { outcome: 'bypass', reason: 'momentary', loaded };
}

function find(
  { cache }: Services,
  caller: Caller | null,
  operation: AskedOperation,
  load: (versions?: Versions | null) => Promise<LoadedAnswer>,
  whenJoined: () => void,
): Answer | Promise<Answer> {
  if (operation.refusal) return cache.bypass('unreadable', load);
  if (!caller?.tenant) return cache.bypass('no-tenant', load);
  if (!operation.cacheable) return cache.bypass(operation.bypass, load);
  return cache.answer(caller.tenant.scope, entryKey(caller, caller.tenant, operation.cacheable), load, whenJoined);
}

/** Undefined when the answer has no place in the cache. */
function keyOf(caller: Caller | null, { cacheable }: AskedOperation): string | undefined {
  return caller?.tenant && cacheable ? entryKey(caller, caller.tenant, cacheable) : undefined;
}

/** @throws what is no reason to keep a request from its turn */
function notAdmitted(error: unknown): GraphQLError {
  // Who joined meanwhile loads for itself, as after each error that need not be its own.
  if (error instanceof RequestAbandoned) return badRequest('The client left before its turn.', CLIENT_LEFT);
  const busy = error instanceof TurnRefused && knownFailure(error);
  if (!busy) throw error;
  return busy;
}

/** A request that Apollo Server never sees counts as an operation all the same. */
async function refuse(
  { monitor }: Services,
  caller: Caller | null,
  refusal: GraphQLError,
  timing: RequestTiming,
  name: string = caller ? NAMELESS.invalid : NAMELESS.noCaller,
): Promise<LoadedAnswer> {
  const tenantId = caller?.tenant?.scope.tenantId ?? null;
  const points = caller ? OPERATION_POINTS : 0; // taken for whatever is read
  const durationMs = timing.elapsedMs();
  monitor.recordOperation({ name, tenantId, durationMs, errors: 1, cacheHit: false, points }, timing);
  return refusedAnswer(refusal);
}

/** Apollo Server's answer, and what was learned about it on the way. */
async function execute(
  { apollo }: GraphqlRoute,
  headers: IncomingHttpHeaders,
  { query, operationName, variables, mediaType }: GraphqlRequest,
  context: RequestContext,
): Promise<LoadedAnswer> {
  const {
    status,
    headers: answered,
    body,
  } = await apollo.executeHTTPGraphQLRequest({
    // What was read, in the one form that Apollo Server takes without reading it again.
    httpGraphQLRequest: {
      method: 'POST',
      headers: headerMap(headers, mediaType),
      search: '',
      body: { query, operationName, variables },
    },
    context: async () => context,
  });
  if (body.kind !== 'complete') throw new Error('the schema has no incremental delivery');
  return {
    status: status ?? 200,
    headers: withRequestId(Object.fromEntries(answered), context),
    body: Buffer.from(body.string),
    operationName: context.timing.operation,
    errorCode: context.policy.errorCode,
    ...(context.policy.isComplete && { policy: context.policy }),
  };
}

/**
 * With the one media type that was chosen. Apollo Server sends JSON in any case, and parses each
 * `Accept` twice: 3 % of a miss.
 */
function headerMap(headers: IncomingHttpHeaders, mediaType: MediaType): HeaderMap {
  const map = new HeaderMap();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name === 'accept') continue;
    map.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  if (mediaType !== 'application/json') map.set('accept', `${mediaType}; charset=utf-8`);
  return map;
}

/** The client's own, where it is one that a record can hold, else a new one. */
function requestId(given: unknown): string {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/**
 * Of a mutation, so that its line in the audit log is found again. Of others nothing that an entry
 * of the cache would keep.
 */
function withRequestId(headers: Record<string, string>, { timing, requestId }: RequestContext): Record<string, string> {
  return timing.request?.operation?.operation === 'mutation' ? { ...headers, 'x-request-id': requestId } : headers;
}
