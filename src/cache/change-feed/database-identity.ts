import { performance } from 'node:perf_hooks';
import type { TenantDatabase } from '../../tenancy/tenant-database.ts';

const IDENTIFY = 'SELECT cache_database_identity() AS identity';

/** How often a database that seems to be another one is asked again. */
const ASK_AGAIN_MS = 250;
/** How often it is asked all the same: the pool may reconnect to another server. */
const LOOK_AGAIN_MS = 1_000;

/**
 * Which database this process works on: the cluster, the database in it, and the server's run,
 * which tells a copy of its files from the original. After a restart, a failover or a restored
 * backup it is another one, since writes may be lost.
 */
export class DatabaseIdentity {
  #known: string | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly database: Pick<TenantDatabase, 'withConnection'>) {}

  /** Whether it is this one. False when PostgreSQL does not tell. */
  async is(identity: string): Promise<boolean> {
    if (this.#known !== identity) await this.#ask(ASK_AGAIN_MS);
    else void this.#ask(LOOK_AGAIN_MS); // not waited for: a busy pool is no other database
    return this.#known === identity;
  }

  async #ask(intervalMs: number): Promise<void> {
    if (performance.now() - this.#askedMs < intervalMs) return;
    this.#askedMs = performance.now();
    const identity = await this.database
      .withConnection((client) => client.query<{ identity: string }>(IDENTIFY))
      .then(({ rows }) => rows[0]?.identity)
      .catch(() => undefined); // whoever needs the database is told
    this.#known = identity ?? this.#known;
  }
}
