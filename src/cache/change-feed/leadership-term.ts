import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { OperatorError } from '../../errors.ts';
import { LEASE_MS, MARGIN_MS, RENEW_MS } from '../redis/timing.ts';
import { isContinued } from '../versions/checkpoint.ts';
import type { OutboxChange, OutboxPoll, OutboxReader } from '../versions/outbox-reader.ts';
import type { SharedVersions } from '../versions/versions.ts';
import type { ChangeFeedState } from './change-feed.ts';
import { isLive, type Lease, type LeaseStore } from './lease-store.ts';

/**
 * How often the database is told that the term goes on; one that says nothing for a minute is taken
 * for dead.
 */
const ANNOUNCE_MS = 10_000;

export interface LeadershipTermOptions {
  readonly reader: OutboxReader;
  readonly leases: LeaseStore;
  readonly versions: SharedVersions;
  readonly serverId: string;
  readonly state: ChangeFeedState;
}

/** A poll of which not everything is in the versions yet, or not heard of. */
interface OpenPoll {
  readonly poll: OutboxPoll;
  /** Redis's clock before the poll. */
  readonly seenAtMs: number;
  /** When it began, on the clock of this process. */
  readonly startedMs: number;
  changes: readonly OutboxChange[];
  isHeard: boolean;
}

/** What a lease says of the checkpoint reached. */
type Reached = Omit<Lease, 'server' | 'untilMs'>;

/** The time from one election of an outbox relay to the first thing that goes wrong. */
export class LeadershipTerm {
  readonly holder = randomUUID();
  /**
   * When a lease was sent last, on the clock of this process; it may have arrived though an error
   * was the answer.
   */
  lastLeaseMs: number | undefined;
  readonly #open: OpenPoll[] = [];
  #announcedMs = Number.NEGATIVE_INFINITY;
  #isTrustedElsewhere = false;
  /** No lease is written before. */
  #leaseFromMs = Number.NEGATIVE_INFINITY;
  #redisMs: number;
  #last: OutboxPoll | undefined;

  private constructor(
    private readonly options: LeadershipTermOptions,
    nowMs: number,
    private reached: Reached | undefined,
  ) {
    this.#redisMs = nowMs;
  }

  /**
   * Goes on from the checkpoint of the last relay, if that was on this very Redis: a lease that
   * names another one came with its data, which may be older than what was read here.
   * @throws when Redis takes no writes, another database has a lease there, or what is written now
   *   may not be seen
   */
  static async begin(options: LeadershipTermOptions): Promise<LeadershipTerm> {
    const { nowMs, lease, serverId } = await options.leases.readToContinue();
    if (serverId !== options.serverId) throw new Error('Redis is another one than before');
    const { database } = await options.reader.poll();
    if (lease && lease.database !== database && isLive(lease, nowMs)) throw new OtherDatabase();
    return new LeadershipTerm(options, nowMs, lease?.server === serverId ? lease : undefined);
  }

  /**
   * Reads what is new, puts it into the versions, and tells all how far it got.
   * @returns whether there was anything to do. @throws at the first thing that fails; the term is
   *   over then
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
    this.#isTrustedElsewhere = await this.options.reader.announceTrust(this.options.serverId, this.holder);
  }

  async #poll(): Promise<boolean> {
    const { reader, state } = this.options;
    const [startedMs, seenAtMs] = [performance.now(), this.#redisMs];
    const poll = await reader.poll(this.#last?.snapshot ?? this.reached?.snapshot);
    const before = this.#last ?? this.reached;
    const isNext = before !== undefined && isContinued(before, poll);
    if (!isNext) this.#beginAnew(poll, seenAtMs);
    const changes = isNext ? poll.changes : [];
    state.rowsRead += changes.length;
    this.#last = poll;
    this.#open.push({ poll, seenAtMs, startedMs, changes, isHeard: true });
    return changes.length > 0;
  }

  /**
   * What was kept before belongs to another term; what is read from now on needs no bump for what
   * came before. After a failover a process may still reach the old Redis, and trust what it read
   * there until that lease is over.
   */
  #beginAnew({ snapshot, database, triggers }: OutboxPoll, seenAtMs: number): void {
    this.#open.length = 0;
    this.reached = { term: randomUUID(), snapshot, database, triggers, seenAtMs };
    if (this.#isTrustedElsewhere) this.#leaseFromMs = performance.now() + LEASE_MS + MARGIN_MS;
    this.options.state.terms++;
  }

  /**
   * All polls together; the lease only ever speaks of the polls of which nothing is left. Nobody is
   * waited for here: what other tenants' rows say must not be late because a process does not hear.
   */
  async #settle(): Promise<void> {
    const { versions, serverId, state } = this.options;
    for (const open of this.#open) {
      if (open.changes.length === 0) continue;
      const { heard } = await versions.relay(serverId, open.changes);
      open.changes = [];
      if (!heard) continue;
      open.isHeard = false;
      heard.then(() => {
        open.isHeard = true;
      });
    }
    while (this.#open[0]?.changes.length === 0 && this.#open[0].isHeard) {
      const { poll, seenAtMs, startedMs } = this.#open.shift() as OpenPoll;
      const { snapshot, database, triggers } = poll;
      this.reached = { term: (this.reached as Reached).term, snapshot, database, triggers, seenAtMs };
      state.lagMs = performance.now() - startedMs;
    }
  }

  async #lease(): Promise<void> {
    const { leases, serverId } = this.options;
    const reached = this.reached as Reached;
    if (performance.now() < this.#leaseFromMs) return;
    this.lastLeaseMs = performance.now();
    const { nowMs, isWritten } = await leases.write({
      ...reached,
      server: serverId,
      untilMs: reached.seenAtMs + LEASE_MS,
    });
    if (!isWritten) throw new OtherDatabase();
    this.#redisMs = nowMs;
  }
}

/** Two databases, or a database and a copy of it, on one Redis. */
export class OtherDatabase extends OperatorError {
  constructor() {
    super(
      'Another database is served from the same Redis. This one’s answers are not kept there meanwhile.',
      'Set CACHE_KEY_PREFIX to different words for the two, or give each a Redis or a database number of its own.',
    );
  }
}
