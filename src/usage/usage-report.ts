import type { UsageFigures } from '../monitoring/usage-counts.ts';
import type { TenantUsageRow } from './usage.repository.ts';
import type { TenantUsage, UsageReport } from './usage.type.ts';

export function usageReport({ id, slug, hour, day }: TenantUsageRow): TenantUsage {
  return { id, slug, hour: reported(hour), day: reported(day) };
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
