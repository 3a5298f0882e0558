import type { WarmUpCounts } from '../warm-up/warm-up-counts.ts';
import { histogramSamples } from './histogram-samples.ts';
import type { Add } from './read-when-asked.ts';

/** Of the dashboards that are computed before somebody asks. */
export function addWarmUp(add: Add, { results, durations }: WarmUpCounts): void {
  const help =
    'Dashboards computed before somebody asked (filled), there already (kept) or failed; ' +
    'rounds given up for load, or while the cache is untrusted.';
  add('counter', 'tenantry_warm_ups_total', help, () =>
    [...results].map(([result, value]) => ({ labels: { result }, value })),
  );
  const name = 'tenantry_warm_up_duration_seconds';
  add('histogram', name, 'Time of dashboards that were computed before somebody asked.', () =>
    histogramSamples(name, {}, durations),
  );
}
