import { type FastRedis, RedisFailed } from '../redis/redis.ts';
import { historyOf } from '../redis/redis-server.ts';
import type { Checkpoint } from '../versions/checkpoint.ts';
import { parseSnapshot } from '../versions/snapshot.ts';

/**
 * One key for all of a deployment: it belongs to no tenant. Named by its layout, so that processes
 * of different versions trust nothing of each other.
 */
export const LEASE_KEY = 'tenantry:cache:lease:2';
/** The checkpoint outlives the lease by far: the next relay goes on from it. */
const KEY_TTL_MS = 14 * 24 * 3600 * 1000;

/**
 * What the outbox relay tells all who share the Redis. Times are of Redis's clock, in milliseconds
 * since
 * 1970.
 */
export interface Lease extends Checkpoint {
  /** The Redis that it was written to. A copy of it, on a replica, says nothing of the replica. */
  readonly server: string;
  /** The leadership term, by a random name. Nothing that was kept in one is current in another. */
  readonly term: string;
  /** A moment before the snapshot was taken. */
  readonly seenAtMs: number;
  /**
   * Until when the versions may be trusted. Absolute, so that a write that Redis carries out late
   * prolongs nothing.
   */
  readonly untilMs: number;
}

export interface LeaseReading {
  /** Redis's own clock when the lease was read. */
  readonly nowMs: number;
  readonly lease: Lease | undefined;
  readonly serverId: string;
}

export interface LeaseOutcome {
  /** Redis's own clock. */
  readonly nowMs: number;
  /** False when another database keeps a lease there, which stays. */
  readonly isWritten: boolean;
}

/** The server is no master, or was none for a while: it may have lost what it had. */
export class ServerLost extends RedisFailed {
  override name = 'ServerLost';
}

/** The lease in Redis. */
export class LeaseStore {
  constructor(private readonly redis: Pick<FastRedis, 'run' | 'leave'>) {}

  /**
   * @throws when the server is no master, or its data are no longer the ones that it had when it
   *   was connected
   */
  async read(): Promise<LeaseReading> {
    const { serverId, answer } = await this.redis.run(async (client, serverId) => ({
      serverId,
      answer: await client.readLease(LEASE_KEY),
    }));
    return this.#reading(serverId, answer);
  }

  /**
   * As `read`, for a process that is about to relay the outbox. @throws when Redis takes no writes,
   * too, as when its memory is full
   */
  async readToContinue(): Promise<LeaseReading> {
    const { serverId, answer } = await this.redis.run(async (client, serverId) => {
      const probe = client.set(`${LEASE_KEY}:probe`, '1', 'PX', 1_000);
      const [answer] = await Promise.all([client.readLease(LEASE_KEY), probe]);
      return { serverId, answer };
    }, 'bump');
    return this.#reading(serverId, answer);
  }

  /** @throws when it was not stored, or the server is not the one that the lease is for */
  async write(lease: Lease): Promise<LeaseOutcome> {
    const { nowMs, outcome } = await this.redis.run(async (client, serverId) => {
      if (serverId !== lease.server) throw new Error('Redis is another one than before');
      const text = JSON.stringify(lease);
      const [time, outcome] = await client.writeLease(LEASE_KEY, historyOf(serverId), lease.database, text, KEY_TTL_MS);
      return { nowMs: Number(time), outcome };
    }, 'bump');
    if (outcome === 'another server') throw this.#left();
    return { nowMs, isWritten: outcome === 'written' };
  }

  #reading(serverId: string, [time, role, history, text]: [string, string, string, string | null]): LeaseReading {
    if (role !== 'master' || history !== historyOf(serverId)) throw this.#left();
    return { nowMs: Number(time), serverId, lease: parseLease(text) };
  }

  #left(): ServerLost {
    const reason = 'Redis was made a replica, or was one meanwhile';
    this.redis.leave(reason);
    return new ServerLost(reason);
  }
}

/**
 * Whether a lease is valid at a moment. One from the future was written before the clock was set
 * back.
 */
export function isLive({ seenAtMs, untilMs }: Lease, nowMs: number): boolean {
  return seenAtMs <= nowMs && nowMs < untilMs;
}

/** What is no lease counts as none: the next one takes its place. */
function parseLease(text: string | null): Lease | undefined {
  if (text === null) return undefined;
  try {
    const lease = JSON.parse(text) as Lease;
    const words = [lease.server, lease.database, lease.triggers, lease.term];
    const times = [lease.seenAtMs, lease.untilMs];
    parseSnapshot(lease.snapshot);
    return words.every((word) => typeof word === 'string') && times.every(Number.isFinite) ? lease : undefined;
  } catch {
    return undefined;
  }
}
