import type { AskedDashboards } from './asked-dashboards.ts';
import type { createDashboardLoaders } from './dashboard.loaders.ts';
import type { DashboardReader } from './dashboard.reader.ts';

declare module '../context/services.ts' {
  interface Services {
    readonly dashboards: DashboardReader;
    /** What is asked for of today's. */
    readonly askedDashboards: AskedDashboards;
  }
  interface Loaders {
    readonly dashboards: ReturnType<typeof createDashboardLoaders>;
  }
}
