import { Registry } from 'prom-client';
import { USAGE_FIGURES, type UsageFigure } from '../monitoring/usage-counts.ts';
import { readWhenAsked } from './read-when-asked.ts';
import { type TenantTotals, TOP_TENANTS } from './tenant-totals.ts';

const MEANINGS: Readonly<Record<UsageFigure, string>> = {
  requests: 'Answers',
  hits: 'Answers from the response cache',
  points: 'Complexity points',
  databaseMs: 'Milliseconds of SQL statements',
  rows: 'Rows of SQL statements',
  bytesKept: 'Bytes stored in the cache',
  errors: 'Answers with errors',
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
    const name = `tenantry_tenant_${figure.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_total`;
    const help = `${MEANINGS[figure]} of the ${TOP_TENANTS} tenants with the most points, since the start.`;
    const samples = () =>
      tenants.map(([, total], index) => ({ labels: { tenant: labels[index] as string }, value: total[figure] }));
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
