import { context, createContextKey, type ProxyTracerProvider, trace } from '@opentelemetry/api';

/** Of `suppressTracing` in @opentelemetry/core: an SDK makes no span where it is set. */
const SUPPRESSED = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

let tracing = false;
/** Whether others than the service may make spans, by instrumentations of the process's own SDK. */
let isInstrumented = false;
let isOwnSdk = false;
export let tracer = trace.getTracer('tenantry');

/**
 * Looks whether a tracer provider is registered, once, so that a request asks one boolean. One that
 * is registered after the service was started is not seen.
 * @param isOwn whether it is the service's own, which comes without instrumentations; absent: as it
 *   was said last
 */
export function lookForTracerProvider(isOwn = isOwnSdk): boolean {
  const provider: Pick<ProxyTracerProvider, 'getTracer'> & Partial<ProxyTracerProvider> = trace.getTracerProvider();
  // The API's own provider stands there from the start on. It has no delegate until one is registered.
  tracing = provider.getDelegateTracer ? provider.getDelegateTracer('tenantry') !== undefined : true;
  isOwnSdk = isOwn;
  isInstrumented = tracing && !isOwn;
  tracer = trace.getTracer('tenantry');
  return tracing;
}

/** Whether spans are made. */
export function isTracing(): boolean {
  return tracing;
}

/**
 * Runs work whose spans nobody wants: they would be made a second time, or belong to no request.
 * Instrumentations of the process's own SDK make none within it.
 */
export function withoutSpans<Result>(work: () => Result): Result {
  return isInstrumented ? context.with(context.active().setValue(SUPPRESSED, true), work) : work();
}

/** The same work, which finds the span that is active now when it is done in another's turn. */
export function inActiveContext(work: () => void): () => void {
  return isInstrumented ? context.bind(context.active(), work) : work;
}
