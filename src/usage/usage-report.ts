import type { TenantUsageRow } from './usage.repository.ts';
import { type TenantUsage, TenantUsageOrder, type UsageReport } from './usage.type.ts';
import type { UsageFigures } from './usage-counts.ts';

const FIGURE: Readonly<Record<TenantUsageOrder, (figures: UsageFigures) => number>> = {
  [TenantUsageOrder.REQUESTS]: ({ requests }) => requests,
  [TenantUsageOrder.HITS]: ({ hits }) => hits,
  [TenantUsageOrder.POINTS]: ({ points }) => points,
  [TenantUsageOrder.DATABASE_MS]: ({ databaseMs }) => databaseMs,
  [TenantUsageOrder.ROWS]: ({ rows }) => rows,
  [TenantUsageOrder.BYTES_KEPT]: ({ bytesKept }) => bytesKept,
  [TenantUsageOrder.ERRORS]: ({ errors }) => Object.values(errors).reduce((sum, count) => sum + count, 0),
};

/** The highest first; equal ones by slug. */
export function usageReport(rows: readonly TenantUsageRow[], order: TenantUsageOrder, first: number): TenantUsage[] {
  const figure = FIGURE[order];
  return [...rows]
    .sort((a, b) => figure(b.day) - figure(a.day) || (a.slug < b.slug ? -1 : 1))
    .slice(0, first)
    .map(({ id, slug, hour, day }) => ({ id, slug, hour: reported(hour), day: reported(day) }));
}

function reported({ errors, ...numbers }: UsageFigures): UsageReport {
  const counts = Object.entries(errors).map(([code, count]) => ({ code, count }));
  return { ...numbers, errors: counts.sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1)) };
}
