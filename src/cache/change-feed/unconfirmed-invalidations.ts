import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { TenantDatabase } from '../../tenancy/tenant-database.ts';
import type { TenantScope } from '../../tenancy/tenant-scope.ts';
import type { CacheDependency } from '../dependencies/dependencies.ts';
import { maskOf } from '../dependencies/dependencies.ts';
import { LEASE_MS, MARGIN_MS, VERSIONS_LEASE_MS } from '../redis/timing.ts';
import { UntrustedBump } from '../versions/redis-versions.ts';

/**
 * Whoever trusted before the write does so no longer: the lease is over, or it was renewed with the
 * write in the versions, and the leases of before are over as well.
 */
const NOBODY_TRUSTS_AFTER_MS = LEASE_MS + VERSIONS_LEASE_MS + MARGIN_MS;
const RETRY_MS = 50;

/**
 * What becomes of a write whose bump did not reach Redis, or one that this process does not trust:
 * after a failover others may reach the old one yet. The outbox relay will bump for it, but until
 * then another process may take the old answer for current. So the write is acknowledged only when
 * it is in all versions that are trusted, or when nobody trusts any: 1.2 s later at most.
 */
export class UnconfirmedInvalidations {
  constructor(private readonly database: TenantDatabase) {}

  /**
   * Leaves a row in the outbox for an invalidation that no write stands behind. @throws when
   * PostgreSQL is away too
   */
  async leaveToRelay(scope: TenantScope, dependencies: readonly CacheDependency[]): Promise<void> {
    await this.database.directory('SELECT cache_outbox_add($1, $2)', [scope.tenantId, maskOf(dependencies)]);
  }

  /**
   * Resolves when no process can answer with less than what was committed before `sinceMs`.
   * @param sinceMs of `performance.now()`
   * @param bump tries again; resolving says that it was done
   */
  async untilHarmless(sinceMs: number, bump: () => Promise<void>): Promise<void> {
    while (performance.now() - sinceMs < NOBODY_TRUSTS_AFTER_MS) {
      const failure = await failureOf(bump);
      if (!failure) return;
      const bumped = failure instanceof UntrustedBump ? failure.serverId : null;
      // Asked after the commit: who announces trust later, polls later, and sees the write.
      if (!(await this.#isTrustedElsewhere(bumped))) return;
      await delay(RETRY_MS);
    }
  }

  /** @param bumped the Redis whose versions have the write already */
  async #isTrustedElsewhere(bumped: string | null): Promise<boolean> {
    try {
      const rows = await this.database.directory<{ trusted: boolean }>(
        'SELECT EXISTS (SELECT FROM cache_trust WHERE server_id IS DISTINCT FROM $1) AS trusted',
        [bumped],
      );
      return rows[0]?.trusted ?? true;
    } catch {
      return true; // not known: waiting is always right
    }
  }
}

/** The caller knows that Redis fails, and FastRedis has told it. */
async function failureOf(work: () => Promise<void>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error;
  }
}
