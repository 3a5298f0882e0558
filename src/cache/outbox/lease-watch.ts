import { setTimeout as delay } from 'node:timers/promises';
import type { Lease, LeaseReading, LeaseStore } from './lease-store.ts';
import { Loop } from './loop.ts';
import { READ_LEASE_MS, RENEW_MS } from './timing.ts';
import { type Moment, now, type Trust } from './trust.ts';

/** Keeps a process's trust in the versions in Redis up to date, away from the requests. */
export class LeaseWatch {
  readonly #loop: Loop;

  constructor(
    private readonly leases: LeaseStore,
    private readonly trust: Trust,
  ) {
    // FastRedis has told of its failures. The trust that there is runs out by itself.
    this.#loop = new Loop(
      () => this.#read(),
      () => RENEW_MS,
    );
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    this.trust.revoke();
  }

  /** See `Following`. */
  async regainTrust(): Promise<boolean> {
    await this.#loop.untilNextRound();
    return this.trust.isValid;
  }

  /** Resolves when the lease speaks of a poll that began after the call, and this process has taken note of it. */
  async untilCaughtUp(signal: AbortSignal): Promise<void> {
    const failed = () => undefined; // FastRedis has told of it; asked again until the signal
    let calledMs: number | undefined;
    for (;;) {
      const since = now();
      const reading = await this.leases.read().catch(failed);
      calledMs ??= reading?.nowMs;
      if (reading?.lease && calledMs !== undefined && reading.lease.seenAtMs >= calledMs) {
        this.#grant(reading, reading.lease, since);
        return;
      }
      await delay(5, undefined, { signal });
    }
  }

  async #read(): Promise<number> {
    const since = now();
    const reading = await this.leases.read();
    if (reading.lease) this.#grant(reading, reading.lease, since);
    if (!this.trust.isValid) throw new Error('nobody drains the outbox at the moment');
    return READ_LEASE_MS;
  }

  #grant({ nowMs, serverId }: LeaseReading, { generation, untilMs }: Lease, since: Moment): void {
    this.trust.grant(generation, serverId, since, untilMs - nowMs);
  }
}
