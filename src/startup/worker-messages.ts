import type { MetricObjectWithValues, MetricValue } from 'prom-client';

/** The figures of one process, as prom-client gives them. */
export type Figures = MetricObjectWithValues<MetricValue<string>>[];

/** What a worker tells the process that started it. */
export type FromWorker =
  | { readonly kind: 'ready'; readonly banner: string }
  | { readonly kind: 'failed'; readonly said: string }
  | { readonly kind: 'figures'; readonly ask: number; readonly figures: Figures }
  | { readonly kind: 'metrics'; readonly ask: number };

/** What it is told. */
export type ToWorker =
  | { readonly kind: 'stop' }
  | { readonly kind: 'figures'; readonly ask: number }
  | { readonly kind: 'metrics'; readonly ask: number; readonly text: string };
