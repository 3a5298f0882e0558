import { performance } from 'node:perf_hooks';
import {
  type Attributes,
  type Context,
  context,
  defaultTextMapGetter,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { isTracing, tracer } from './tracing.ts';

/** What of an HTTP request to /graphql a trace tells. */
export interface TracedRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What the cache had to do with an answer. */
export interface TracedAnswer {
  readonly outcome: 'hit' | 'miss' | 'bypass';
  /** Of a hit. */
  readonly tier?: string | undefined;
  /** Of a miss and a bypass. */
  readonly reason?: string | undefined;
  readonly namespace?: string | undefined;
  /** Whether another request or process computed it. */
  readonly isJoined?: boolean | undefined;
}

/** What a GraphQL operation's span tells of it. Never the document or variables. */
export interface TracedOperation {
  /** `query` or `mutation`; absent where the request holds none. */
  readonly type?: string | undefined;
  readonly name?: string | undefined;
  /** Of the first error. */
  readonly errorCode?: string | undefined;
}

/** A call of a database or of Redis that is over. */
export interface TracedCall {
  readonly name: string;
  readonly attributes: Attributes;
  /** As `performance.now()` told it. */
  readonly startedAtMs: number;
  readonly errorType?: string | undefined;
}

/**
 * The spans of one request: of HTTP, the cache, the operation, and what these ask. It goes by hand,
 * with the request's timing. Made only where the request is recorded.
 */
export class RequestTrace {
  /** Whose child is what begins now. */
  current: Context;
  #cache: Span | undefined;
  #lookedAtMs: number | undefined;
  #operation: Span | undefined;

  private constructor(
    private readonly top: Context,
    /** Absent where an instrumentation of the process has made a span of the HTTP request. */
    private readonly server: Span | undefined,
  ) {
    this.current = top;
  }

  /**
   * Begins below the active span, else below the one that the headers name.
   * @param startedAtMs as `performance.now()` told it
   * @returns null when nothing is recorded
   */
  static begin({ method, headers }: TracedRequest, startedAtMs: number): RequestTrace | null {
    if (!isTracing()) return null;
    const active = context.active();
    const outer = trace.getSpan(active);
    if (outer && !outer.spanContext().isRemote) return outer.isRecording() ? new RequestTrace(active, undefined) : null;
    const parent = outer ? active : propagation.extract(active, headers, defaultTextMapGetter);
    const attributes = {
      'http.request.method': method,
      'http.route': '/graphql',
      'url.path': '/graphql',
      'url.scheme': 'http',
    };
    const options = { kind: SpanKind.SERVER, startTime: epochMs(startedAtMs), attributes };
    const span = tracer.startSpan(`${method} /graphql`, options, parent);
    return span.isRecording() ? new RequestTrace(trace.setSpan(parent, span), span) : null;
  }

  get traceId(): string | undefined {
    return trace.getSpanContext(this.top)?.traceId;
  }

  /** The search in the cache begins. */
  lookUp(startedAtMs = performance.now()): void {
    this.#cache = tracer.startSpan('cache', { startTime: epochMs(startedAtMs) }, this.top);
    this.current = trace.setSpan(this.top, this.#cache);
  }

  /** The search is over: what follows computes the answer. */
  looked(): void {
    this.#lookedAtMs ??= performance.now();
    this.current = this.top;
  }

  answered({ outcome, tier, reason, namespace, isJoined }: TracedAnswer): void {
    this.looked();
    if (!this.#cache) return;
    this.#cache.setAttribute('tenantry.cache.outcome', outcome);
    if (tier) this.#cache.setAttribute('tenantry.cache.tier', tier);
    if (reason) this.#cache.setAttribute('tenantry.cache.reason', reason);
    if (namespace) this.#cache.setAttribute('tenantry.cache.namespace', namespace);
    if (isJoined) this.#cache.setAttribute('tenantry.cache.joined', true);
    this.#endCache();
  }

  beginOperation(): void {
    this.#operation = tracer.startSpan('GraphQL Operation', { startTime: epochMs(performance.now()) }, this.top);
    this.current = trace.setSpan(this.top, this.#operation);
  }

  /** Named by its type: names come from clients, who have as many as they like. */
  endOperation({ type, name, errorCode }: TracedOperation): void {
    const span = this.#operation;
    if (!span) return;
    this.#operation = undefined;
    this.current = this.top;
    if (type) span.updateName(type).setAttribute('graphql.operation.type', type);
    if (name) span.setAttribute('graphql.operation.name', name);
    if (errorCode) fail(span, errorCode);
    span.end(epochMs(performance.now()));
  }

  /** Adds a call of a database that has just ended. @param parent what was `current` at its begin */
  add({ name, attributes, startedAtMs, errorType }: TracedCall, parent = this.current): void {
    const options = { kind: SpanKind.CLIENT, startTime: epochMs(startedAtMs), attributes };
    const span = tracer.startSpan(name, options, parent);
    if (errorType) fail(span, errorType);
    span.end(epochMs(performance.now()));
  }

  /** Ends all that has not ended yet. */
  end(status: number): void {
    this.endOperation({});
    this.#endCache();
    if (!this.server) return;
    this.server.setAttribute('http.response.status_code', status);
    if (status >= 500) fail(this.server, String(status));
    this.server.end(epochMs(performance.now()));
  }

  #endCache(): void {
    this.#cache?.end(epochMs(this.#lookedAtMs ?? performance.now()));
    this.#cache = undefined;
  }
}

function fail(span: Span, errorType: string): void {
  span.setAttribute('error.type', errorType).setStatus({ code: SpanStatusCode.ERROR });
}

function epochMs(monotonicMs: number): number {
  return performance.timeOrigin + monotonicMs;
}
