import { MAX_TENANT_TOTALS, USAGE_FIGURES, type UsageCounts, type UsageFigure } from '../monitoring/usage-counts.ts';

/** How many tenants the metrics name. */
export const TOP_TENANTS = 10;

/** What one tenant cost since the process began; `errors` of all codes together. */
export type TenantTotal = Readonly<Record<UsageFigure, number>>;
/** By the tenant's id, each once. */
export type TenantTotals = readonly (readonly [tenantId: string, total: TenantTotal])[];

/** Of one process. */
export function tenantTotals(usage: UsageCounts): TenantTotals {
  const totals = usage.totals().map(([tenantId, figures]) => {
    const errors = Object.values(figures.errors).reduce((sum, count) => sum + count, 0);
    return [tenantId, { ...figures, errors }] as const;
  });
  return totals.length > MAX_TENANT_TOTALS ? dearest(totals, MAX_TENANT_TOTALS) : totals;
}

/** The totals of several processes as one. */
export function addUp(processes: readonly TenantTotals[]): TenantTotals {
  const sums = new Map<string, Record<UsageFigure, number>>();
  for (const totals of processes)
    for (const [tenantId, total] of totals) {
      const sum = sums.get(tenantId);
      if (!sum) sums.set(tenantId, { ...total });
      else for (const figure of USAGE_FIGURES) sum[figure] += total[figure];
    }
  return [...sums];
}

/** Those with the most points, in this order; equal ones by id. */
export function dearest(totals: TenantTotals, count: number): TenantTotals {
  return totals.toSorted((a, b) => b[1].points - a[1].points || (a[0] < b[0] ? -1 : 1)).slice(0, count);
}
