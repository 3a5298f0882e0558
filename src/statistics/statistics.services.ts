import type { StatisticsService } from './statistics.service.ts';

declare module '../context/services.ts' {
  interface Services {
    readonly statistics: StatisticsService;
  }
}
