import type { createStatisticsLoaders } from './statistics.loaders.ts';
import type { StatisticsService } from './statistics.service.ts';

declare module '../context/services.ts' {
  interface Services {
    readonly statistics: StatisticsService;
  }
  interface Loaders {
    readonly statistics: ReturnType<typeof createStatisticsLoaders>;
  }
}
