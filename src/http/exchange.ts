import type { ApolloServer } from '@apollo/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLError } from 'graphql';
import type { Caller } from '../auth/caller.ts';
import { may } from '../auth/permissions.ts';
import type { Refusal } from '../budget/budget.ts';
import { spent } from '../budget/spent.ts';
import { RequestVersions } from '../cache/data/request-versions.ts';
import { type Answer, describeAnswer, type LoadedAnswer } from '../cache/response/answer.ts';
import type { Versions } from '../cache/versions/versions.ts';
import { RequestContext } from '../context/request-context.ts';
import type { Services } from '../context/services.ts';
import { badRequest, ErrorCode } from '../errors.ts';
import type { GraphqlRequest } from '../graphql/graphql-request.ts';
import { hitPoints, leastPoints, OPERATION_POINTS, reportPoints, searchMsBeyondPrice } from '../graphql/prices.ts';
import { NAMELESS } from '../monitoring/monitor-events.ts';
import { RequestTiming } from '../monitoring/request-timing.ts';
import { TurnRefused } from '../tenancy/fair-queue.ts';
import { knownFailure } from '../tenancy/known-failure.ts';
import { laneOf } from '../tenancy/lanes.ts';
import { RequestAbandoned } from '../tenancy/running-statements.ts';
import type { AccessLog } from './access-log.ts';
import type { AskedOperation, AskedOperations } from './asked-operation.ts';
import { asksForReport, withReport } from './cache-report.ts';
import type { ConsistencyMeter } from './consistency-meter.ts';
import { execute } from './execute.ts';
import { checkHit, entryKey, recordHit } from './hits.ts';
import { refusedAnswer } from './refused-answer.ts';
import { withRequestId } from './request-id.ts';
import { isKnown, sendAnswer, sendReport } from './send-answer.ts';

/** For the records: nobody is there to be told. As nginx has it. */
const CLIENT_LEFT = 499;

export interface ExchangeServices {
  readonly accessLog: AccessLog;
  readonly apollo: ApolloServer<RequestContext>;
  readonly services: Services;
  readonly meter: ConsistencyMeter;
}

/** One request whose caller is known, until its answer is sent. */
export class Exchange {
  readonly #timing: RequestTiming;
  readonly #operation: AskedOperation;
  /** Whether the answer is this request's own, and not found or another's. */
  #isLoaded = false;
  /** Whether another request waits for what this one loads. */
  #isJoined = false;
  /** Whether the client left while its answer was computed. */
  #hasLeft = false;
  /** Whether it never had its turn. */
  #isRefused = false;

  constructor(
    private readonly route: ExchangeServices,
    private readonly asked: AskedOperations,
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
    private readonly caller: Caller | null,
    startedAtMs: number,
  ) {
    this.#timing = new RequestTiming(startedAtMs, request.id);
    this.#timing.trace = request.trace;
    this.#operation = asked.of(request, caller !== null, (points) => this.#payReading(points));
  }

  /**
   * Without a promise for an answer that lies in the process: each would cost as much as the search
   * for it.
   */
  answer(): FastifyReply | Promise<FastifyReply> {
    this.#timing.trace?.lookUp();
    const found = this.#find();
    return found instanceof Promise ? found.then((answer) => this.#send(answer)) : this.#send(found);
  }

  #find(): Answer | Promise<Answer> {
    const { cache } = this.route.services;
    const operation = this.#operation;
    const tenant = this.caller?.tenant;
    const load = (versions?: Versions | null) => this.#loadPaid(versions);
    if (operation.isUnread) {
      this.#isLoaded = true;
      return unasked(this.#refuse(operation.refusal, NAMELESS.anonymous, 0));
    }
    if (operation.refusal) return cache.bypass('unreadable', load);
    if (!this.caller || !tenant) return cache.bypass('no-tenant', load);
    if (!operation.cacheable) return cache.bypass(operation.bypass, load);
    // What Redis is asked for the request is found by its scope.
    const scope = this.#timing.trace ? tenant.scope.forRequest(this.#timing) : tenant.scope;
    return cache.answer(scope, entryKey(this.caller, tenant, operation.cacheable), load, () => {
      this.#isJoined = true;
    });
  }

  /**
   * Takes the points of an operation, whatever comes of it: also what is refused was read, and
   * perhaps validated.
   */
  async #loadPaid(versions?: Versions | null): Promise<LoadedAnswer> {
    this.#isLoaded = true;
    this.#timing.trace?.looked();
    const asked = this.route.services.budget.spend(this.caller, OPERATION_POINTS);
    const refusal = asked instanceof Promise ? await asked : asked;
    if (refusal) return this.#refuseSpent(refusal);
    const loaded = await this.#load(versions);
    this.#payAnswer(loaded);
    return loaded;
  }

