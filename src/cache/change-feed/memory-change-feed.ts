import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { Loop } from '../../loop.ts';
import { TenantScope } from '../../tenancy/tenant-scope.ts';
import { dependenciesIn } from '../dependencies/dependencies.ts';
import { ELECTION_MS, LEASE_MS } from '../redis/timing.ts';
import { isContinued } from '../versions/checkpoint.ts';
import type { MemoryVersions } from '../versions/memory-versions.ts';
import { type OutboxConnection, type OutboxPoll, OutboxReader } from '../versions/outbox-reader.ts';
import { now, type Trust } from '../versions/trust.ts';
import type { ChangeFeedState } from './change-feed.ts';
import { nextPauseMs } from './pause.ts';

export interface MemoryChangeFeedOptions {
  readonly connection: OutboxConnection;
  readonly versions: MemoryVersions;
  readonly trust: Trust;
  readonly state: ChangeFeedState;
  readonly onError: (error: Error) => void;
  /** Told of every round that works. */
  readonly onWorks: () => void;
}

/**
 * Reads the outbox for the versions of its own process; any number of processes do so side by side.
 */
export class MemoryChangeFeed {
  readonly #loop: Loop;
  #reader: OutboxReader | undefined;
  #last: OutboxPoll | undefined;
  #pauseMs = 0;
  /** When the last poll that is done with began. */
  caughtUpMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: MemoryChangeFeedOptions) {
    options.state.role = 'alone';
    this.#loop = new Loop(
      () => this.#poll(),
      (error) => this.#failed(error),
      options.onWorks,
    );
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    this.options.trust.revoke();
    await this.#reader?.close().catch(this.options.onError);
  }

  /** See `ChangeFeed`. */
  async regainTrust(): Promise<boolean> {
    await this.#loop.untilNextRound();
    return this.options.trust.isValid;
  }

  async #poll(): Promise<number> {
    const { connection, trust, state } = this.options;
    this.#reader ??= await OutboxReader.open(connection);
    const since = now();
    const poll = await this.#reader.poll(this.#last?.snapshot);
    if (this.#last && isContinued(this.#last, poll)) await this.#bump(poll);
    else this.#beginAnew();
    this.#last = poll;
    trust.grant(TERM, '', since, LEASE_MS);
    this.caughtUpMs = since.monotonicMs;
    state.lagMs = performance.now() - since.monotonicMs;
    this.#pauseMs = nextPauseMs(this.#pauseMs, poll.changes.length > 0);
    return this.#pauseMs;
  }

  async #bump({ changes }: OutboxPoll): Promise<void> {
    const { versions, state } = this.options;
    state.rowsRead += changes.length;
    for (const { tenantId, dependencies, writeId } of changes)
      await versions.bump(TenantScope.ofOutboxRow(tenantId), dependenciesIn(dependencies), writeId ?? undefined);
  }

  #beginAnew(): void {
    this.options.versions.forgetAll();
    this.options.state.terms++;
  }

  /** The next poll goes on where the last one ended, by another connection. */
  #failed(error: Error): number {
    this.options.onError(error);
    this.#reader?.close().catch(() => {}); // it failed already
    this.#reader = undefined;
    return ELECTION_MS;
  }
}

/**
 * A process has only one: its versions are gone with it, and those that it forgets are never used
 * again.
 */
const TERM = randomUUID();
