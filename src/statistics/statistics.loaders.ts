import DataLoader from 'dataloader';
import type { GraphQLError } from 'graphql';
import { MAX_SUMS, tooManySums } from '../graphql/max-sums.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { AskedSums, StatisticsRepository, StatisticsSums } from './statistics.repository.ts';

export function createStatisticsLoaders(scope: TenantScope, statistics: StatisticsRepository) {
  const load = async (asked: readonly AskedSums[]) =>
    (await statistics.sums(scope, asked)).map((sums) => (sums.rows.length > MAX_SUMS ? tooMany() : sums));
  const sums = new DataLoader<AskedSums, StatisticsSums, string>(load, {
    cacheKeyFn: ({ range: { period, from, to }, parts }) => [period, from, to, ...[...parts].sort()].join(' '),
  });
  return {
    /** The sums of a range: one statement for all ranges that a request asks for together. */
    sums: (asked: AskedSums) => sums.load(asked),
  };
}

function tooMany(): GraphQLError {
  return tooManySums(
    'These statistics have',
    'bucket, category and currency',
    'Take a shorter range or a longer period, or leave out byCategory',
  );
}

/** Reads sums, for one request. */
export type LoadSums = ReturnType<typeof createStatisticsLoaders>['sums'];
