import type { TenantScope } from '../tenancy/tenant-scope.ts';
import { versionsKey } from './cache-key.ts';
import type { CacheDependency } from './namespaces.ts';
import type { FastRedis } from './redis.ts';
import { freshEpoch, type VersionStore, type Versions } from './versions.ts';

/** Longer than any entry is kept. A tenant at rest for so long begins a new epoch. */
const VERSIONS_TTL_MS = 14 * 24 * 3600 * 1000;

/** Adds one to each named version, in a new epoch when the tenant has none. */
const BUMP = `
local versions = redis.call('GET', KEYS[1])
versions = versions and cjson.decode(versions) or { epoch = ARGV[1] }
for i = 3, #ARGV do versions[ARGV[i]] = (versions[ARGV[i]] or 0) + 1 end
redis.call('SET', KEYS[1], cjson.encode(versions), 'PX', ARGV[2])
return 1`;

/** Versions in Redis: what one process bumps, every process sees. */
export class RedisVersions implements VersionStore {
  constructor(private readonly redis: FastRedis) {}

  async read(scope: TenantScope): Promise<Versions> {
    return this.redis.run(async (client, serverId) => {
      const key = versionsKey(scope);
      // Set only where there is none: of processes that find none at once, one makes it and the others read it.
      const stored =
        (await client.get(key)) ??
        (await client.set(key, newVersions(), 'PX', VERSIONS_TTL_MS, 'NX', 'GET')) ??
        (await client.get(key));
      return parseVersions(stored, serverId);
    });
  }

  /** The versions, and the bytes under a key of the same tenant, in one round trip. */
  async readWith(scope: TenantScope, key: string): Promise<{ versions: Versions; bytes: Buffer | null }> {
    const read = await this.redis.run(async (client, serverId) => {
      const [stored = null, bytes = null] = await client.mgetBuffer(versionsKey(scope), key);
      return stored && { versions: parseVersions(stored.toString(), serverId), bytes };
    });
    // Without versions nothing that was kept before is current.
    return read ?? { versions: await this.read(scope), bytes: null };
  }

  async bump(scope: TenantScope, dependencies: readonly CacheDependency[]): Promise<void> {
    await this.redis.run((client) =>
      client.eval(BUMP, 1, versionsKey(scope), freshEpoch(), VERSIONS_TTL_MS, ...dependencies),
    );
  }
}

function newVersions(): string {
  return JSON.stringify({ epoch: freshEpoch() } satisfies Versions);
}

/** The server's id becomes part of the epoch: a server that came back with old data has versions that it had passed already. */
function parseVersions(stored: string | null, serverId: string): Versions {
  if (stored === null) throw new Error('the versions vanished while they were read');
  const versions = JSON.parse(stored) as Versions;
  return { ...versions, epoch: `${serverId}.${versions.epoch}` };
}
