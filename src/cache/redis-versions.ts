import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { TenantScope } from '../tenancy/tenant-scope.ts';
import { versionsKey, writtenKey } from './cache-key.ts';
import type { CacheDependency } from './namespaces.ts';
import { maskOf } from './outbox/dependency-bits.ts';
import type { OutboxChange } from './outbox/outbox-reader.ts';
import type { Trust } from './outbox/trust.ts';
import type { FastRedis } from './redis.ts';
import { freshEpoch, type VersionStore, type Versions } from './versions.ts';

/** Longer than any entry is kept. A tenant at rest for so long begins a new epoch. */
const VERSIONS_TTL_MS = 14 * 24 * 3600 * 1000;

/** How long a bump is remembered for the drainer, which sees the same write a few milliseconds later. */
const WRITTEN_TTL_MS = 60_000;
/** Tenants whose bumps are sent together: what Redis does in a few milliseconds. */
const DRAIN_BATCH = 500;
/** Beyond so many changes at once, as after an outage, the API's own are bumped again instead of looked up. */
const MAX_LOOKED_UP = 2_000;

/** Versions in Redis: what one process bumps, every process sees. */
export class RedisVersions implements VersionStore {
  constructor(
    private readonly redis: FastRedis,
    private readonly trust: Trust,
  ) {}

  read(scope: TenantScope): Promise<Versions> {
    const key = versionsKey(scope);
    return this.redis
      .run((client, serverId) =>
        client.get(key).then((found) => {
          const stored = parseVersions(found);
          return stored
            ? { stored, serverId }
            : begin(client, key, found !== null).then((stored) => ({ stored, serverId }));
        }),
      )
      .then(({ stored, serverId }) => this.#trusted(stored, serverId));
  }

  /** The versions, and the bytes under a key of the same tenant, in one round trip. */
  async readWith(scope: TenantScope, key: string): Promise<{ versions: Versions; bytes: Buffer | null }> {
    const { stored, bytes, serverId } = await this.redis.run(async (client, serverId) => {
      const [versions = null, bytes = null] = await client.mgetBuffer(versionsKey(scope), key);
      return { stored: versions && parseVersions(versions.toString()), bytes, serverId };
    });
    // Without versions nothing that was kept before is current.
    return stored
      ? { versions: this.#trusted(stored, serverId), bytes }
      : { versions: await this.read(scope), bytes: null };
  }

  /** The id that the write's rows in the outbox carry. */
  beginWrite(): string {
    return randomUUID();
  }

  async bump(scope: TenantScope, dependencies: readonly CacheDependency[], writeId?: string): Promise<void> {
    const keys = [versionsKey(scope), ...(writeId === undefined ? [] : [writtenKey(scope, writeId)])];
    await this.redis.run(
      (client) =>
        client.bumpVersions(keys.length, ...keys, freshEpoch(), VERSIONS_TTL_MS, maskOf(dependencies), WRITTEN_TTL_MS),
      'bump',
    );
  }

  /** Nothing to do: only a bump makes the drainer pass over a write. */
  abandonWrite(): void {}

  /**
   * Bumps what the API has not bumped itself. @throws when one of them is not certain to have happened
   * @param serverId the Redis that is meant
   * @param isFinal whether the API's own bumps are not waited for any longer
   * @returns the changes that are left to the API for now
   */
  async drain(serverId: string, changes: readonly OutboxChange[], isFinal: boolean): Promise<OutboxChange[]> {
    const isLong = changes.length > MAX_LOOKED_UP;
    const tenants = [...groupedByTenant(isLong ? changes.map((change) => ({ ...change, writeId: null })) : changes)];
    const left: OutboxChange[] = [];
    for (let start = 0; start < tenants.length; start += DRAIN_BATCH) {
      const batch = tenants.slice(start, start + DRAIN_BATCH);
      const results = await this.redis.run(async (client, actualId) => {
        if (actualId !== serverId) throw new Error('Redis is another one than before');
        return Promise.all(batch.map(([id, ofTenant]) => drainTenant(client, id, ofTenant, isFinal)));
      }, 'bump');
      left.push(...results.flat());
    }
    return left;
  }

  /**
   * The server's id becomes part of the epoch: a server that came back with old data has versions that it had passed
   * already. So does the generation, which changes when writes may have gone by unseen.
   * @throws when the versions are not trusted
   */
  #trusted(versions: Versions, serverId: string): Versions {
    const generation = this.trust.generationOn(serverId);
    if (generation === undefined) throw new Error('the versions in Redis are not trusted at the moment');
    return versionsOn(serverId, generation, versions);
  }
}

/** The first versions of a tenant. Of processes that find none at once, one makes them and the others read them. */
async function begin(client: Redis, key: string, isForeign: boolean): Promise<Versions> {
  if (isForeign) await client.del(key);
  const stored =
    parseVersions(await client.set(key, newVersions(), 'PX', VERSIONS_TTL_MS, 'NX', 'GET')) ??
    parseVersions(await client.get(key));
  if (!stored) throw new Error('the versions vanished while they were read');
  return stored;
}

async function drainTenant(
  client: Redis,
  tenantId: string,
  changes: readonly OutboxChange[],
  isFinal: boolean,
): Promise<OutboxChange[]> {
  const scope = TenantScope.ofOutboxRow(tenantId);
  const ofApi = changes.filter(({ writeId }) => writeId !== null);
  const due = changes.reduce((mask, { dependencies, writeId }) => (writeId === null ? mask | dependencies : mask), 0);
  const keys = [versionsKey(scope), ...ofApi.map(({ writeId }) => writtenKey(scope, writeId as string))];
  const masks = ofApi.map(({ dependencies }) => dependencies);
  const rest = [freshEpoch(), VERSIONS_TTL_MS, due, isFinal ? '1' : '0', ...masks];
  const left = await client.drainVersions(keys.length, ...keys, ...rest);
  return ofApi.filter((_, index) => left.includes(index));
}

function groupedByTenant(changes: readonly OutboxChange[]): Map<string, OutboxChange[]> {
  const groups = new Map<string, OutboxChange[]>();
  for (const change of changes) {
    const group = groups.get(change.tenantId);
    if (group) group.push(change);
    else groups.set(change.tenantId, [change]);
  }
  return groups;
}

/** Versions as entries are compared with them: of one server, and of one generation. */
export function versionsOn(serverId: string, generation: string, stored: Versions): Versions {
  return { ...stored, epoch: `${serverId}.${generation}.${stored.epoch}` };
}

/** The versions as Redis has them. Undefined for what is absent, or not of this layout. */
export function parseVersions(text: string | null): Versions | undefined {
  if (text === null) return undefined;
  try {
    const versions = JSON.parse(text) as Versions | null;
    return typeof versions?.epoch === 'string' ? versions : undefined;
  } catch {
    return undefined; // whatever it is, it takes no part
  }
}

function newVersions(): string {
  return JSON.stringify({ epoch: freshEpoch() } satisfies Versions);
}
