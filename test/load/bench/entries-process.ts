// Fills the cache's tiers by the cache's own code, in a process of its own: what it takes is then
// the entries'.
import { setTimeout as delay } from 'node:timers/promises';

import { MemoryEntries } from '../../../src/cache/store/entry-store.ts';
import { MemoryVersions } from '../../../src/cache/versions/memory-versions.ts';
import type { VersionStore } from '../../../src/cache/versions/versions.ts';
import type { EntriesJob, EntriesMessage, EntriesResult, InvalidationTimes, KeptMemory } from './entries.ts';
import { entryOf, fillRedis, keyOf, openRedisTier, scopeOf } from './kept-entries.ts';
import { timeBumps } from './time-bumps.ts';

const TENANTS = 200;
/** Of a small dashboard; the size of the entries of the bound that is shown. */
const BODY_BYTES = 1_000;
/** Small, so that a million of them fit into any machine: here their number is what counts. */
const SMALL_BODY_BYTES = 40;
const FEW = 10;
/** So many times its share, so that one tenant may keep all of them. */
const ROOM_PER_ENTRY_BYTES = 8_000;
/** A bump in the process takes less than the clock can tell. */
const BUMPS_PER_SAMPLE = { memory: 1_000, redis: 1 };
const TOLD_EVERY = 10_000;
/** Buffers are freed by the one after that which found them unused, and in the background. */
const COLLECTIONS = 3;

const JOBS: Record<EntriesJob['kind'], (job: EntriesJob) => Promise<EntriesResult>> = {
  memory: async ({ count, memoryBytes }) => keepInMemory(count, memoryBytes),
  redis: keepInRedis,
  'invalidate-memory': async ({ count }) => invalidateInMemory(count),
  'invalidate-redis': invalidateInRedis,
};

process.on('message', (job: EntriesJob) => {
  JOBS[job.kind](job).then(
    (result) => send({ result }),
    (error: Error) => send({ error: error.message }),
  );
});
process.on('disconnect', () => process.exit(0));

async function keepInMemory(count: number, memoryBytes: number): Promise<KeptMemory> {
  const before = await memoryInUse();
  const entries = new MemoryEntries(memoryBytes);
  for (let number = 0; number < count; number++) {
    const { key, entry } = entryOf(scopeOf(number % TENANTS), number, BODY_BYTES);
    entries.set(key, entry);
    tell(number);
  }
  const after = await memoryInUse();
  const kept = countKept(entries, count, (number) => number % TENANTS);
  return {
    kept,
    boundBytes: memoryBytes,
    countedBytes: entries.bytes,
    liveBytes: after.liveBytes - before.liveBytes,
    residentBytes: after.residentBytes - before.residentBytes,
  };
}

async function keepInRedis({ count, redisUrl }: EntriesJob): Promise<KeptMemory> {
  const { redis, entries, close } = await openRedisTier(redisUrl ?? '');
  const make = (number: number) => entryOf(scopeOf(number % TENANTS), number, BODY_BYTES);
  await fillRedis(entries, count, make, tell);
  const { info, kept } = await redis.run(async (client) => ({
    info: await client.info('memory'),
    kept: await client.dbsize(),
  }));
  await close();
  const bytes = (field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1]);
  return {
    kept,
    boundBytes: bytes('maxmemory'),
    countedBytes: bytes('used_memory'),
    liveBytes: bytes('used_memory'),
    residentBytes: bytes('used_memory_rss'),
  };
}

function invalidateInMemory(count: number): Promise<InvalidationTimes> {
  const entries = new MemoryEntries(count * ROOM_PER_ENTRY_BYTES);
  const put = (tenant: number, number: number) => {
    const { key, entry } = entryOf(scopeOf(tenant), number, SMALL_BODY_BYTES);
    entries.set(key, entry);
  };
  for (let number = 0; number < FEW; number++) put(0, number);
  for (let number = 0; number < count; number++) {
    put(1, number);
    tell(number);
  }
  const kept = countKept(entries, count, () => 1);
  return measureBumps(new MemoryVersions(), kept, BUMPS_PER_SAMPLE.memory);
}

async function invalidateInRedis({ count, redisUrl }: EntriesJob): Promise<InvalidationTimes> {
  const { redis, bumps, entries, close } = await openRedisTier(redisUrl ?? '');
  const make = (tenant: number) => (number: number) => entryOf(scopeOf(tenant), number, SMALL_BODY_BYTES);
  await fillRedis(entries, FEW, make(0), tell);
  await fillRedis(entries, count, make(1), tell);
  const kept = (await redis.run((client) => client.dbsize())) - FEW;
  const times = await measureBumps(bumps, kept, BUMPS_PER_SAMPLE.redis);
  await close();
  return times;
}

async function measureBumps(
  versions: Pick<VersionStore, 'bump'>,
  manyEntries: number,
  bumpsPerSample: number,
): Promise<InvalidationTimes> {
  const [few, many] = await timeBumps(versions, [scopeOf(0), scopeOf(1)], bumpsPerSample);
  return { fewEntries: FEW, manyEntries, fewMicros: few, manyMicros: many };
}

function countKept(entries: MemoryEntries, count: number, tenantOf: (number: number) => number): number {
  let kept = 0;
  for (let number = 0; number < count; number++) if (entries.has(keyOf(scopeOf(tenantOf(number)), number))) kept++;
  return kept;
}

/** Without what is only waiting to be collected. */
async function memoryInUse(): Promise<{ liveBytes: number; residentBytes: number }> {
  for (let pass = 0; pass < COLLECTIONS; pass++) {
    globalThis.gc?.();
    await delay(50);
  }
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return { liveBytes: heapUsed + arrayBuffers, residentBytes: rss };
}

function tell(done: number): void {
  if (done % TOLD_EVERY === 0) send({ done });
}

function send(message: EntriesMessage): void {
  process.send?.(message);
}
