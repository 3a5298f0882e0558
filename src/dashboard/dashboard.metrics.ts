import { checkedDay } from '../graphql/input-checks.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { DashboardReader } from './dashboard.reader.ts';
import { DEFAULT_ACTIVITY_DAYS, partsOf } from './dashboard.selection.ts';
import { activityOf, dashboardOf } from './dashboard.service.ts';
import type { Dashboard, DashboardActivity, DashboardOverview } from './dashboard.type.ts';

/** What each metric gives: what GraphQL answers for the fields of these names. */
export interface DashboardMetrics {
  readonly overview: DashboardOverview;
  readonly activity: DashboardActivity;
  readonly accounts: Pick<Dashboard, 'accountsByType' | 'accountsByStatus' | 'accountsByBank'>;
}

export type DashboardMetric = keyof DashboardMetrics;

export interface MetricOptions {
  /** Last day of the activity. Absent: the tenant's today. Accounts are as of now in any case. */
  readonly date?: string | undefined;
  /** Of the activity, 1 to 366; 30 when absent. The other metrics do not look at it. */
  readonly days?: number | undefined;
}

export interface MetricAnswer<Metric extends DashboardMetric> {
  readonly date: string;
  /** When it was computed; a value from the cache keeps its time. */
  readonly generatedAt: string;
  readonly value: DashboardMetrics[Metric];
}

interface MetricSource<Value> {
  /** The fields of a dashboard that it is made of. */
  readonly fields: readonly string[];
  readonly valueIn: (dashboard: Dashboard, days: number) => Value;
}

const SOURCES: { readonly [Metric in DashboardMetric]: MetricSource<DashboardMetrics[Metric]> } = {
  overview: { fields: ['overview'], valueIn: ({ overview }) => overview },
  activity: { fields: ['activity'], valueIn: activityOf },
  accounts: {
    fields: ['accountsByType', 'accountsByStatus', 'accountsByBank'],
    valueIn: ({ accountsByType, accountsByStatus, accountsByBank }) => ({
      accountsByType,
      accountsByStatus,
      accountsByBank,
    }),
  },
};

export const DASHBOARD_METRICS = Object.keys(SOURCES) as readonly DashboardMetric[];

/**
 * One metric of a tenant's dashboard, for code that has no GraphQL request. It reads what the metric
 * needs and nothing else, and shares kept values with the field `dashboard`. It takes no points of
 * a budget: those are a request's.
 * @throws BAD_USER_INPUT for a day that does not exist and a number of days out of bounds,
 *   QUERY_TOO_COMPLEX beyond `MAX_SUMS`, UNAUTHENTICATED when the tenant is no more
 *
 * @example
 * const { value } = await dashboardMetrics(services.dashboards, scope, 'activity', { days: 7 });
 * value.totals; // [{ currency: 'EUR', transactionCount: 12, inflow: '80.0000', … }]
 */
export async function dashboardMetrics<Metric extends DashboardMetric>(
  dashboards: DashboardReader,
  scope: TenantScope,
  metric: Metric,
  { date, days = DEFAULT_ACTIVITY_DAYS }: MetricOptions = {},
): Promise<MetricAnswer<Metric>> {
  const { fields, valueIn } = SOURCES[metric];
  const found = await dashboards.read(scope, {
    date: date === undefined ? null : checkedDay('date', date),
    parts: partsOf(fields.map((name) => ({ name, arguments: { days }, fields: [] }))),
    maxStalenessMs: 0,
    onRead: () => {},
  });
  const dashboard = dashboardOf(found, new Set(fields));
  return { date: dashboard.date, generatedAt: dashboard.generatedAt, value: valueIn(dashboard, days) };
}
