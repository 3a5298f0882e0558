import { type DocumentNode, GraphQLError, type GraphQLSchema, getVariableValues } from 'graphql';
import { decodeJwt } from 'jose';
import type { Caller } from '../auth/caller.ts';
import { requireScope } from '../auth/require-scope.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import { spent } from '../budget/spent.ts';
import type { ChangeFeed } from '../cache/change-feed/change-feed.ts';
import type { CacheableOperations } from '../cache/response/cacheable-operations.ts';
import type { SubscriptionsConfig } from '../config/config.ts';
import { badRequest, clientError, ErrorCode, httpHead } from '../errors.ts';
import { type Documents, tokensOf } from '../graphql/documents.ts';
import { type GraphqlRequest, MEDIA_TYPES } from '../graphql/graphql-request.ts';
import { NEW_TOKEN_POINTS, OPERATION_POINTS, readingPoints } from '../graphql/prices.ts';
import type { AccessLog } from '../http/access-log.ts';
import type { AskedSubscription } from '../http/asked-operation.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import { ChangeSource, namespacesOf } from './change-source.ts';
import { type LiveState, NOTHING_KNOWN, readCursor } from './cursor.ts';
import { LiveFigures, type Transport } from './live-figures.ts';
import { type LivePlan, LivePlans } from './live-plan.ts';
import type { LiveSource, TenantCaller } from './live-source.ts';
import { type LiveEnd, type LiveSink, LiveSubscription } from './live-subscription.ts';
import { TenantWatches } from './tenant-watches.ts';
import { type ValueServices, ValueSource } from './value-source.ts';

/** How often what was missed is looked for, while there are subscribers. */
const TICK_MS = 250;
/** Of so many ticks one looks at every subscriber. */
const TICKS_PER_LOOK = 4;
/** As of the verifier: a token holds for so long beyond its end. */
const CLOCK_TOLERANCE_MS = 5_000;

export interface LiveOptions extends ValueServices {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  readonly operations: CacheableOperations;
  readonly changeFeed: ChangeFeed;
  readonly verifier: TokenVerifier;
  readonly accessLog: AccessLog;
  /** Whether errors may name parts of the schema that were not asked for. */
  readonly suggests: boolean;
  readonly log: { error(details: object, message: string): void };
}

/** Who subscribes. */
export interface Subscriber {
  readonly caller: Caller;
  readonly token: string;
  readonly requestId: string;
  readonly transport: Transport;
  /** A cursor beside the argument `after`. */
  readonly lastEventId?: string | undefined;
}

interface Open {
  readonly subscription: LiveSubscription;
  readonly sink: LiveSink;
  readonly tokenEndsAtMs: number;
  beatAtMs: number;
}

interface Prepared {
  readonly source: LiveSource;
  readonly known: LiveState;
}

/** The subscribers of this process, by whichever way they came. */
export class LiveSubscriptions {
  readonly figures = new LiveFigures();
  readonly #plans: LivePlans;
  readonly #watches: TenantWatches;
  readonly #open = new Set<Open>();
  readonly #config: SubscriptionsConfig;
  readonly #stallMs: number;
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #isStopping = false;

  constructor(private readonly options: LiveOptions) {
    const { config } = options.services;
    this.#config = config.subscriptions;
    this.#stallMs = config.http.requestTimeoutMs;
    this.#plans = new LivePlans(options.schema, options.suggests);
    this.#watches = new TenantWatches(options.changeFeed);
  }

  /**
   * Begins a subscription. @param connect called when nothing speaks against it: makes the way to
   * the subscriber
   * @throws why it is refused; nothing has begun then
   */
  open(asked: AskedSubscription, subscriber: Subscriber, connect: () => LiveSink): LiveSubscription {
    const { caller } = subscriber;
    const scope = withStatus(403, () => requireScope({ caller }));
    this.checkRoom(scope);
    const { source, known } = this.#prepare(asked, subscriber, caller as TenantCaller);
    return this.#begin({ source, known }, scope, subscriber, asked, connect());
  }

