import type { createDashboardLoaders } from './dashboard.loaders.ts';
import type { DashboardReader } from './dashboard.reader.ts';

declare module '../context/services.ts' {
  interface Services {
    readonly dashboards: DashboardReader;
  }
  interface Loaders {
    readonly dashboards: ReturnType<typeof createDashboardLoaders>;
  }
}
