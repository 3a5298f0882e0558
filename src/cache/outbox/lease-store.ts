import type { Redis } from 'ioredis';
import type { FastRedis } from '../redis.ts';
import { parseSnapshot } from './snapshot.ts';

/** One key for the whole Redis: it belongs to no tenant. */
const LEASE_KEY = 'tenantry:cache:lease';
/** The place in the outbox outlives the lease by far: whoever drains next goes on from it. */
const KEY_TTL_MS = 14 * 24 * 3600 * 1000;

/** What the drainer tells all who share the Redis. Times are of Redis's clock, in milliseconds since 1970. */
export interface Lease {
  readonly generation: string;
  /** Everything that this snapshot sees is in the versions. */
  readonly snapshot: string;
  readonly serverStart: string;
  /** A moment before the snapshot was taken. */
  readonly seenAtMs: number;
  /** Until when the versions may be trusted. Absolute, so that a write that Redis carries out late prolongs nothing. */
  readonly untilMs: number;
}

export interface LeaseReading {
  /** Redis's own clock, before the lease was read. */
  readonly nowMs: number;
  readonly lease: Lease | undefined;
  readonly serverId: string;
}

/** The lease in Redis. */
export class LeaseStore {
  constructor(private readonly redis: Pick<FastRedis, 'run'>) {}

  async read(): Promise<LeaseReading> {
    return this.redis.run(async (client, serverId) => {
      const [nowMs, text] = await Promise.all([redisTimeMs(client), client.get(LEASE_KEY)]);
      return { nowMs, serverId, lease: parseLease(text) };
    });
  }

  /** As `read`, for who wants to drain. @throws when Redis takes no writes, as when its memory is full */
  async readToContinue(): Promise<LeaseReading> {
    return this.redis.run(async (client, serverId) => {
      const probe = client.set(`${LEASE_KEY}:probe`, '1', 'PX', 1_000);
      const [nowMs, text] = await Promise.all([redisTimeMs(client), client.get(LEASE_KEY), probe]);
      return { nowMs, serverId, lease: parseLease(text) };
    }, 'bump');
  }

  /**
   * @param serverId the Redis that the lease is for
   * @returns Redis's clock
   * @throws when it was not stored, or on another server
   */
  async write(serverId: string, lease: Lease): Promise<number> {
    return this.redis.run(async (client, actualId) => {
      if (actualId !== serverId) throw new Error('Redis is another one than before');
      const written = client.set(LEASE_KEY, JSON.stringify(lease), 'PX', KEY_TTL_MS);
      const [nowMs] = await Promise.all([redisTimeMs(client), written]);
      return nowMs;
    }, 'bump');
  }
}

async function redisTimeMs(client: Redis): Promise<number> {
  const [seconds, microseconds] = (await client.time()).map(Number);
  if (seconds === undefined || microseconds === undefined) throw new Error('Redis does not tell the time');
  return seconds * 1000 + microseconds / 1000;
}

/** What is no lease counts as none: the next one takes its place. */
function parseLease(text: string | null): Lease | undefined {
  if (text === null) return undefined;
  try {
    const lease = JSON.parse(text) as Lease;
    const isWhole =
      [lease.generation, lease.serverStart].every((part) => typeof part === 'string') &&
      [lease.seenAtMs, lease.untilMs].every(Number.isFinite);
    parseSnapshot(lease.snapshot);
    return isWhole ? lease : undefined;
  } catch {
    return undefined;
  }
}
