import type { Config } from '../config.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import { MemoryEntries, RedisEntries } from './entry-store.ts';
import { MemoryVersions } from './memory-versions.ts';
import type { FastRedis } from './redis.ts';
import { RedisVersions } from './redis-versions.ts';
import { ResponseCache } from './response-cache.ts';

/** The response cache: over Redis where there is one, within the process otherwise. */
export function createResponseCache({ cache: config }: Config, monitor: Monitor, redis?: FastRedis): ResponseCache {
  const memory = new MemoryEntries(config.memoryBytes);
  if (!redis) return new ResponseCache({ config, versions: new MemoryVersions(), memory, monitor });
  const versions = new RedisVersions(redis);
  return new ResponseCache({ config, versions, memory, shared: new RedisEntries(redis, versions), monitor });
}
