import type { UsageFigures } from '../monitoring/usage-counts.ts';
import type { TenantUsageRow } from './usage.repository.ts';
import type { TenantUsage, UsageReport } from './usage.type.ts';

/** @param limitOf what a tenant may spend in a minute, by its own limit or null */
export function usageReport(
  { id, slug, ownLimit, hour, day }: TenantUsageRow,
  limitOf: (ownLimit: number | null) => number,
): TenantUsage {
  const budget = { pointsPerMinute: limitOf(ownLimit), hasOwnLimit: ownLimit !== null };
  return { id, slug, ...budget, hour: reported(hour), day: reported(day) };
}

/** Sums of fractions of a millisecond have digits that mean nothing. */
function reported({ errors, databaseMs, ...numbers }: UsageFigures): UsageReport {
  const counts = Object.entries(errors).map(([code, count]) => ({ code, count }));
  return {
    ...numbers,
    databaseMs: Math.round(databaseMs * 1_000) / 1_000,
    errors: counts.sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1)),
  };
}
