import { performance } from 'node:perf_hooks';
import { context, propagation, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { StatementEvent } from '../tenancy/statement-event.ts';

/**
 * Follows the tracer provider that the process registers, also one registered later; without one it
 * does nothing.
 */
const tracer = trace.getTracer('tenantry');

/** What an operation's span tells of it. Never variables. */
export interface TracedOperation {
  readonly name: string;
  readonly errors: number;
  readonly cacheHit: boolean;
}

/**
 * Begins the span of an operation, as a child of the caller's when its headers name one
 * (`traceparent`).
 * @param startedAtMs as `performance.now()` told it
 * @returns null when nothing records traces
 */
export function startOperationSpan(headers: ReadonlyMap<string, string> | undefined, startedAtMs: number): Span | null {
  const parent = headers ? propagation.extract(context.active(), headers, HEADER_MAP) : context.active();
  const span = tracer.startSpan('graphql', { kind: SpanKind.SERVER, startTime: epochMs(startedAtMs) }, parent);
  return span.isRecording() ? span : null;
}

export function endOperationSpan(span: Span, { name, errors, cacheHit }: TracedOperation): void {
  span.updateName(`graphql ${name}`);
  span.setAttributes({ 'graphql.operation.name': name, 'tenantry.cache.hit': cacheHit });
  if (errors > 0) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** Adds a finished statement below its operation. */
export function traceStatement(
  operation: Span,
  { sql, model, action, durationMs, rows, failed }: StatementEvent,
): void {
  const endedAtMs = performance.now();
  const attributes = { 'db.system.name': 'postgresql', 'db.query.text': sql, 'db.response.returned_rows': rows };
  const span = tracer.startSpan(
    model ? `${model}.${action}` : action,
    { kind: SpanKind.CLIENT, startTime: epochMs(endedAtMs - durationMs), attributes },
    trace.setSpan(context.active(), operation),
  );
  if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(epochMs(endedAtMs));
}

const HEADER_MAP = {
  get: (headers: ReadonlyMap<string, string>, name: string) => headers.get(name),
  keys: (headers: ReadonlyMap<string, string>) => [...headers.keys()],
};

function epochMs(monotonicMs: number): number {
  return performance.timeOrigin + monotonicMs;
}
