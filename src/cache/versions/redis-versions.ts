import type { Redis } from 'ioredis';
import { TenantScope } from '../../tenancy/tenant-scope.ts';
import type { CacheDependency } from '../dependencies/dependencies.ts';
import { maskOf } from '../dependencies/dependencies.ts';
import { type FastRedis, RedisFailed } from '../redis/redis.ts';
import { CHANGE_CHANNEL, type Revoked } from '../redis/redis-scripts.ts';
import { BUMP_VERSIONS, GET_VERSIONS, GET_VERSIONS_AND_ENTRY, READ_VERSIONS } from '../redis/redis-span.ts';
import type { RedisSubscription } from '../redis/redis-subscription.ts';
import { versionsKey, writtenKey } from './cache-key.ts';
import { type ChangeListener, ChangeSignals } from './change-signals.ts';
import type { OutboxChange } from './outbox-reader.ts';
import type { Trust, TrustTerm } from './trust.ts';
import { freshEpoch, type Relayed, type SharedVersions, type Versions } from './versions.ts';

/** Longer than any entry is kept. A tenant at rest for so long begins a new epoch. */
const VERSIONS_TTL_MS = 14 * 24 * 3600 * 1000;

/**
 * How long the API and the outbox relay tell one another that a write was bumped for: they meet
 * within milliseconds.
 */
const MARK_TTL_MS = 60_000;
/** Tenants whose bumps are sent together: what Redis does in a few milliseconds. */
const RELAY_BATCH = 500;
/**
 * Beyond so many changes at once, as after an outage, the API's own are bumped again instead of
 * looked up.
 */
const MAX_LOOKED_UP = 2_000;

/** Versions as Redis gave them, and the time of trust in which it did. */
export interface TrustedVersions {
  readonly versions: Versions;
  readonly term: TrustTerm;
}

/** Who sends a script, for those who have leases on the versions. */
export interface Sender {
  readonly processId: string;
  /** Whether it takes a lease on what the script gives. */
  readonly takesLease: boolean;
  /** What the script sends to all others that have a lease. */
  readonly revocation?: string;
}

/** Sends scripts for a process that takes no lease. */
const NOBODY: Sender = { processId: '', takesLease: false };

/** What a bump came to. */
export interface Bumped {
  readonly text: string;
  readonly serverId: string;
  readonly revoked: Revoked;
}

/**
 * A bump was done in a Redis whose lease this process does not have: another Redis may be trusted
 * at the same time.
 */
export class UntrustedBump extends RedisFailed {
  override name = 'UntrustedBump';

  constructor(readonly serverId: string) {
    super('the Redis that was bumped is not trusted at the moment');
  }
}

/** Versions in Redis, which every process sees as they are: each reading asks. */
export class RedisVersions implements SharedVersions {
  readonly #signals = new ChangeSignals();
  #subscription: RedisSubscription | undefined;

  constructor(
    private readonly redis: FastRedis,
    private readonly trust: Trust,
  ) {}

  /** A GET takes a fifth of Redis's time that the script takes. */
  async read(scope: TenantScope): Promise<Versions> {
    const read = async (client: Redis, serverId: string) => ({
      stored: parseVersions(await client.get(versionsKey(scope))),
      serverId,
    });
    const { stored, serverId } = await this.redis.run(read, 'read', GET_VERSIONS, scope.request);
    return stored ? this.#trusted(stored, serverId).versions : (await this.load(scope)).versions;
  }

  leased(): undefined {
    return undefined;
  }

