import type { Aggregator, Metric } from 'prom-client';

export type MetricType = 'counter' | 'gauge' | 'histogram';
/** How the figures of several workers are one. */
export type Together = Extract<Aggregator, 'sum' | 'min' | 'max'>;

/** One line of a metric. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of a histogram's parts. */
  readonly metricName?: string;
}

/** Adds a metric to those of the process. @param together `sum` when absent */
export type Add = (
  type: MetricType,
  name: string,
  help: string,
  samples: () => Sample[] | Promise<Sample[]>,
  together?: Together,
) => void;

/**
 * prom-client's types know its own four classes only; its registry asks no more of a metric than
 * these.
 */
export function readWhenAsked(
  type: MetricType,
  name: string,
  help: string,
  samples: () => Sample[] | Promise<Sample[]>,
  aggregator: Together = 'sum',
): Metric {
  const get = async () => ({ type, name, help, aggregator, values: await samples() });
  return { type, name, help, get } as unknown as Metric;
}
