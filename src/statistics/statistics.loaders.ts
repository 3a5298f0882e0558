import DataLoader from 'dataloader';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { AskedSums, StatisticsRepository, StatisticsSums } from './statistics.repository.ts';

export function createStatisticsLoaders(scope: TenantScope, statistics: StatisticsRepository) {
  const load = (asked: readonly AskedSums[]) => statistics.sums(scope, asked);
  const sums = new DataLoader<AskedSums, StatisticsSums, string>(load, {
    cacheKeyFn: ({ range: { period, from, to }, parts }) => [period, from, to, ...[...parts].sort()].join(' '),
  });
  return {
    /** The sums of a range: one statement for all ranges that a request asks for together. */
    sums: (asked: AskedSums) => sums.load(asked),
  };
}

/** Reads sums, for one request. */
export type LoadSums = ReturnType<typeof createStatisticsLoaders>['sums'];
