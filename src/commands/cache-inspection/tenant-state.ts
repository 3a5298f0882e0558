import { isLive, LeaseStore } from '../../cache/change-feed/lease-store.ts';
import type { OperatorRedis } from '../../cache/redis/operator-redis.ts';
import { versionsKey } from '../../cache/versions/cache-key.ts';
import { parseVersions, versionsIn } from '../../cache/versions/redis-versions.ts';
import type { Versions } from '../../cache/versions/versions.ts';
import type { TenantScope } from '../../tenancy/tenant-scope.ts';

/** What processes that share the Redis go by for a tenant at this moment. */
export interface TenantState {
  /** Whether kept answers are served. */
  readonly isTrusted: boolean;
  /**
   * For how long yet the lease holds, in milliseconds; negative when it is over, null when there is
   * none.
   */
  readonly leaseMs: number | null;
  /**
   * As entries are compared with them; null when there are none yet, or no lease says of which
   * term.
   */
  readonly versions: Versions | null;
}

/**
 * @param database as `cache_database_identity()` of PostgreSQL gives it: another one's lease says
 *   nothing of this one
 */
export async function readTenantState(
  { client, serverId }: OperatorRedis,
  scope: TenantScope,
  database: string,
): Promise<TenantState> {
  const leases = new LeaseStore({ run: (work) => work(client, serverId), leave() {} });
  const [{ lease: found, nowMs }, text] = await Promise.all([leases.read(), client.get(versionsKey(scope))]);
  const stored = parseVersions(text);
  const lease = found?.server === serverId && found.database === database ? found : undefined;
  const leaseMs = lease ? Math.round(lease.untilMs - nowMs) : null;
  return {
    isTrusted: lease !== undefined && isLive(lease, nowMs),
    leaseMs,
    versions: stored && lease ? versionsIn(lease.term, stored) : null,
  };
}
