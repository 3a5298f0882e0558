import { Registry } from 'prom-client';
import { USAGE_FIGURES, type UsageFigure } from '../monitoring/usage-counts.ts';
import { readWhenAsked } from './read-when-asked.ts';
import { type TenantTotals, TOP_TENANTS } from './tenant-totals.ts';

interface TenantMetric {
  /** Between `tenantry_tenant_` and `_total`. */
  readonly name: string;
  readonly meaning: string;
  /** How many of what is counted are one of the metric's unit; 1 when absent. */
  readonly per?: number;
}

const METRICS: Readonly<Record<UsageFigure, TenantMetric>> = {
  requests: { name: 'requests', meaning: 'Answers' },
  hits: { name: 'hits', meaning: 'Answers from the response cache' },
  points: { name: 'points', meaning: 'Complexity points' },
  databaseMs: { name: 'database_seconds', meaning: 'Seconds of SQL statements', per: 1_000 },
  rows: { name: 'rows', meaning: 'Rows of SQL statements' },
  bytesKept: { name: 'kept_bytes', meaning: 'Bytes stored in the cache' },
  errors: { name: 'errors', meaning: 'Answers with errors' },
};

/** The tenant's slug; undefined when it is not known. Must not reject. */
export type SlugOf = (tenantId: string) => Promise<string | undefined>;

/**
 * In Prometheus' text format. Which tenants there are changes, so that a series may end and go on
 * later.
 */
export async function tenantMetrics(tenants: TenantTotals, slugOf: SlugOf): Promise<string> {
  const labels = await labelsOf(
    tenants.map(([tenantId]) => tenantId),
    slugOf,
  );
  const registry = new Registry();
  for (const figure of USAGE_FIGURES) {
    const { meaning, per = 1, ...metric } = METRICS[figure];
    const name = `tenantry_tenant_${metric.name}_total`;
    const help = `${meaning} of each of the ${TOP_TENANTS} tenants with the most points, since the start.`;
    const samples = () =>
      tenants.map(([, total], index) => ({ labels: { tenant: labels[index] as string }, value: total[figure] / per }));
    registry.registerMetric(readWhenAsked('counter', name, help, samples));
  }
  return registry.metrics();
}

/**
 * The slug, or `#` and the id, which no slug can be: of a tenant whose slug is not known, or has
 * just become another one's.
 */
async function labelsOf(tenantIds: readonly string[], slugOf: SlugOf): Promise<string[]> {
  const slugs = await Promise.all(tenantIds.map(slugOf));
  return tenantIds.map((tenantId, index) => {
    const slug = slugs[index];
    return slug === undefined || slugs.indexOf(slug) < index ? `#${tenantId}` : slug;
  });
}
