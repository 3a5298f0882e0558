import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import type { ShownMetrics } from '../app/metrics.ts';
import type { TenantTotals } from '../app/tenant-totals.ts';

/** As prom-client gives them. */
export type Figures = MetricObjectWithValues<MetricValue<string>>[];

/** The figures of one process. */
export interface ProcessFigures {
  readonly figures: Figures;
  readonly tenants: TenantTotals;
}

/** What a worker tells the process that started it. */
export type FromWorker =
  /** From now on it hears what it is told. */
  | { readonly kind: 'starting' }
  | { readonly kind: 'ready'; readonly banner: string }
  | { readonly kind: 'failed'; readonly said: string }
  | ({ readonly kind: 'figures'; readonly ask: number } & ProcessFigures)
  | { readonly kind: 'metrics'; readonly ask: number }
  | { readonly kind: 'page'; readonly ask: number; readonly text: string };

/** What it is told. */
export type ToWorker =
  | { readonly kind: 'stop' }
  | { readonly kind: 'figures'; readonly ask: number }
  | { readonly kind: 'metrics'; readonly ask: number; readonly shown: ShownMetrics }
  /** To tell what it would show at /metrics: it knows the tenants' slugs. */
  | { readonly kind: 'page'; readonly ask: number };
