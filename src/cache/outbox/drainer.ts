import { performance } from 'node:perf_hooks';
import type { TenantDatabase } from '../../tenancy/tenant-database.ts';
import type { FastRedis } from '../redis.ts';
import type { RedisVersions } from '../redis-versions.ts';
import { DrainTerm } from './drain-term.ts';
import type { FollowerState } from './following.ts';
import type { LeaseStore } from './lease-store.ts';
import { Loop } from './loop.ts';
import { type OutboxConnection, OutboxReader } from './outbox-reader.ts';
import { nextPauseMs } from './pause.ts';
import { ELECTION_MS, LEASE_MS, MARGIN_MS } from './timing.ts';

export interface DrainerOptions {
  readonly connection: OutboxConnection;
  readonly redis: FastRedis;
  readonly leases: LeaseStore;
  readonly versions: RedisVersions;
  /** The service's own connections, for what is not urgent. */
  readonly database: TenantDatabase;
  readonly state: FollowerState;
  readonly onError: (error: Error) => void;
}

/**
 * One process for each Redis drains the outbox into its versions; the others try to, four times a second. The lock that
 * elects it lives and dies with its connection to PostgreSQL, and it gives both up as soon as Redis fails it, since
 * another process may reach Redis.
 */
export class Drainer {
  readonly #loop: Loop;
  readonly #withdrawals = new Set<NodeJS.Timeout>();
  #reader: OutboxReader | undefined;
  #term: DrainTerm | undefined;
  #serverId = '';
  #pauseMs = 0;

  constructor(private readonly options: DrainerOptions) {
    options.state.role = 'standby';
    this.#loop = new Loop(
      () => (this.#term ? this.#drain(this.#term) : this.#stand()),
      (error) => this.#failed(error),
    );
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    for (const timer of this.#withdrawals) clearTimeout(timer);
    await this.#reader?.close().catch(this.options.onError);
  }

  /** Each Redis has a drainer of its own, named by Redis's id, so that two deployments on one database both work. */
  async #stand(): Promise<number> {
    const { connection, redis, leases, versions, state } = this.options;
    const serverId = await redis.run(async (_client, id) => id);
    this.#reader ??= await OutboxReader.open(connection);
    if (!(await this.#reader.tryLock(`tenantry cache drainer ${serverId}`))) return ELECTION_MS;
    this.#serverId = serverId;
    this.#term = await DrainTerm.begin({ reader: this.#reader, leases, versions, serverId, state });
    state.role = 'drainer';
    state.elections++;
    return 0;
  }

  async #drain(term: DrainTerm): Promise<number> {
    this.#pauseMs = nextPauseMs(this.#pauseMs, await term.step());
    return this.#pauseMs;
  }

  #failed(error: Error): number {
    this.options.onError(error);
    this.options.state.role = 'standby';
    if (this.#term) this.#withdrawLater(this.#term);
    this.#term = undefined;
    this.#reader?.close().catch(() => {}); // it may be what failed; its lock goes with it
    this.#reader = undefined;
    return ELECTION_MS;
  }

  /**
   * When the last lease is over, and nobody else has taken the office, nobody trusts: writes whose bump fails then need
   * not wait.
   */
  #withdrawLater({ holder, lastLeaseMs = performance.now() }: DrainTerm): void {
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
