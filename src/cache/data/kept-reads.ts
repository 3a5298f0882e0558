import type { ReadThrough } from '../../tenancy/cached-reads.ts';
import type { TenantScope } from '../../tenancy/tenant-scope.ts';
import type { DataCache } from './data-cache.ts';

/** Keeps the results of the scoped Prisma client's reads, for those that have the option `cache`. */
export function keptReads(cache: DataCache): (scope: TenantScope) => ReadThrough {
  return (scope) =>
    async <Result>(
      { namespace, key, dependencies, ttlSeconds }: Parameters<ReadThrough>[0],
      load: () => Promise<Result>,
    ) => {
      const { value } = await cache.read<Result>(scope, {
        key: [namespace, ...key],
        dependencies,
        ttlSeconds,
        asked: '',
        covers: () => true,
        load,
        merge: (_, latest) => latest,
      });
      return value;
    };
}
