import { context, trace } from '@opentelemetry/api';
import { afterEach, expect, it, vi } from 'vitest';
import { startTelemetry, type Telemetry } from '../../src/telemetry/start-telemetry.ts';

const REQUESTS = 2_000;
/** Of the caller's trace, which it records. */
const CALLER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };

let telemetry: Telemetry;
afterEach(async () => {
  await telemetry.stop();
  vi.unstubAllEnvs();
});

/** How many of the requests are traced. */
async function traced(isProduction: boolean, parent = context.active()): Promise<number> {
  // Nothing is sent: no span ends.
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:9');
  const log = { info: () => {}, warn: () => {} };
  telemetry = await startTelemetry(log, { failed: () => {}, recovered: () => {} }, isProduction);
  const spans = Array.from({ length: REQUESTS }, () => trace.getTracer('test').startSpan('request', {}, parent));
  return spans.filter((span) => span.isRecording()).length;
}

it('traces every request in development', async () => {
  expect(await traced(false)).toBe(REQUESTS);
});

it('traces one request in ten in production', async () => {
  const share = (await traced(true)) / REQUESTS;
  expect(share).toBeGreaterThan(0.05);
  expect(share).toBeLessThan(0.15);
});

it('traces every request in production whose caller traces it', async () => {
  expect(await traced(true, trace.setSpanContext(context.active(), CALLER))).toBe(REQUESTS);
});

it('traces as many in production as OTEL_TRACES_SAMPLER says', async () => {
  vi.stubEnv('OTEL_TRACES_SAMPLER', 'always_on');
  expect(await traced(true)).toBe(REQUESTS);
});