  /** What the answer took beyond its price is charged when it stands. */
  #payAnswer({ body }: LoadedAnswer): void {
    const timing = this.#timing;
    const paid = Math.max(timing.cost, OPERATION_POINTS) + timing.charged;
    // A mutation is not stopped when its client leaves, and may have waited for others.
    const unusedMs = this.#hasLeft && timing.isQuery ? timing.databaseMs : 0;
    const missing = leastPoints(body.length, Math.max(unusedMs, searchMsBeyondPrice(timing.searchMs))) - paid;
    if (missing <= 0) return;
    const { budget, monitor } = this.route.services;
    if (budget.charge(this.caller, missing)) return;
    timing.charged += missing;
    if (this.#tenantId) monitor.usage.charged(this.#tenantId, missing);
  }

  #load(versions?: Versions | null): LoadedAnswer | Promise<LoadedAnswer> {
    const { caller } = this;
    const operation = this.#operation;
    const leaving = this.#abandonWhenLeft();
    if (operation.refusal)
      return this.#refuse(operation.refusal, caller ? NAMELESS.invalid : NAMELESS.noCaller, OPERATION_POINTS);
    return this.route.services.database
      .admit(laneOf(this.caller), () => this.#execute(operation.read(), versions), leaving)
      .catch((error) => {
        const refusal = notAdmitted(error);
        this.#isRefused = true;
        return this.#refuse(refusal, this.#name, OPERATION_POINTS);
      });
  }