  async readWith(scope: TenantScope, key: string): Promise<{ versions: Versions; bytes: Buffer | null }> {
    const read = async (client: Redis, serverId: string) => {
      const [versions = null, bytes = null] = await client.mgetBuffer(versionsKey(scope), key);
      return { stored: versions && parseVersions(versions.toString()), bytes, serverId };
    };
    const { stored, bytes, serverId } = await this.redis.run(read, 'read', GET_VERSIONS_AND_ENTRY, scope.request);
    // Without versions nothing that was kept before is current.
    return stored
      ? { versions: this.#trusted(stored, serverId).versions, bytes }
      : { versions: (await this.load(scope)).versions, bytes: null };
  }

  async bump(scope: TenantScope, dependencies: readonly CacheDependency[], writeId?: string): Promise<void> {
    this.checkTrusted((await this.send(scope, dependencies, writeId)).serverId);
  }

  async relay(serverId: string, changes: readonly OutboxChange[]): Promise<Relayed> {
    await byTenant(changes, (tenantId, own) => this.relayTenant(serverId, tenantId, own));
    return {};
  }

  /** One connection for all listeners, made for the first. */
  listen(listener: ChangeListener): () => void {
    const tell = (tenantId: string | null) => this.#signals.tell(tenantId);
    // What was sent while nobody heard is lost.
    this.#subscription ??= this.redis.subscribe(CHANGE_CHANNEL, tell, () => tell(null));
    return this.#signals.listen(listener);
  }

  close(): void {
    this.#subscription?.close();
  }

  /** The versions, made if there are none. */
  async load(scope: TenantScope, sender = NOBODY): Promise<TrustedVersions> {
    const read = async (client: Redis, serverId: string) => ({
      text: await client.readVersions(versionsKey(scope), ...common(serverId, sender), Number(sender.takesLease)),
      serverId,
    });
    const { text, serverId } = await this.redis.run(read, 'read', READ_VERSIONS, scope.request);
    return this.parse(text, serverId);
  }

  /** Sends a bump. @returns the versions that it made, and who is told */
  async send(
    scope: TenantScope,
    dependencies: readonly CacheDependency[],
    writeId: string | undefined,
    sender = NOBODY,
  ): Promise<Bumped> {
    const keys = [versionsKey(scope), ...(writeId === undefined ? [] : [writtenKey(scope, writeId)])];
    const rest = [Number(sender.takesLease), sender.revocation ?? '', maskOf(dependencies), MARK_TTL_MS];
    const bump = async (client: Redis, serverId: string) => {
      const [text, revoked] = await client.bumpVersions(keys.length, ...keys, ...common(serverId, sender), ...rest);
      return { text, serverId, revoked };
    };
    return this.redis.run(bump, 'bump', BUMP_VERSIONS, scope.request);
  }

  /** @returns who is told; undefined when nothing was left to bump */
  async relayTenant(
    expectedId: string,
    tenantId: string,
    changes: readonly OutboxChange[],
    sender = NOBODY,
  ): Promise<Revoked | undefined> {
    const scope = TenantScope.ofOutboxRow(tenantId);
    const ofApi = changes.filter(({ writeId }) => writeId !== null);
    const due = changes.reduce((mask, { dependencies, writeId }) => (writeId === null ? mask | dependencies : mask), 0);
    const keys = [versionsKey(scope), ...ofApi.map(({ writeId }) => writtenKey(scope, writeId as string))];
    const rest = [sender.revocation ?? '', MARK_TTL_MS, due, ...ofApi.map(({ dependencies }) => dependencies)];
    const [revoked] = await this.redis.run(async (client, serverId) => {
      if (serverId !== expectedId) throw new Error('Redis is another one than before');
      return client.relayChanges(keys.length, ...keys, ...common(serverId, sender), ...rest);
    }, 'bump');
    return revoked;
  }

  /** @throws when the versions are not trusted */
  parse(text: string, serverId: string): TrustedVersions {
    return this.#trusted(parseVersions(text), serverId);
  }

  /**
   * A write is acknowledged when its bump was done in the Redis that this process trusts: a term
   * begins only after every other Redis's lease is over.
   */
  checkTrusted(serverId: string): void {
    if (this.trust.term?.serverId !== serverId) throw new UntrustedBump(serverId);
  }

  #trusted(stored: Versions | undefined, serverId: string): TrustedVersions {
    const { term } = this.trust;
    if (!stored || term?.serverId !== serverId) throw new Error('the versions in Redis are not trusted at the moment');
    return { versions: versionsIn(term.name, stored), term };
  }
}

/** Does `work` for each tenant that changes are of. */
export async function byTenant<Result>(
  changes: readonly OutboxChange[],
  work: (tenantId: string, changes: readonly OutboxChange[]) => Promise<Result>,
): Promise<Result[]> {
  const isLong = changes.length > MAX_LOOKED_UP;
  const all = isLong ? changes.map((change) => ({ ...change, writeId: null })) : changes;
  const tenants = [...groupedByTenant(all)];
  const results: Result[] = [];
  for (let start = 0; start < tenants.length; start += RELAY_BATCH) {
    const batch = tenants.slice(start, start + RELAY_BATCH).map(([tenantId, own]) => work(tenantId, own));
    results.push(...(await Promise.all(batch)));
  }
  return results;
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

/** What every script of versions is given first. */
function common(serverId: string, { processId }: Sender) {
  return [freshEpoch(), VERSIONS_TTL_MS, serverId, processId] as const;
}

/** Versions as entries are compared with them: those of one term are never taken for another's. */
export function versionsIn(term: string, stored: Versions): Versions {
  return { ...stored, epoch: `${term}.${stored.epoch}` };
}

/**
 * The versions as Redis has them, without the leases on them. Undefined for what is absent, or not
 * of this layout.
 */
export function parseVersions(text: string | null): Versions | undefined {
  if (text === null) return undefined;
  try {
    const stored = JSON.parse(text) as (Versions & { held?: unknown }) | null;
    if (typeof stored?.epoch !== 'string') return undefined;
    const { held: _, ...versions } = stored;
    return versions;
  } catch {
    return undefined; // whatever it is, it takes no part
  }
}
