import { groupBy } from '../../src/group-by.ts';
import { type ExposedMetric, type ExposedSample, readExposition } from './exposition.ts';

/** Of prom-client's own: gauges that end like counters. */
const KNOWN: readonly string[] = [
  'nodejs_active_resources_total: ends with _total and is no counter',
  'nodejs_active_handles_total: ends with _total and is no counter',
  'nodejs_active_requests_total: ends with _total and is no counter',
];
const PREFIX = /^(tenantry|nodejs|process)_/;
/** https://prometheus.io/docs/practices/naming/#base-units */
const NO_BASE_UNIT = /_(ms|millis(econds)?|us|ns|minutes|hours|kb|kib|mb|mib|percent|pct)(_|$)/;
/** Labels that a series gets elsewhere, or that speak of more values than anybody bounds. */
const RESERVED = /^(__.*|job|instance|le|quantile|tenant|tenant_id|subject|user|path|url|query)$/;
const OF_TENANTS = /^tenantry_tenant_/;
/** Metrics of which each set of other labels has one label that tells its state. */
const STATE_SETS = /_state$/;

/**
 * What breaks the conventions of Prometheus, or of this service.
 * @param processes of whom the figures are
 */
export function lintMetrics(text: string, { processes = 1 } = {}): string[] {
  const problems = readExposition(text).flatMap((metric) =>
    [
      ...nameProblems(metric),
      ...labelProblems(metric),
      ...seriesProblems(metric),
      ...(metric.type === 'histogram' ? histogramProblems(metric) : []),
      ...(STATE_SETS.test(metric.name) ? stateProblems(metric, processes) : []),
    ].map((problem) => `${metric.name}: ${problem}`),
  );
  return problems.filter((problem) => !KNOWN.includes(problem));
}

function nameProblems({ name, type, help }: ExposedMetric): string[] {
  const isTotal = name.endsWith('_total');
  return told([
    [!/^[a-z][a-z0-9_]*$/.test(name) || name.includes('__'), 'is no snake_case'],
    [!PREFIX.test(name), 'has no prefix of its own'],
    [!help?.trim(), 'has no HELP'],
    [!['counter', 'gauge', 'histogram', 'summary'].includes(type ?? ''), 'has no TYPE'],
    [type === 'counter' && !isTotal && name !== 'process_cpu_seconds', 'is a counter without _total'],
    [type !== 'counter' && isTotal, 'ends with _total and is no counter'],
    [NO_BASE_UNIT.test(name), 'is not in a base unit'],
    [type === 'histogram' && !/_(seconds|bytes)$/.test(name), 'is a histogram without a unit'],
    [/duration|_(lag|wait|age)(_|$)/.test(name) && !/_seconds/.test(name), 'is a time without its unit'],
    [/_(bucket|sum|count)$/.test(name), 'ends like a part of a histogram'],
    [/_info$/.test(name) && type !== 'gauge', 'is an info and no gauge'],
  ]);
}

function labelProblems({ name, type, samples }: ExposedMetric): string[] {
  const names = new Set(samples.flatMap(({ labels }) => Object.keys(labels)));
  const odd = [...names].filter((label) => {
    if (label === 'le') return type !== 'histogram';
    if (label === 'tenant') return !OF_TENANTS.test(name);
    return RESERVED.test(label) || !/^[a-z][a-z0-9_]*$/.test(label);
  });
  // prom-client labels parts of histograms with le, and versions of Node.js with theirs.
  const shapes = new Set(samples.map(({ labels }) => labelNames(labels)));
  return told([
    [odd.length > 0, `has labels that it may not have: ${odd.join(', ')}`],
    [shapes.size > 1, 'has series of different labels'],
    [OF_TENANTS.test(name) && samples.some(({ labels }) => labels.tenant === undefined), 'has no tenant'],
  ]);
}

function seriesProblems({ name, type, samples }: ExposedMetric): string[] {
  const keys = samples.map((sample) => `${sample.name}${keyOf(sample.labels)}`);
  return told([
    [new Set(keys).size < keys.length, 'has the same series twice'],
    // Those of prom-client are none where nothing was measured since the last time.
    [
      PREFIX.exec(name)?.[1] === 'tenantry' && samples.some(({ value }) => Number.isNaN(value)),
      'has a value that is no number',
    ],
    [type === 'counter' && samples.some(({ value }) => value < 0), 'counts below zero'],
  ]);
}

function histogramProblems({ name, samples }: ExposedMetric): string[] {
  const of = (part: string) => samples.filter((sample) => sample.name === `${name}_${part}`);
  const sets = groupBy(of('bucket'), ({ labels }) => keyOf(labels, 'le'));
  return [...sets].flatMap(([key, buckets]) => {
    const [sum, count] = ['sum', 'count'].map((part) => of(part).find(({ labels }) => keyOf(labels) === key));
    const values = buckets.map(({ value }) => value);
    const bounds = buckets.map(({ labels }) => Number(labels.le?.replace('Inf', 'Infinity')));
    return told([
      [!sum || !count, `${key} has no sum or no count`],
      [!ascends(bounds, true) || !ascends(values), `${key} has buckets that do not ascend`],
      [bounds.at(-1) !== Number.POSITIVE_INFINITY, `${key} has no bucket +Inf`],
      [values.at(-1) !== count?.value, `${key} has a count that is not that of +Inf`],
    ]);
  });
}

function stateProblems({ samples }: ExposedMetric, processes: number): string[] {
  const sets = groupBy(samples, ({ labels }) => keyOf(labels, 'state'));
  return [...sets].flatMap(([key, states]) => {
    const sum = states.reduce((total, { value }) => total + value, 0);
    return told([
      [states.some(({ labels }) => labels.state === undefined), `${key} has no label state`],
      [sum !== processes, `${key} is in ${sum} states of ${processes}`],
    ]);
  });
}

function told(rules: readonly (readonly [isBroken: boolean, problem: string])[]): string[] {
  return rules.filter(([isBroken]) => isBroken).map(([, problem]) => problem);
}

function ascends(numbers: readonly number[], strictly = false): boolean {
  return numbers.every((number, index) => {
    const before = numbers[index - 1];
    return before === undefined || (strictly ? before < number : before <= number);
  });
}

function labelNames(labels: ExposedSample['labels']): string {
  return Object.keys(labels)
    .filter((label) => label !== 'le')
    .toSorted()
    .join();
}

function keyOf(labels: ExposedSample['labels'], without?: string): string {
  return JSON.stringify(
    Object.entries(labels)
      .filter(([label]) => label !== without)
      .toSorted(),
  );
}
