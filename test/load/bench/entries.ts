import path from 'node:path';

import { formatCount } from '../../../src/cli/format.ts';
import type { Progress } from '../../../src/cli/progress.ts';
import { readConfig } from '../../../src/config/config.ts';
import { startProcess } from './child-process.ts';
import type { Cleanup } from './cleanup.ts';
import { startRedis } from './redis.ts';

/** As docker-compose.yml sets up Redis. */
const REDIS_BOUNDS = { maxmemory: '256mb', 'maxmemory-policy': 'allkeys-lru' };

export type Tier = 'in process' | 'Redis';

/** What the process that fills a tier is asked for. */
export interface EntriesJob {
  readonly kind: 'memory' | 'redis' | 'invalidate-memory' | 'invalidate-redis';
  readonly count: number;
  /** Bound of the in-process tier. */
  readonly memoryBytes: number;
  readonly redisUrl: string | null;
}

export type EntriesResult = KeptMemory | InvalidationTimes;
export type EntriesMessage =
  | { readonly result: EntriesResult }
  | { readonly error: string }
  | { readonly done: number };

/** A tier after entries were put into it. */
export interface KeptMemory {
  readonly kept: number;
  readonly boundBytes: number;
  /** By the tier's own reckoning, which the bound applies to. */
  readonly countedBytes: number;
  /** What is in use: of the heap and of buffers after a collection, or Redis's used_memory. */
  readonly liveBytes: number;
  /**
   * What the operating system gave: to Redis, or to the filling process beyond what it had before.
   */
  readonly residentBytes: number;
}

/** How long it takes to invalidate all of a tenant's entries. */
export interface InvalidationTimes {
  readonly fewEntries: number;
  readonly manyEntries: number;
  readonly fewMicros: number;
  readonly manyMicros: number;
}

export interface MemoryResult extends KeptMemory {
  readonly tier: Tier;
  readonly put: number;
}

export interface InvalidationResult extends InvalidationTimes {
  readonly tier: Tier;
  readonly ratio: number;
}

interface Tools {
  readonly entries: number;
  readonly cleanup: Cleanup;
  readonly progress: Progress;
}

/**
 * Puts so many entries of 1,000 bytes, of 200 tenants, into each tier as it is bounded by default.
 */
export async function measureMemory({ entries, ...tools }: Tools): Promise<MemoryResult[]> {
  const { memoryBytes } = readConfig({}).cache;
  const redis = await startRedis(tools.cleanup, { settings: REDIS_BOUNDS });
  const job = { count: entries, memoryBytes, redisUrl: redis.url };
  const inProcess = await run<KeptMemory>({ ...job, kind: 'memory' }, tools);
  const inRedis = await run<KeptMemory>({ ...job, kind: 'redis' }, tools);
  await redis.stop();
  return [
    { tier: 'in process', put: entries, ...inProcess },
    { tier: 'Redis', put: entries, ...inRedis },
  ];
}

/** Times the invalidation of a tenant with ten entries beside one with so many. */
export async function measureInvalidation({ entries, ...tools }: Tools): Promise<InvalidationResult[]> {
  const redis = await startRedis(tools.cleanup);
  const job = { count: entries, memoryBytes: 0, redisUrl: redis.url };
  const inProcess = await run<InvalidationTimes>({ ...job, kind: 'invalidate-memory' }, tools);
  const inRedis = await run<InvalidationTimes>({ ...job, kind: 'invalidate-redis' }, tools);
  await redis.stop();
  const withRatio = (tier: Tier, times: InvalidationTimes) => ({
    tier,
    ...times,
    ratio: times.manyMicros / times.fewMicros,
  });
  return [withRatio('in process', inProcess), withRatio('Redis', inRedis)];
}

async function run<Result extends EntriesResult>(
  job: EntriesJob,
  { cleanup, progress }: Omit<Tools, 'entries'>,
): Promise<Result> {
  const program = path.join(import.meta.dirname, 'entries-process.js');
  const { child, output, stop } = startProcess(process.execPath, ['--expose-gc', program], cleanup, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const result = await new Promise<Result>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the process that fills the cache ended: ${output()}`)));
    child.on('message', (message: EntriesMessage) => {
      if ('result' in message) resolve(message.result as Result);
      else if ('error' in message) reject(new Error(message.error));
      else progress.update(() => `${job.kind}: ${formatCount(message.done)} of ${formatCount(job.count)} entries`);
    });
    child.send(job);
  });
  await stop();
  return result;
}
