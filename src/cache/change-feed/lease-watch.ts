import { setTimeout as delay } from 'node:timers/promises';
import { Loop } from '../../loop.ts';
import { LEASE_MS, READ_LEASE_MS, RENEW_MS } from '../redis/timing.ts';
import { elapsedMs, type Moment, now, type Trust } from '../versions/trust.ts';
import type { DatabaseIdentity } from './database-identity.ts';
import { isLive, type Lease, type LeaseReading, type LeaseStore, ServerLost } from './lease-store.ts';

export interface LeaseWatchOptions {
  readonly leases: Pick<LeaseStore, 'read'>;
  readonly trust: Trust;
  readonly database: Pick<DatabaseIdentity, 'is'>;
}

/** Keeps a process's trust in the versions in Redis up to date, away from the requests. */
export class LeaseWatch {
  readonly #loop: Loop;
  /** The last lease that was seen to be valid, and before when it was first read. */
  #first: { readonly lease: string; readonly since: Moment } | undefined;

  constructor(private readonly options: LeaseWatchOptions) {
    // FastRedis has told of its failures. The trust that there is runs out by itself.
    this.#loop = new Loop(
      () => this.#read(),
      () => RENEW_MS,
    );
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    this.options.trust.revoke();
  }

  /** See `ChangeFeed`. */
  async regainTrust(): Promise<boolean> {
    await this.#loop.untilNextRound();
    return this.options.trust.isValid;
  }

  /**
   * Resolves when the lease speaks of a poll that began after the call, and this process has taken
   * note of it.
   */
  async untilCaughtUp(signal: AbortSignal): Promise<void> {
    const failed = () => undefined; // FastRedis has told of it; asked again until the signal
    let calledMs: number | undefined;
    for (;;) {
      const since = now();
      const reading = await this.options.leases.read().catch(failed);
      calledMs ??= reading?.nowMs;
      if (reading?.lease && calledMs !== undefined && reading.lease.seenAtMs >= calledMs)
        if (await this.#judge(reading, reading.lease, since)) return;
      await delay(5, undefined, { signal });
    }
  }

  async #read(): Promise<number> {
    const { leases, trust } = this.options;
    const since = now();
    const reading = await leases.read().catch((error) => {
      // A server that is no master any more is not trusted at once; one that cannot be reached,
      // until the lease is over.
      if (error instanceof ServerLost) trust.revoke();
      throw error;
    });
    if (reading.lease) await this.#judge(reading, reading.lease, since);
    if (!trust.isValid) throw new Error('no process relays the outbox at the moment');
    return READ_LEASE_MS;
  }

  /** Trusts a lease of exactly the Redis and the database that this process uses. */
  async #judge({ nowMs, serverId }: LeaseReading, lease: Lease, since: Moment): Promise<boolean> {
    const { trust, database } = this.options;
    if (lease.server !== serverId || !(await database.is(lease.database))) {
      trust.revoke();
      return false;
    }
    if (!isLive(lease, nowMs)) return false;
    trust.grant(lease.term, serverId, since, Math.min(lease.untilMs - nowMs, this.#leftOf(lease, since)));
    return trust.isValid;
  }

  /**
   * By the clocks of this process: Redis's own may be set back, and the lease then seem to last
   * for long.
   */
  #leftOf({ term, seenAtMs }: Lease, since: Moment): number {
    const lease = `${term} ${seenAtMs}`;
    if (this.#first?.lease !== lease) this.#first = { lease, since };
    return LEASE_MS - elapsedMs(this.#first.since);
  }
}
