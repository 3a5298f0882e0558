import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type ContextManager,
  context,
  type DiagLogger,
  DiagLogLevel,
  diag,
  propagation,
  ROOT_CONTEXT,
  trace,
} from '@opentelemetry/api';
import type { tracing } from '@opentelemetry/sdk-node';
import { lookForTracerProvider } from './tracing.ts';

/**
 * Share of the requests that are traced in production, unless `OTEL_TRACES_SAMPLER` says otherwise: all
 * of them would cost a miss more than a twentieth (docs/performance.md).
 */
const PRODUCTION_SHARE = 0.1;

/** How long the end of the process waits for the last spans. */
const STOP_MS = 2_000;
/** Different messages of the SDK that are logged; each is once. */
const MAX_MESSAGES = 100;

export interface TelemetryLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

/** Told whether the collector takes what it is sent. */
export interface ExportOutage {
  readonly failed: (error: Error) => void;
  readonly recovered: () => void;
}

export interface Telemetry {
  /** Sends the spans that wait, for two seconds at most. Never throws. */
  stop(): Promise<void>;
}

/** Spans go by hand: an AsyncLocalStorage would cost every promise on Node 20 and 22. */
const BY_HAND: ContextManager = {
  active: () => ROOT_CONTEXT,
  with: (_context, work, self, ...given) => work.call(self as ThisParameterType<typeof work>, ...given),
  bind: (_context, target) => target,
  enable: () => BY_HAND,
  disable: () => BY_HAND,
};

export const NO_TELEMETRY: Telemetry = { stop: async () => {} };

/**
 * Starts the OpenTelemetry SDK, which is loaded only now. It reads the `OTEL_*` variables of the
 * process. Nobody waits for the collector: spans are sent in the background, and dropped beyond a
 * bounded queue. An SDK that was preloaded is left as it is.
 */
export async function startTelemetry(
  log: TelemetryLog,
  outage: ExportOutage,
  isProduction: boolean,
): Promise<Telemetry> {
  if (lookForTracerProvider()) {
    log.info({}, 'a tracer provider is registered already: it takes the spans, and TELEMETRY=otlp starts no other');
    return NO_TELEMETRY;
  }
  const { NodeSDK, core, resources, tracing } = await import('@opentelemetry/sdk-node');
  const logLevel = core.diagLogLevelFromString(process.env.OTEL_LOG_LEVEL) ?? DiagLogLevel.WARN;
  const hearSdk = () => diag.setLogger(intoLog(log), { logLevel, suppressOverrideMessage: true });
  hearSdk();
  core.setGlobalErrorHandler((error) => outage.failed(asError(error)));
  const own = { 'service.name': 'tenantry', 'service.instance.id': randomUUID() };
  const exporter = await otlpExporter();
  const isSampled = isProduction && !process.env.OTEL_TRACES_SAMPLER;
  if (isSampled)
    log.info(
      { share: PRODUCTION_SHARE },
      'traces a share of the requests, and those whose callers trace them; OTEL_TRACES_SAMPLER=always_on traces all',
    );
  const { ParentBasedSampler, TraceIdRatioBasedSampler } = tracing;
  const sdk = new NodeSDK({
    resource: resources.defaultResource().merge(resources.resourceFromAttributes(own)),
    contextManager: BY_HAND,
    metricReaders: [],
    logRecordProcessors: [],
    ...(isSampled && { sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(PRODUCTION_SHARE) }) }),
    ...(exporter && { traceExporter: watched(exporter, outage) }),
  });
  hearSdk(); // with OTEL_LOG_LEVEL the SDK has taken the console
  sdk.start();
  lookForTracerProvider(true);
  return {
    async stop() {
      const over = new AbortController();
      const late = delay(STOP_MS, undefined, { signal: over.signal }).catch(() => {});
      await Promise.race([sdk.shutdown().catch((error) => outage.failed(asError(error))), late]);
      over.abort();
      for (const api of [trace, context, propagation]) api.disable();
      lookForTracerProvider(false);
    },
  };
}

/** Undefined where OTEL_TRACES_EXPORTER names another one, which the SDK makes itself. */
async function otlpExporter(env = process.env): Promise<tracing.SpanExporter | undefined> {
  if (env.OTEL_TRACES_EXPORTER && env.OTEL_TRACES_EXPORTER !== 'otlp') return undefined;
  const protocol = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || env.OTEL_EXPORTER_OTLP_PROTOCOL;
  const { OTLPTraceExporter } =
    protocol === 'grpc'
      ? await import('@opentelemetry/exporter-trace-otlp-grpc')
      : protocol === 'http/json'
        ? await import('@opentelemetry/exporter-trace-otlp-http')
        : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter();
}

/** The SDK tells of what fails only. */
function watched(exporter: tracing.SpanExporter, outage: ExportOutage): tracing.SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (!result.error && result.code === 0) outage.recovered();
        done(result);
      }),
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}

/** What the SDK says, once for each message. */
function intoLog(log: TelemetryLog): DiagLogger {
  const said = new Set<string>();
  const tell = (level: 'info' | 'warn') => (message: string) => {
    if (said.has(message) || said.size >= MAX_MESSAGES) return;
    said.add(message);
    log[level]({ reason: message }, 'OpenTelemetry');
  };
  return { error: tell('warn'), warn: tell('warn'), info: tell('info'), debug: tell('info'), verbose: tell('info') };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
