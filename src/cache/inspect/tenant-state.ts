import type { TenantScope } from '../../tenancy/tenant-scope.ts';
import { versionsKey } from '../cache-key.ts';
import { LeaseStore } from '../outbox/lease-store.ts';
import { parseVersions, versionsOn } from '../redis-versions.ts';
import type { Versions } from '../versions.ts';
import type { OperatorRedis } from './operator-redis.ts';

/** What processes that share the Redis go by for a tenant at this moment. */
export interface TenantState {
  /** Whether kept answers are served. */
  readonly isTrusted: boolean;
  /** For how long yet the lease holds, in milliseconds; negative when it is over, null when there is none. */
  readonly leaseMs: number | null;
  /** As entries are compared with them; null when there are none yet, or no lease says of which generation. */
  readonly versions: Versions | null;
}

export async function readTenantState({ client, serverId }: OperatorRedis, scope: TenantScope): Promise<TenantState> {
  const leases = new LeaseStore({ run: (work) => work(client, serverId) });
  const [{ lease, nowMs }, text] = await Promise.all([leases.read(), client.get(versionsKey(scope))]);
  const stored = parseVersions(text);
  const leaseMs = lease ? Math.round(lease.untilMs - nowMs) : null;
  return {
    isTrusted: leaseMs !== null && leaseMs > 0,
    leaseMs,
    versions: stored && lease ? versionsOn(serverId, lease.generation, stored) : null,
  };
}
