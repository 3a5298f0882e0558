import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { RedisVersions } from '../redis-versions.ts';
import { freshEpoch } from '../versions.ts';
import type { FollowerState } from './following.ts';
import type { Lease, LeaseStore } from './lease-store.ts';
import type { OutboxChange, OutboxPoll, OutboxReader } from './outbox-reader.ts';
import { isContinued } from './position.ts';
import { GRACE_MS, LEASE_MS, RENEW_MS } from './timing.ts';

/** How often the database is told that the term goes on; one that says nothing for a minute is taken for dead. */
const ANNOUNCE_MS = 10_000;

export interface DrainTermOptions {
  readonly reader: OutboxReader;
  readonly leases: LeaseStore;
  readonly versions: RedisVersions;
  readonly serverId: string;
  readonly state: FollowerState;
}

/** A poll of which not everything is in the versions yet. */
interface OpenPoll {
  readonly poll: OutboxPoll;
  /** Redis's clock before the poll. */
  readonly seenAtMs: number;
  /** When it began, on the clock of this process. */
  readonly startedMs: number;
  changes: readonly OutboxChange[];
  /** Bumps that processes may not have heard of yet. */
  unheard: number;
}

/** What a lease says of the place reached. */
type Reached = Pick<Lease, 'generation' | 'snapshot' | 'serverStart' | 'seenAtMs'>;

/** The time from one election of a drainer to the first thing that goes wrong. */
export class DrainTerm {
  readonly holder = randomUUID();
  /** When a lease was sent last, on the clock of this process; it may have arrived though an error was the answer. */
  lastLeaseMs: number | undefined;
  readonly #open: OpenPoll[] = [];
  #announcedMs = Number.NEGATIVE_INFINITY;
  #redisMs: number;
  #last: OutboxPoll | undefined;

  private constructor(
    private readonly options: DrainTermOptions,
    nowMs: number,
    private reached: Reached | undefined,
  ) {
    this.#redisMs = nowMs;
  }

  /** Goes on from where the last drainer got to. @throws when Redis takes no writes */
  static async begin(options: DrainTermOptions): Promise<DrainTerm> {
    const { nowMs, lease, serverId } = await options.leases.readToContinue();
    if (serverId !== options.serverId) throw new Error('Redis is another one than before');
    return new DrainTerm(options, nowMs, lease);
  }

  /**
   * Reads what is new, puts it into the versions, and tells all how far it got.
   * @returns whether there was anything to do. @throws at the first thing that fails; the term is over then
   */
  async step(): Promise<boolean> {
    await this.#announce();
    const found = await this.#poll();
    const wasOpen = this.#open.length > 0;
    await this.#settle();
    const isDue = this.lastLeaseMs === undefined || performance.now() - this.lastLeaseMs >= RENEW_MS;
    if ((wasOpen && this.#open.length === 0) || isDue) await this.#lease();
    return found || this.#open.length > 0;
  }

  /** Before the first poll, so that a write that finds nothing announced is in it. */
  async #announce(): Promise<void> {
    if (performance.now() - this.#announcedMs < ANNOUNCE_MS) return;
    this.#announcedMs = performance.now();
    await this.options.reader.announceTrust(this.options.serverId, this.holder);
  }

  async #poll(): Promise<boolean> {
    const { reader, state } = this.options;
    const [startedMs, seenAtMs] = [performance.now(), this.#redisMs];
    const poll = await reader.poll(this.#last?.snapshot ?? this.reached?.snapshot);
    const before = this.#last ?? this.reached;
    const isNext = before && isContinued(before, poll);
    if (!isNext) this.#beginAnew(poll, seenAtMs);
    const changes = isNext ? poll.changes : [];
    state.followedRows += changes.length;
    this.#last = poll;
    this.#open.push({ poll, seenAtMs, startedMs, changes, unheard: 0 });
    return changes.length > 0;
  }

  /** What was kept before belongs to another generation; what is read from now on needs no bump for what came before. */
  #beginAnew({ snapshot, serverStart }: OutboxPoll, seenAtMs: number): void {
    this.#open.length = 0;
    this.reached = { generation: freshEpoch(), snapshot, serverStart, seenAtMs };
    this.options.state.generations++;
  }

  /**
   * All polls together; the lease only ever speaks of the polls of which nothing is left. Nobody is waited for here: what
   * other tenants' rows say must not be late because a process does not hear.
   */
  async #settle(): Promise<void> {
    const { versions, serverId, state } = this.options;
    for (const open of this.#open) {
      if (open.changes.length === 0) continue;
      const isFinal = performance.now() - open.startedMs > GRACE_MS;
      const { left, heard } = await versions.drain(serverId, open.changes, isFinal);
      open.changes = left;
      if (!heard) continue;
      open.unheard++;
      heard.then(() => {
        open.unheard--;
      });
    }
    while (this.#open[0]?.changes.length === 0 && this.#open[0].unheard === 0) {
      const { poll, seenAtMs, startedMs } = this.#open.shift() as OpenPoll;
      const { generation } = this.reached as Reached;
      this.reached = { generation, snapshot: poll.snapshot, serverStart: poll.serverStart, seenAtMs };
      state.lagMs = performance.now() - startedMs;
    }
  }

  async #lease(): Promise<void> {
    const { leases, serverId } = this.options;
    const { generation, snapshot, serverStart, seenAtMs } = this.reached as Reached;
    this.lastLeaseMs = performance.now();
    const untilMs = seenAtMs + LEASE_MS;
    this.#redisMs = await leases.write(serverId, { generation, snapshot, serverStart, seenAtMs, untilMs });
  }
}
