import { trace } from '@opentelemetry/api';
import { tracing } from '@opentelemetry/sdk-node';
import { trace as newer } from 'opentelemetry-api-1.10';
import { expect, it } from 'vitest';
import { RequestTrace } from '../../src/telemetry/request-trace.ts';
import { isTracing, lookForTracerProvider } from '../../src/telemetry/tracing.ts';

const REQUEST = { method: 'POST', headers: {} };

it('no span is made without a tracer provider', () => {
  expect(lookForTracerProvider()).toBe(false);
  expect(isTracing()).toBe(false);
  expect(RequestTrace.begin(REQUEST, performance.now())).toBeNull();
});

it.each([
  ['1.9', trace],
  ['1.10', newer],
])('spans go to a provider that was registered through the API %s', (_minor, api) => {
  const exporter = new tracing.InMemorySpanExporter();
  const provider = new tracing.BasicTracerProvider({ spanProcessors: [new tracing.SimpleSpanProcessor(exporter)] });
  // Whoever registers first decides on the minor of the process, and a preloaded SDK is first.
  Reflect.deleteProperty(globalThis, Symbol.for('opentelemetry.js.api.1'));
  api.setGlobalTracerProvider(provider);
  try {
    expect(lookForTracerProvider()).toBe(true);
    RequestTrace.begin(REQUEST, performance.now())?.end(503);
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['POST /graphql']);
    expect(exporter.getFinishedSpans()[0]?.attributes).toMatchObject({ 'error.type': '503' });
  } finally {
    api.disable();
    lookForTracerProvider();
  }
});
