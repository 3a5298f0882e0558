import type { LatencyHistogram } from '../latency-histogram.ts';
import type { Sample } from './read-when-asked.ts';

/** Upper bounds of the histograms; Prometheus wants seconds. */
const BOUNDS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000];

/** Nothing for a histogram that was never recorded into. */
export function histogramSamples(name: string, labels: Sample['labels'], durations: LatencyHistogram): Sample[] {
  if (durations.count === 0) return [];
  const counts = durations.countsUpTo(BOUNDS_MS);
  const bucket = (le: string, value: number) => ({ metricName: `${name}_bucket`, labels: { ...labels, le }, value });
  return [
    ...BOUNDS_MS.map((boundMs, index) => bucket(String(boundMs / 1000), counts[index] ?? 0)),
    bucket('+Inf', durations.count),
    { metricName: `${name}_sum`, labels, value: durations.sumMs / 1000 },
    { metricName: `${name}_count`, labels, value: durations.count },
  ];
}
