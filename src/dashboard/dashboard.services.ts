import type { DashboardReader } from './dashboard.reader.ts';

declare module '../context/services.ts' {
  interface Services {
    readonly dashboards: DashboardReader;
  }
}
