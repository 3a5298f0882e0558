import type { Config } from '../config.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import { MemoryEntries, RedisEntries } from './entry-store.ts';
import type { Following } from './outbox/following.ts';
import type { FastRedis } from './redis.ts';
import { RedisVersions } from './redis-versions.ts';
import { ResponseCache } from './response-cache.ts';

/** The response cache: over Redis where there is one, within the process otherwise. */
export function createResponseCache(
  { cache: config }: Config,
  monitor: Monitor,
  following: Following,
  redis?: FastRedis,
): ResponseCache {
  const memory = new MemoryEntries(config.memoryBytes);
  const { versions } = following;
  const shared =
    redis && versions instanceof RedisVersions
      ? new RedisEntries(redis, versions, config.compressAboveBytes)
      : undefined;
  return new ResponseCache({ config, following, memory, monitor, ...(shared && { shared }) });
}
