import { type Attributes, context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { node, tracing } from '@opentelemetry/sdk-node';
import { until } from './until.ts';

type RecordedSpan = ReturnType<tracing.InMemorySpanExporter['getFinishedSpans']>[number];

/** The spans of this process, recorded by the SDK as its exporter is given them. */
export interface RecordedSpans {
  /** Resolves when so many have ended that were not taken: the last ones end after their answer. */
  until(count: number): Promise<void>;
  /** Those that have ended since the last time. */
  take(): readonly RecordedSpan[];
  /** The same, each below its parent, as `name KIND`. */
  tree(): string[];
  /** Of the only span of a name in what was taken last. */
  attributes(name: string): Attributes;
  stop(): void;
}

/** Registers a provider that takes every span. Before the service is started. */
export function recordSpans(): RecordedSpans {
  const exporter = new tracing.InMemorySpanExporter();
  new node.NodeTracerProvider({ spanProcessors: [new tracing.SimpleSpanProcessor(exporter)] }).register();
  let taken: readonly RecordedSpan[] = [];
  const take = () => {
    taken = [...exporter.getFinishedSpans()];
    exporter.reset();
    return taken;
  };
  return {
    take,
    until: (count) => until(() => exporter.getFinishedSpans().length >= count, `${count} spans`, 20_000),
    tree: () => linesOf(take()),
    attributes(name) {
      const [span, second] = taken.filter((each) => each.name === name);
      if (!span || second) throw new Error(`there is not one span ${name}`);
      return span.attributes;
    },
    stop() {
      for (const api of [trace, context, propagation]) api.disable();
    },
  };
}

/** By name, since some begin at the same time; what was begun elsewhere stands at the top. */
function linesOf(spans: readonly RecordedSpan[], parent?: RecordedSpan, indent = ''): string[] {
  const ids = new Set(spans.map((span) => span.spanContext().spanId));
  const isBelow = ({ parentSpanContext: above }: RecordedSpan) =>
    parent ? above?.spanId === parent.spanContext().spanId : !above || !ids.has(above.spanId);
  return spans
    .filter(isBelow)
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((span) => [`${indent}${span.name} ${SpanKind[span.kind]}`, ...linesOf(spans, span, `${indent}  `)]);
}
