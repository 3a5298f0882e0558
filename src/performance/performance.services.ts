import type { IndexUsageRepository } from '../indexes/usage.repository.ts';
import type { ResourceMonitor } from './resources.ts';

declare module '../context/services.ts' {
  interface Services {
    readonly resources: ResourceMonitor;
    readonly indexUsage: IndexUsageRepository;
  }
}
