import type { Config } from '../config.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import { DataCache } from './data/data-cache.ts';
import { DataStore } from './data/data-store.ts';
import { MemoryEntries, RedisEntries } from './entry-store.ts';
import type { Following } from './outbox/following.ts';
import type { FastRedis } from './redis.ts';
import { ResponseCache } from './response-cache.ts';
import { isShared } from './versions.ts';

export interface CacheFoundation {
  readonly config: Config;
  readonly monitor: Monitor;
  readonly following: Following;
  readonly redis?: FastRedis | undefined;
  /** Differs between deployments whose kept values may differ for the same question. */
  readonly layout: string;
}

/** Answers and the values that they are made of. */
export interface Caches {
  readonly cache: ResponseCache;
  readonly data: DataCache;
}

/**
 * Both kinds of entries, within one bound: over Redis where there is one, within the process
 * otherwise.
 */
export function createCaches({
  config: { cache: config, limits },
  monitor,
  following,
  redis,
  layout: ofCode,
}: CacheFoundation): Caches {
  // Counts end there, in answers and in values alike.
  const layout = `${ofCode} ${limits.searches.rows}`;
  const memory = new MemoryEntries(config.memoryBytes);
  const { versions } = following;
  const shared = redis && isShared(versions) ? new RedisEntries(redis, versions, { ...config, layout }) : undefined;
  const store = new DataStore({ memory, redis, compressAboveBytes: config.compressAboveBytes, monitor, layout });
  return {
    cache: new ResponseCache({ config, following, memory, monitor, ...(shared && { shared }) }),
    data: new DataCache({ enabled: config.enabled, following, store, locks: shared?.locks, monitor }),
  };
}
