import type { ApolloServer } from '@apollo/server';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { spent } from '../budget/spent.ts';
import { RequestVersions } from '../cache/data/request-versions.ts';
import type { Answer, LoadedAnswer } from '../cache/response/answer.ts';
import type { CacheableOperation } from '../cache/response/cacheable-operations.ts';
import { etagOf } from '../cache/store/entry.ts';
import { type Versions, versionsOf } from '../cache/versions/versions.ts';
import { RequestContext } from '../context/request-context.ts';
import type { Services } from '../context/services.ts';
import { ErrorCode } from '../errors.ts';
import type { GraphqlRequest } from '../graphql/graphql-request.ts';
import { hitPoints, leastPoints, OPERATION_POINTS, searchMsBeyondPrice } from '../graphql/prices.ts';
import { execute } from '../http/execute.ts';
import { entryKey, recordHit } from '../http/hits.ts';
import { refusedAnswer } from '../http/refused-answer.ts';
import { RequestTiming } from '../monitoring/request-timing.ts';
import { TurnRefused } from '../tenancy/fair-queue.ts';
import { knownFailure } from '../tenancy/known-failure.ts';
import { laneOf } from '../tenancy/lanes.ts';
import type { LiveState } from './cursor.ts';
import { eventOf } from './live-event.ts';
import type { LiveReading, LiveSource, TenantCaller } from './live-source.ts';

/** What is busy now is asked again after this, and not by all at once. */
const RETRY_MS = 1_000;

export interface ValueServices {
  readonly apollo: ApolloServer<RequestContext>;
  readonly services: Services;
}

/** A query, as the cache and Apollo Server take it. */
export interface ValueRequest {
  readonly asked: GraphqlRequest;
  readonly cacheable: CacheableOperation;
}

interface Value {
  readonly body: Buffer;
  readonly state: LiveState;
  /** Of the first error; undefined without. */
  readonly errorCode: string | undefined;
}

/**
 * The value of a subscription, computed as a query of its caller: found in the cache, shared with
 * whoever asks the same, admitted and paid for alike.
 */
export class ValueSource implements LiveSource {
  readonly operation: string;

  constructor(
    private readonly services: ValueServices,
    private readonly request: ValueRequest,
    private readonly requestId: string,
  ) {
    this.operation = request.cacheable.hash;
  }

  async read(caller: TenantCaller, known: LiveState): Promise<LiveReading> {
    const { body, state, errorCode } = await this.#value(caller);
    if (errorCode !== undefined) {
      const { errors = [], data } = JSON.parse(body.toString()) as Told;
      const [first] = errors;
      const error = new GraphQLError(first?.message ?? '', { extensions: first?.extensions ?? {} });
      if (errorCode === ErrorCode.RateLimited || errorCode === ErrorCode.Unavailable)
        return { error, retryAtMs: retryAtMs(first?.extensions) };
      if (Object.values(data ?? {}).every((value) => value === null)) return { failed: error };
    }
    return state.etag === known.etag ? { state } : { state, event: eventOf(this.operation, body, state) };
  }

  async #value(caller: TenantCaller): Promise<Value> {
    const { cache, budget } = this.services.services;
    const { cacheable } = this.request;
    const timing = new RequestTiming(performance.now(), this.requestId);
    let loadedUnder: Versions | null | undefined;
    let isLoaded = false;
    const load = (versions: Versions | null) => {
      isLoaded = true;
      loadedUnder = versions;
      return this.#load(caller, timing, versions);
    };
    const answer = await cache.answer(caller.tenant.scope, entryKey(caller, caller.tenant, cacheable), load);
    const value = valueIn(answer, loadedUnder);
    if (isLoaded) return value;
    const points = hitPoints(value.body.length);
    const refusal = budget.charge(caller, points);
    if (refusal) return valueIn({ outcome: 'bypass', reason: 'budget', loaded: this.#refuse(spent(refusal)) }, null);
    recordHit(this.services.services, caller, { cacheable }, timing, answer, points);
    return value;
  }

  async #load(caller: TenantCaller, timing: RequestTiming, versions: Versions | null): Promise<LoadedAnswer> {
    const { apollo, services } = this.services;
    const { asked } = this.request;
    const refusal = await services.budget.spend(caller, OPERATION_POINTS);
    if (refusal) return this.#refuse(spent(refusal, OPERATION_POINTS, true));
    const context = new RequestContext(caller, services, timing, new RequestVersions(versions), true);
    const loaded = await services.database
      .admit(laneOf(caller), () => execute(apollo, {}, asked, context))
      .catch((error: unknown) => {
        const busy = error instanceof TurnRefused && knownFailure(error);
        if (!busy) throw error;
        return this.#refuse(busy);
      });
    const paid = Math.max(timing.cost, OPERATION_POINTS) + timing.charged;
    context.charge(Math.max(0, leastPoints(loaded.body.length, searchMsBeyondPrice(timing.searchMs)) - paid));
    return loaded;
  }

  #refuse(error: GraphQLError): LoadedAnswer {
    return refusedAnswer(error, this.requestId);
  }
}

interface Told {
  readonly errors?: readonly GraphQLFormattedError[];
  readonly data?: Readonly<Record<string, unknown>> | null;
}

/** @param loadedUnder the versions that an answer that is not kept was computed under */
function valueIn(answer: Answer, loadedUnder: Versions | null | undefined): Value {
  if ('entry' in answer) {
    const { body, versions, etag, expiresAtMs } = answer.entry;
    return { body, state: { versions, etag, expiresAtMs }, errorCode: undefined };
  }
  const { body, policy, errorCode } = answer.loaded;
  const isKnown = loadedUnder && policy && policy.dependencies.size > 0;
  const versions = isKnown ? versionsOf(loadedUnder, policy.dependencies) : undefined;
  const expiresAtMs = policy?.expiresAtMs ?? Number.POSITIVE_INFINITY;
  return { body, state: { versions, etag: etagOf(body), expiresAtMs }, errorCode };
}

function retryAtMs(extensions: GraphQLFormattedError['extensions']): number {
  const resetAtMs = Date.parse(String(extensions?.resetAt));
  const earliest = Number.isFinite(resetAtMs) ? resetAtMs : Date.now() + RETRY_MS;
  return earliest + Math.random() * RETRY_MS;
}
