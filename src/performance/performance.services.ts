import type { Deployment } from '../deployment/deployment.ts';
import type { IndexUsageRepository } from '../indexes/usage.repository.ts';
import type { Findings } from './findings.ts';
import type { ResourceMonitor } from './resources.ts';

declare module '../context/services.ts' {
  interface Services {
    readonly deployment: Deployment;
    readonly findings: Findings;
    readonly resources: ResourceMonitor;
    readonly indexUsage: IndexUsageRepository;
  }
}