  /**
   * Stops the work for a client that leaves, unless others wait for it.
   * @returns aborted then, for work that has not begun
   */
  #abandonWhenLeft(): AbortSignal {
    const { raw } = this.reply;
    const leaving = new AbortController();
    const leave = () => {
      if (this.#isJoined || raw.writableFinished) return;
      leaving.abort();
      this.#hasLeft = true;
      if (this.#timing.isQuery) this.route.services.database.abandon(this.#timing);
    };
    if (raw.destroyed) leave();
    else raw.once('close', leave);
    return leaving.signal;
  }

  #execute(asked: GraphqlRequest, versions: Versions | null | undefined): Promise<LoadedAnswer> {
    const { apollo, services } = this.route;
    const { headers } = this.request;
    const read = new RequestVersions(versions);
    const context = new RequestContext(this.caller, services, this.#timing, read, asked.isReadOnly);
    return execute(apollo, headers, asked, context);
  }

  #send(found: Answer): FastifyReply | Promise<FastifyReply> {
    const { request, reply, caller } = this;
    const { services } = this.route;
    const timing = this.#timing;
    // Found, or loaded for another request that asked the same: Apollo Server knows nothing of it.
    const isGiven = !this.#isLoaded && caller !== null;
    const bytes = bodyOf(found).length;
    const isReported = asksForReport(request.headers, caller);
    const ofReport = isReported ? reportPoints(bytes) : 0;
    const points = isGiven ? hitPoints(bytes) + ofReport : 0;
    const refusal = isGiven ? services.budget.charge(caller, points) : undefined;
    const sent = this.#withRequestId(refusal ? unasked(this.#refuseSpent(refusal)) : alikeWhenSpent(found));
    timing.cache = sent.outcome;
    timing.trace?.answered(describeAnswer(sent));
    const status = !isReported && 'entry' in sent && isKnown(request, sent.entry) ? 304 : statusOf(sent);
    this.#record(sent, status);
    if (isGiven && !refusal) recordHit(services, caller, this.#operation, timing, sent, points + timing.charged);
    this.#log(sent, status);
    const { cacheable } = this.#operation;
    if (sent.outcome === 'hit' && caller?.tenant && cacheable && this.route.meter.isDue())
      checkHit(this.route.meter, this.asked, request, { ...caller, tenant: caller.tenant }, cacheable, sent.entry);
    if (!isReported) return sendAnswer(request, reply, sent, timing);
    if (!isGiven) this.#payReport(ofReport);
    return sendReport(request, reply, sent, withReport(sent, this.#keyOf(sent)), timing);
  }

  #record(answer: Answer, status: number): void {
    const { monitor } = this.route.services;
    const errorCode = 'loaded' in answer ? answer.loaded.errorCode : undefined;
    const isRefused = this.#isRefused || errorCode === ErrorCode.RateLimited;
    // What operators look at says nothing of what tenants get.
    const outcome = may(this.caller, 'seeAllTenants') ? null : isRefused ? 'refused' : answer.outcome;
    if (errorCode === undefined) monitor.recordAnswer(outcome, status === 304 ? 304 : 200);
    else {
      monitor.recordAnswer(outcome);
      monitor.recordError(status, errorCode, this.#tenantId ?? undefined);
    }
  }

  #log(answer: Answer, status: number): void {
    const { caller } = this;
    const { accessLog } = this.route;
    if (answer.outcome === 'hit' && !accessLog.samplesHit()) return;
    const operation = this.#operation.cacheable?.name ?? this.#timing.operation;
    accessLog.answered({ method: this.request.method, status, caller, operation, timing: this.#timing, answer });
  }

  #withRequestId(answer: Answer): Answer {
    return 'loaded' in answer ? { ...answer, loaded: withRequestId(answer.loaded, this.#timing.requestId) } : answer;
  }

  /** Of an answer whose own price is taken. */
  #payReport(points: number): void {
    const { budget, monitor } = this.route.services;
    if (!budget.charge(this.caller, points) && this.#tenantId) monitor.usage.charged(this.#tenantId, points);
  }

  /**
   * Beside the price of what is asked for: the next request may be refused for it.
   * @returns why nothing is read, when there is nothing left to pay with
   */
  #payReading(points: number): GraphQLError | undefined {
    const { budget } = this.route.services;
    const refusal =
      this.request.refusal ?? (points > 0 ? budget.charge(this.caller, points) : budget.spentOf(this.caller));
    if (refusal) return spent(refusal);
    this.#timing.charged += points;
    return undefined;
  }

  /** Nothing more is taken for it. */
  #refuseSpent(refusal: Refusal): LoadedAnswer {
    return this.#refuse(spent(refusal, OPERATION_POINTS, true), this.#name, 0);
  }

  /**
   * A request that Apollo Server never sees counts as an operation all the same.
   * @param more points taken for it, beside those of reading it
   */
  #refuse(error: GraphQLError, name: string, more: number): LoadedAnswer {
    const points = more + this.#timing.charged;
    const durationMs = this.#timing.elapsedMs();
    const event = { name, tenantId: this.#tenantId, durationMs, errors: 1, cacheHit: false, points };
    this.route.services.monitor.recordOperation(event, this.#timing);
    return refusedAnswer(error, this.#timing.requestId);
  }

  /** Undefined when the answer has no place in the cache. */
  #keyOf({ outcome }: Answer): string | undefined {
    const { caller } = this;
    const { cacheable } = this.#operation;
    return outcome !== 'bypass' && caller?.tenant && cacheable ? entryKey(caller, caller.tenant, cacheable) : undefined;
  }

  get #name(): string {
    return this.#operation.cacheable?.name ?? NAMELESS.anonymous;
  }

  get #tenantId(): string | null {
    return this.caller?.tenant?.scope.tenantId ?? null;
  }
}

/** A spent budget is refused alike, whether an answer lies ready or would have to be computed. */
function alikeWhenSpent(found: Answer): Answer {
  const isSpent = found.outcome === 'miss' && 'loaded' in found && found.loaded.errorCode === ErrorCode.RateLimited;
  return isSpent ? unasked(found.loaded) : found;
}

/** Neither what the cache has nor what it lacks is told to who may not have it. */
function unasked(loaded: LoadedAnswer): Answer {
  return { outcome: 'bypass', reason: 'budget', loaded };
}

/** @throws what is no reason to keep a request from its turn */
function notAdmitted(error: unknown): GraphQLError {
  // Who joined meanwhile loads for itself, as after each error that need not be its own.
  if (error instanceof RequestAbandoned) return badRequest('The client left before its turn.', CLIENT_LEFT);
  const busy = error instanceof TurnRefused && knownFailure(error);
  if (!busy) throw error;
  return busy;
}

function statusOf(answer: Answer): number {
  return 'entry' in answer ? 200 : answer.loaded.status;
}

function bodyOf(found: Answer): Buffer {
  return 'entry' in found ? found.entry.body : found.loaded.body;
}
