/** A line of a metric. */
export interface ExposedSample {
  /** With the ending of a histogram's part. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ExposedMetric {
  readonly name: string;
  readonly type: string | undefined;
  readonly help: string | undefined;
  readonly samples: readonly ExposedSample[];
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;

/** Reads Prometheus' text format, 0.0.4. @throws for a line that is none of it */
export function readExposition(text: string): ExposedMetric[] {
  const metrics = new Map<string, { name: string; type?: string; help?: string; samples: ExposedSample[] }>();
  const metric = (name: string) => {
    const known = metrics.get(name) ?? { name, samples: [] };
    metrics.set(name, known);
    return known;
  };
  for (const line of text.split('\n').filter(Boolean)) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment) {
      const [, kind, name = '', said = ''] = comment;
      const told = metric(name);
      const key = kind === 'HELP' ? 'help' : 'type';
      if (told[key] !== undefined) throw new Error(`two lines ${kind} of ${name}`);
      told[key] = said;
      continue;
    }
    const [, name, labels = '', value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`no line of the format: ${line}`);
    const base = name.replace(/_(bucket|sum|count)$/, '');
    const isPart = ['histogram', 'summary'].includes(metrics.get(base)?.type ?? '');
    metric(isPart ? base : name).samples.push({ name, labels: readLabels(labels, line), value: numberOf(value) });
  }
  return [...metrics.values()].map(({ name, type, help, samples }) => ({ name, type, help, samples }));
}

function readLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let end = 0;
  while (end < text.length) {
    LABEL.lastIndex = end;
    const [, name, value] = LABEL.exec(text) ?? [];
    if (name === undefined || value === undefined || name in labels) throw new Error(`labels of: ${line}`);
    labels[name] = value;
    end = LABEL.lastIndex;
  }
  return labels;
}

function numberOf(text: string): number {
  if (text === 'Nan' || text === 'NaN') return Number.NaN;
  return Number(text.replace('Inf', 'Infinity'));
}
