import DataLoader from 'dataloader';
import { GraphQLError } from 'graphql';
import { ErrorCode } from '../errors.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import { type AskedSums, MAX_SUMS, type StatisticsRepository, type StatisticsSums } from './statistics.repository.ts';

export function createStatisticsLoaders(scope: TenantScope, statistics: StatisticsRepository) {
  const load = async (asked: readonly AskedSums[]) =>
    (await statistics.sums(scope, asked)).map((sums) => (sums.rows.length > MAX_SUMS ? tooManySums() : sums));
  const sums = new DataLoader<AskedSums, StatisticsSums, string>(load, {
    cacheKeyFn: ({ range: { period, from, to }, parts }) => [period, from, to, ...[...parts].sort()].join(' '),
  });
  return {
    /** The sums of a range: one statement for all ranges that a request asks for together. */
    sums: (asked: AskedSums) => sums.load(asked),
  };
}

function tooManySums(): GraphQLError {
  return new GraphQLError(
    `These statistics have more than ${MAX_SUMS} sums, one for each bucket, category and currency. Take a shorter range or a longer period, or leave out byCategory.`,
    { extensions: { code: ErrorCode.TooComplex, limit: MAX_SUMS } },
  );
}

/** Reads sums, for one request. */
export type LoadSums = ReturnType<typeof createStatisticsLoaders>['sums'];
