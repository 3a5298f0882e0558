import { performance } from 'node:perf_hooks';
import { Loop } from '../../loop.ts';
import type { TenantDatabase } from '../../tenancy/tenant-database.ts';
import { type FastRedis, RedisFailed } from '../redis/redis.ts';
import { ELECTION_MS, LEASE_MS, MARGIN_MS } from '../redis/timing.ts';
import { type OutboxConnection, OutboxReader } from '../versions/outbox-reader.ts';
import type { SharedVersions } from '../versions/versions.ts';
import type { ChangeFeedState } from './change-feed.ts';
import { LeadershipTerm, OtherDatabase } from './leadership-term.ts';
import type { LeaseStore } from './lease-store.ts';
import { nextPauseMs } from './pause.ts';

export interface OutboxRelayOptions {
  readonly connection: OutboxConnection;
  readonly redis: FastRedis;
  readonly leases: LeaseStore;
  readonly versions: SharedVersions;
  /** The service's own connections, for what is not urgent. */
  readonly database: TenantDatabase;
  readonly state: ChangeFeedState;
  readonly onError: (error: Error) => void;
  /** Told of every round that works. */
  readonly onWorks: () => void;
}

/** A restarted PostgreSQL finds its own lease of before, which is over then. */
const OTHER_DATABASE_TOLD_AFTER_MS = 2 * LEASE_MS;

/**
 * For each Redis one process relays the outbox to its versions; the others try to, four times a
 * second. The lock that elects it lives and dies with its connection to PostgreSQL, and it gives
 * both up as soon as Redis fails it, since another process may reach Redis.
 */
export class OutboxRelay {
  readonly #loop: Loop;
  readonly #withdrawals = new Set<NodeJS.Timeout>();
  #reader: OutboxReader | undefined;
  #term: LeadershipTerm | undefined;
  #serverId = '';
  #pauseMs = 0;
  #otherDatabaseSinceMs: number | undefined;

  constructor(private readonly options: OutboxRelayOptions) {
    options.state.role = 'standby';
    this.#loop = new Loop(
      () => (this.#term ? this.#relay(this.#term) : this.#stand()),
      (error) => this.#failed(error),
      options.onWorks,
    );
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    for (const timer of this.#withdrawals) clearTimeout(timer);
    await this.#reader?.close().catch(this.options.onError);
  }

  /** Each Redis has a relay of its own, so that several deployments on one database all work. */
  async #stand(): Promise<number> {
    const { connection, redis, leases, versions, state } = this.options;
    const serverId = await redis.run(async (_client, id) => id);
    this.#reader ??= await OutboxReader.open(connection);
    // The lock's name is that of earlier releases: of several at once only one process relays.
    if (!(await this.#reader.tryLock(`tenantry cache drainer ${serverId}`))) return ELECTION_MS;
    this.#serverId = serverId;
    this.#term = await LeadershipTerm.begin({ reader: this.#reader, leases, versions, serverId, state });
    this.#otherDatabaseSinceMs = undefined;
    state.role = 'relay';
    state.elections++;
    return 0;
  }

  async #relay(term: LeadershipTerm): Promise<number> {
    this.#pauseMs = nextPauseMs(this.#pauseMs, await term.step());
    return this.#pauseMs;
  }

  #failed(error: Error): number {
    if (this.#isToTell(error)) this.options.onError(error);
    this.options.state.role = 'standby';
    if (this.#term) this.#withdrawLater(this.#term);
    this.#term = undefined;
    if (error instanceof OtherDatabase) return ELECTION_MS; // no other process would fare better
    this.#reader?.close().catch(() => {}); // it may be what failed; its lock goes with it
    this.#reader = undefined;
    return ELECTION_MS;
  }

  #isToTell(error: Error): boolean {
    if (error instanceof RedisFailed) return false; // told already
    if (!(error instanceof OtherDatabase)) return true;
    this.#otherDatabaseSinceMs ??= performance.now();
    return performance.now() - this.#otherDatabaseSinceMs > OTHER_DATABASE_TOLD_AFTER_MS;
  }

  /**
   * When the last lease is over, and nobody else has taken the office, nobody trusts: writes whose
   * bump fails then need not wait.
   */
  #withdrawLater({ holder, lastLeaseMs = performance.now() }: LeadershipTerm): void {
    const serverId = this.#serverId;
    const timer = setTimeout(
      () => {
        this.#withdrawals.delete(timer);
        this.options.database
          .withConnection((client) =>
            client.query('DELETE FROM cache_trust WHERE server_id = $1 AND holder = $2', [serverId, holder]),
          )
          .catch(this.options.onError);
      },
      lastLeaseMs + LEASE_MS + MARGIN_MS - performance.now(),
    );
    this.#withdrawals.add(timer);
  }
}
