import {
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  propagation,
  type Span,
  type SpanOptions,
  trace,
} from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { endOperationSpan, startOperationSpan, traceStatement } from '../../src/monitoring/tracing.ts';

interface RecordedSpan {
  name: string;
  parent: string | undefined;
  startTime: unknown;
  endTime?: unknown;
  attributes: object;
  ended: boolean;
  failed: boolean;
}

let spans: RecordedSpan[] = [];

/** A tracer provider that writes down what it is told, as an SDK would before exporting. */
function registerTracerProvider(): void {
  trace.setGlobalTracerProvider({
    getTracer: () => ({
      startSpan: (name: string, options: SpanOptions = {}, parent: Context = context.active()) => {
        const { startTime, attributes = {} } = options;
        const parentId = trace.getSpanContext(parent)?.spanId;
        const span = { name, parent: parentId, startTime, attributes, ended: false, failed: false };
        return recordingSpan(span);
      },
      startActiveSpan: () => {
        throw new Error('not used: it would need an asynchronous context');
      },
    }),
  });
}

function recordingSpan(recorded: RecordedSpan): Span {
  const spanId = String(spans.push(recorded)).padStart(16, '0');
  const span = {
    spanContext: () => ({ ...INVALID_SPAN_CONTEXT, spanId }),
    isRecording: () => true,
    updateName: (name: string) => Object.assign(recorded, { name }) && span,
    setAttributes: (attributes: object) => Object.assign(recorded.attributes, attributes) && span,
    setStatus: () => Object.assign(recorded, { failed: true }) && span,
    end: (endTime?: unknown) => Object.assign(recorded, { ended: true, endTime }),
  };
  return span as unknown as Span;
}

function started(headers?: ReadonlyMap<string, string>): Span {
  const span = startOperationSpan(headers, performance.now());
  if (!span) throw new Error('no span was started');
  return span;
}

const SENT = { sql: 'SELECT $1', values: ['secret'], tenantId: 'a', model: 'BankAccount', action: 'page' };
const STATEMENT = { ...SENT, durationMs: 40, rows: 3, failed: false };

describe('without a tracer provider', () => {
  it('no span is made', () => {
    expect(startOperationSpan(new Map(), performance.now())).toBeNull();
  });
});

describe('with a tracer provider, registered at any time', () => {
  beforeAll(registerTracerProvider);
  beforeEach(() => {
    spans = [];
  });
  afterEach(() => propagation.disable());
  afterAll(() => trace.disable());

  it('there is a span for the operation, named when its name is known', () => {
    endOperationSpan(started(), { name: 'Accounts', errors: 0, cacheHit: false });
    expect(spans).toMatchObject([
      {
        name: 'graphql Accounts',
        attributes: { 'graphql.operation.name': 'Accounts', 'tenantry.cache.hit': false },
        ended: true,
        failed: false,
      },
    ]);
  });

  it('an operation with errors is marked, and a statement that failed', () => {
    const operation = started();
    traceStatement(operation, { ...STATEMENT, failed: true });
    endOperationSpan(operation, { name: 'Accounts', errors: 1, cacheHit: false });
    expect(spans.map(({ failed }) => failed)).toEqual([true, true]);
  });

  it('there is a span below the operation for each statement, with its text and its own time', () => {
    const before = Date.now();
    traceStatement(started(), STATEMENT);
    const statement = spans[1];
    expect(statement).toMatchObject({
      name: 'BankAccount.page',
      parent: '0000000000000001',
      attributes: { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT $1', 'db.response.returned_rows': 3 },
      ended: true,
    });
    expect(Number(statement?.endTime) - Number(statement?.startTime)).toBeCloseTo(40, 3);
    expect(Math.abs(Number(statement?.endTime) - before)).toBeLessThan(1_000);
  });

  it("the caller's trace is continued where a propagator reads it from the headers", () => {
    propagation.setGlobalPropagator({
      inject: () => {},
      fields: () => ['traceparent'],
      extract: (parent, carrier, getter) => {
        const spanId = String(getter.get(carrier, 'traceparent'));
        return trace.setSpanContext(parent, { ...INVALID_SPAN_CONTEXT, spanId });
      },
    });
    started(new Map([['traceparent', '00f067aa0ba902b7']]));
    expect(spans[0]?.parent).toBe('00f067aa0ba902b7');
  });
});