  /** @throws when nobody more can be told of changes */
  checkRoom(scope?: TenantScope): void {
    const { limit, tenantLimit } = this.#config;
    if (this.#isStopping) throw stopping();
    if (!this.options.services.config.cache.enabled) throw withoutCache();
    if (this.#open.size >= limit) {
      this.figures.refused.process++;
      throw tooMany('This process has', limit, 'process');
    }
    if (scope && this.#watches.count(scope) >= tenantLimit) {
      this.figures.refused.tenant++;
      throw tooMany('The tenant has', tenantLimit, 'tenant');
    }
  }

  /** Ends all of them: the clients are to connect again. */
  stop(): void {
    this.#isStopping = true;
    for (const { subscription } of this.#open) subscription.end('stopping');
    clearInterval(this.#timer);
    this.#watches.stop();
  }

  #prepare(asked: AskedSubscription, subscriber: Subscriber, caller: TenantCaller): Prepared {
    try {
      return this.#prepared(asked, subscriber, caller);
    } catch (error) {
      this.figures.refused.request++;
      throw error;
    }
  }

  #prepared(
    { asked, document, operation, bytes }: AskedSubscription,
    subscriber: Subscriber,
    caller: TenantCaller,
  ): Prepared {
    const { services, schema } = this.options;
    const { budget } = services;
    const refusal = budget.spentOf(caller) ?? budget.charge(caller, OPERATION_POINTS + readingPoints(bytes));
    if (refusal) throw spent(refusal);
    const payNew = () => void budget.charge(caller, tokensOf(asked.query) * NEW_TOKEN_POINTS);
    const plan = this.#plans.of(document, operation, payNew);
    const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], asked.variables, {
      maxErrors: 1,
    });
    if (!coerced) throw refusedInput(errors[0]?.message ?? '');
    const args = withStatus(400, () => this.#plans.argumentsOf(plan, coerced));
    const source = this.#sourceOf(plan, { asked, document, args }, subscriber);
    return { source, known: knownBy(source, args.after, subscriber.lastEventId) };
  }

