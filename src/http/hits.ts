import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { bearerToken } from '../auth/bearer-token.ts';
import type { Caller, CallerTenant } from '../auth/caller.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import { type Answer, describeAnswer, type Hit } from '../cache/response/answer.ts';
import type { CacheableOperation } from '../cache/response/cacheable-operations.ts';
import type { ResponseEntry } from '../cache/store/entry.ts';
import { responseKey } from '../cache/versions/cache-key.ts';
import type { Services } from '../context/services.ts';
import { hitPoints } from '../graphql/prices.ts';
import { NAMELESS } from '../monitoring/monitor-events.ts';
import { RequestTiming } from '../monitoring/request-timing.ts';
import { RequestTrace } from '../telemetry/request-trace.ts';
import { isTracing } from '../telemetry/tracing.ts';
import type { AccessLog } from './access-log.ts';
import type { AskedOperations } from './asked-operation.ts';
import { asksForReport } from './cache-report.ts';
import type { ConsistencyMeter, SentHit } from './consistency-meter.ts';
import type { CorsHeaders } from './cors.ts';
import type { HttpRequest } from './read-graphql-request.ts';
import { requestIdOf } from './request-id.ts';
import { sendHit } from './send-answer.ts';

/** What answering past Fastify takes. */
interface FastServices {
  readonly accessLog: AccessLog;
  readonly services: Services;
  readonly verifier: TokenVerifier;
  readonly corsHeaders: CorsHeaders;
  readonly meter: ConsistencyMeter;
}

/** The key of the entry that answers the caller. */
export function entryKey(
  { subject, name, role }: Caller,
  { scope }: CallerTenant,
  operation: CacheableOperation,
): string {
  const viewer = operation.isPerViewer ? JSON.stringify([subject, name, role]) : undefined;
  return responseKey(scope, operation.hash, viewer);
}

/**
 * What Apollo Server's plugins do for a miss, when its points are taken.
 * @param points all that were taken
 */
export function recordHit(
  { monitor }: Services,
  caller: Caller,
  { cacheable }: { readonly cacheable?: CacheableOperation | undefined },
  timing: RequestTiming,
  found: Answer,
  points: number,
): void {
  const isError = 'loaded' in found; // another request's, which would have been its own
  const cacheHit = found.outcome === 'hit'; // else it waited for the load of another request
  if (found.outcome === 'hit') monitor.recordCache({ namespace: found.entry.namespace, kind: 'hit', tier: found.tier });
  const name = cacheable?.name ?? NAMELESS.anonymous;
  const tenantId = caller.tenant?.scope.tenantId ?? null;
  monitor.recordOperation(
    { name, tenantId, durationMs: timing.elapsedMs(), errors: isError ? 1 : 0, cacheHit, points },
    timing,
  );
}

/** All at once, when it is known to be one: what else came this way has its spans from Fastify's. */
function traceHit(request: HttpRequest, response: ServerResponse, hit: Hit, timing: RequestTiming): void {
  const trace = RequestTrace.begin(request, timing.startedAtMs);
  if (!trace) return;
  timing.trace = trace;
  trace.lookUp(timing.startedAtMs);
  trace.answered(describeAnswer(hit));
  response.once('close', () => trace.end(response.statusCode));
}

/**
 * Answers a request whose token was verified before and whose answer lies in the process, without
 * waiting for anything.
 * @returns false for every other one, and when the budget is spent: nothing was done
 */
export function answerFast(
  { services, verifier, accessLog, meter, corsHeaders }: FastServices,
  asked: AskedOperations,
  request: HttpRequest,
  response: ServerResponse,
): boolean {
  const startedAtMs = performance.now();
  const token = bearerToken(request.headers.authorization);
  const caller = token ? verifier.peek(token) : undefined;
  if (!caller?.tenant || asksForReport(request.headers, caller)) return false;
  const operation = asked.known(request);
  if (!operation) return false;
  const { scope } = caller.tenant;
  const hit = services.cache.hitInMemory(scope, entryKey(caller, caller.tenant, operation.cacheable));
  if (!hit) return false;
  const points = hitPoints(hit.entry.body.length);
  if (services.budget.charge(caller, points)) return false;
  const timing = new RequestTiming(startedAtMs, requestIdOf(request.headers));
  timing.cache = hit.outcome;
  if (isTracing()) traceHit(request, response, hit, timing);
  recordHit(services, caller, operation, timing, hit, points);
  services.monitor.recordAnswer('hit', 200); // whoever asks with GET goes another way
  if (accessLog.samplesHit())
    accessLog.answered({
      method: 'POST',
      status: 200,
      caller,
      operation: operation.cacheable.name,
      timing,
      answer: hit,
    });
  sendHit(request, response, hit, timing, corsHeaders(request.headers.origin));
  if (meter.isDue())
    checkHit(meter, asked, request, { ...caller, tenant: caller.tenant }, operation.cacheable, hit.entry);
  return true;
}

/** Has an answer that was sent computed once more. */
export function checkHit(
  meter: ConsistencyMeter,
  asked: AskedOperations,
  request: HttpRequest,
  caller: SentHit['caller'],
  operation: CacheableOperation,
  entry: ResponseEntry,
): void {
  const { method, url, headers, body } = request;
  const read = () => {
    const again = asked.of({ method, url, headers, body }, true, () => undefined);
    if (again.refusal) throw again.refusal;
    return again.read();
  };
  meter.check({ caller, key: entryKey(caller, caller.tenant, operation), entry, read });
}
