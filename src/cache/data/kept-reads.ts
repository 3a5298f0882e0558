import type { CachedRead, ReadThrough } from '../../tenancy/cached-reads.ts';
import type { TenantScope } from '../../tenancy/tenant-scope.ts';
import type { DataCache } from './data-cache.ts';
import { wholeValue } from './whole-value.ts';

/**
 * Keeps the results of the scoped Prisma client's reads, for those that have the option `cache`.
 */
export function keptReads(cache: DataCache): (scope: TenantScope) => ReadThrough {
  return (scope) =>
    async <Result>({ namespace, key, dependencies, ttlSeconds }: CachedRead, load: () => Promise<Result>) => {
      const kept = { key: [namespace, ...key], tables: [], dependencies, ttlSeconds };
      return (await cache.read(scope, wholeValue(kept, load))).value;
    };
}
