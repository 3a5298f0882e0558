import type { ChangeFeed } from '../cache/change-feed/change-feed.ts';
import { DataCache } from '../cache/data/data-cache.ts';
import { DataStore } from '../cache/data/data-store.ts';
import type { FastRedis } from '../cache/redis/redis.ts';
import { ResponseCache } from '../cache/response/response-cache.ts';
import { MemoryEntries, RedisEntries } from '../cache/store/entry-store.ts';
import { isShared } from '../cache/versions/versions.ts';
import type { Config } from '../config/config.ts';
import type { Monitor } from '../monitoring/monitor.ts';

export interface CacheFoundation {
  readonly config: Config;
  readonly monitor: Monitor;
  readonly changeFeed: ChangeFeed;
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
  changeFeed,
  redis,
  layout: ofCode,
}: CacheFoundation): Caches {
  // Counts end there, in answers and in values alike.
  const layout = `${ofCode} ${limits.searches.rows}`;
  const memory = new MemoryEntries(config.memoryBytes);
  const { versions } = changeFeed;
  const shared = redis && isShared(versions) ? new RedisEntries(redis, versions, { ...config, layout }) : undefined;
  const store = new DataStore({ memory, redis, compressAboveBytes: config.compressAboveBytes, monitor, layout });
  return {
    cache: new ResponseCache({ config, changeFeed, memory, monitor, ...(shared && { shared }) }),
    data: new DataCache({ enabled: config.enabled, changeFeed, store, locks: shared?.locks, monitor }),
  };
}