  #sourceOf(
    { query }: LivePlan,
    {
      asked,
      document,
      args,
    }: Pick<AskedSubscription, 'asked'> & { document: DocumentNode; args: Record<string, unknown> },
    { requestId }: Subscriber,
  ): LiveSource {
    const { services, schema, changeFeed, documents, operations } = this.options;
    if (query) {
      const variables = Object.fromEntries(
        Object.entries(asked.variables).filter(([name]) => query.variables.has(name)),
      );
      const { operationName } = asked;
      const value: GraphqlRequest = {
        ...{ query: query.text, operationName, variables, mediaType: MEDIA_TYPES[0], isReadOnly: true },
      };
      const cacheable = operations.describe(value, documents.read(value, true));
      if (typeof cacheable === 'string') throw new Error(`the value of a subscription is not kept: ${cacheable}`);
      return new ValueSource(this.options, { asked: value, cacheable }, requestId);
    }
    const namespaces = namespacesOf(args.namespaces as never);
    if (namespaces.length === 0) throw refusedInput('namespaces must name at least one, or be absent for all.');
    const { operationName, variables } = asked;
    const { budget } = services;
    const changes = { document, operationName, variables, namespaces };
    return new ChangeSource({ schema, versions: changeFeed.versions, budget }, changes);
  }

  #begin(
    { source, known }: Prepared,
    scope: TenantScope,
    { caller, token, transport, requestId }: Subscriber,
    { operation }: AskedSubscription,
    sink: LiveSink,
  ): LiveSubscription {
    const { figures } = this;
    const { verifier, accessLog } = this.options;
    const startedMs = performance.now();
    const logged = {
      ...{ requestId, transport, operation: operation.name?.value ?? null },
      ...{ tenant: caller.tenant?.slug ?? '', role: caller.role },
    };
    const counted: LiveSink = {
      get isFull() {
        return sink.isFull;
      },
      send: (event) => {
        figures.events[transport]++;
        sink.send(event);
      },
      beat: () => sink.beat(),
      end: (reason, error) => sink.end(reason, error),
    };
    const onEnd = (ended: LiveEnd, events: number) => {
      this.#watches.remove(scope, subscription);
      this.#open.delete(open);
      figures.open[transport]--;
      accessLog.subscription({ ...logged, ended, events, durationMs: Math.round(performance.now() - startedMs) });
    };
    const onFailure = (error: unknown) => this.refusalOf(error, requestId);
    const subscription = new LiveSubscription({ source, sink: counted, token, verifier, figures, onEnd, onFailure });
    const open = {
      ...{ subscription, sink, tokenEndsAtMs: endOf(token) },
      beatAtMs: performance.now() + this.#config.heartbeatMs,
    };
    figures.open[transport]++;
    accessLog.subscription(logged);
    this.#open.add(open);
    this.#watches.add(scope, subscription);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
    subscription.begin(known);
    if (known.versions) this.#watches.check(scope);
    return subscription;
  }

  #tick(): void {
    this.#watches.tick();
    if (++this.#ticks % TICKS_PER_LOOK !== 0) return;
    const [now, nowMs] = [Date.now(), performance.now()];
    for (const open of this.#open) {
      open.subscription.tick(this.#stallMs);
      const isBeatDue = nowMs >= open.beatAtMs;
      if (isBeatDue) {
        open.beatAtMs = nowMs + this.#config.heartbeatMs;
        open.sink.beat();
      }
      if (isBeatDue || now >= open.tokenEndsAtMs) void open.subscription.reauthorize();
    }
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** What a subscriber is told of an error. One that is ours is logged, and its text kept back. */
  refusalOf(error: unknown, requestId: string): GraphQLError {
    if (error instanceof GraphQLError && error.extensions.code !== undefined) return error;
    this.options.log.error({ requestId, err: error }, 'internal error');
    return clientError(ErrorCode.Internal, 'Something went wrong on our side; it was logged.');
  }
}

/** @throws BAD_USER_INPUT for an argument that is no cursor */
function knownBy({ operation }: LiveSource, after: unknown, lastEventId: string | undefined): LiveState {
  if (typeof after !== 'string') return (lastEventId && readCursor(operation, lastEventId)) || NOTHING_KNOWN;
  const known = readCursor(operation, after);
  if (!known) throw refusedInput('after must be a cursor of an event, as it came in extensions.cursor.');
  return known;
}

function endOf(token: string): number {
  return (decodeJwt(token).exp ?? 0) * 1_000 + CLOCK_TOLERANCE_MS;
}

/** An error without a status of its own has this one. */
function withStatus<Result>(status: number, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const { code = ErrorCode.BadUserInput, refusedAs, ...extensions } = error.extensions;
    throw clientError((refusedAs ?? code) as ErrorCode, error.message, { http: httpHead(status), ...extensions });
  }
}

function refusedInput(message: string): GraphQLError {
  return clientError(ErrorCode.BadUserInput, message, { http: httpHead(400) });
}

function tooMany(who: string, limit: number, of: string): GraphQLError {
  return clientError(
    ErrorCode.TooManySubscriptions,
    `${who} ${limit} subscriptions already, and no more may be open.`,
    {
      ...{ of, limit },
      http: httpHead(429, ['retry-after', '5']),
    },
  );
}

function stopping(): GraphQLError {
  const http = httpHead(503, ['retry-after', '1']);
  return clientError(ErrorCode.Unavailable, 'This process of the service stops; connect again.', { http });
}

function withoutCache(): GraphQLError {
  return badRequest(
    'This service tells no changes, since its cache is off: ask again from time to time, or have the operator set CACHE=on.',
    501,
  );
}
